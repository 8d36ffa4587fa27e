/*
 * layout.h - a domain's own nodes, as libxl_create.c and libxl_dom.c write them.
 *
 * Pure: composed here, written by the creating transaction.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/nodes.h"
#include "toolstack/xen/xen.h"

/** What building a domain gave it. */
struct layout {
	uint16_t domid;
	uint32_t xenstore_port, console_port;
	struct xen_built built;
	const char *bios; /* of an HVM guest: "seabios" or "ovmf" */
	uint64_t video_kib;
};

/**
 * layout_domain - /local/domain/N, /vm/UUID, /libxl/N. The guest owns what it may write (data,
 * drivers, feature, attr, error, control/shutdown and its like) and reads the rest.
 */
void layout_domain(struct nodes *nodes, const struct domain_config *config,
		   const struct layout *layout);

/** layout_devices - the console and every disk and vif of the config. */
void layout_devices(struct nodes *nodes, const struct domain_config *config,
		    const struct layout *layout);

/** layout_record - the name's index entry and our own record of the domain. */
void layout_record(struct nodes *nodes, const struct domain_config *config, uint16_t domid,
		   const char *text);
