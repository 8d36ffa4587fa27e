/*
 * unplug.h - tell the device model to take its emulated disks and cards away.
 *
 * Follows Xen's docs/misc/hvm-emulated-unplug.pandoc; the ports are those of the platform PCI
 * device.
 */
#pragma once

#include "pvh-timer/host.h"

/** What goes; UNPLUG_DISKS covers the auxiliary ones. */
#define UNPLUG_DISKS     1u /* IDE and SCSI */
#define UNPLUG_NICS      2u
#define UNPLUG_AUX_DISKS 4u /* IDE but the first */
#define UNPLUG_NVME      8u

/** For drivers that are not in Xen's list (public/hvm/pvdrivers.h). */
#define UNPLUG_PRODUCT_EXPERIMENTAL 0xffffu

struct unplug {
	uint8_t version;  /* of the protocol */
	uint16_t devices; /* UNPLUG_* that were asked for */
};

/**
 * unplug_devices - the whole handshake.
 * @product: of pvdrivers.h; @build: any number that tells builds of it apart
 *
 * Return: 0, -ENODEV (no platform device), -EPERM (it has us on its blacklist: use no PV drivers
 * for what it emulates), -EPROTONOSUPPORT (a version that is not known).
 */
int unplug_devices(struct pvh_host *host, uint16_t product, uint32_t build, uint16_t devices,
		   struct unplug *unplug);

/** unplug_log - a line into the device model's log, which limits how much it takes. */
void unplug_log(struct pvh_host *host, const char *line);
