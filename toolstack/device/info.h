/*
 * info.h - devices as the user sees them: what both ends of one have agreed on.
 *
 * The text formats are exactly xl's (xl_block.c, xl_nic.c).
 */
#pragma once

#include <stdio.h>
#include <yajl/yajl_gen.h>

#include "toolstack/config/mac.h"
#include "toolstack/device/device.h"

/** What is not known (yet) is -1, as xl prints it. The guest wrote most of it. */
struct device_info {
	struct device device;
	int state;  /* the frontend's */
	int port;   /* event channel: the only one, or the first queue's */
	int ref[2]; /* disk: its ring (the first page); vif: tx, rx */
	uint8_t mac[MAC_SIZE];
	char back[XS_PATH_SIZE];
};

/** device_info_get - read it. */
void device_info_get(struct toolstack *ts, const struct device *device, struct device_info *info);

/** info_disk_header, info_disk_row - block-list's lines. */
void info_disk_header(FILE *out);
void info_disk_row(FILE *out, const struct device_info *info);

/** info_vif_header, info_vif_row - network-list's lines. */
void info_vif_header(FILE *out);
void info_vif_row(FILE *out, const struct device_info *info);

/** info_json - one device as an object. */
void info_json(yajl_gen json, const struct device_info *info);
