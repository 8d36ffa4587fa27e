#include "toolstack/device/vbd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/hotplug.h"

struct device vbd_device(uint16_t domid, const struct disk_config *disk)
{
	return (struct device){
		.type = disk->backend == DISK_QDISK ? DEVICE_QDISK : DEVICE_VBD,
		.domid = domid,
		.backend = BACKEND_DOMID,
		.id = disk->number,
	};
}

/* The format comes before the path: QEMU's driver:filename, and the same for our backend. */
char *vbd_params(const struct disk_config *disk)
{
	const char *driver = disk->format == DISK_RAW ? "aio" : disk_format_word(disk->format);
	char *params = NULL;
	bool plain = disk->backend != DISK_QDISK && disk->format == DISK_RAW;
	int n = plain ? asprintf(&params, "%s", disk->target)
		      : asprintf(&params, "%s:%s", driver, disk->target);

	return n < 0 ? NULL : params;
}

static const char *limits_of(const struct disk_config *disk, char text[QOS_TEXT_SIZE])
{
	qos_print(&disk->qos, text);
	return *text ? text : NULL;
}

void vbd_nodes(struct nodes *nodes, uint16_t domid, const struct disk_config *disk)
{
	struct device device = vbd_device(domid, disk);
	char number[16], timeout[16], limits[QOS_TEXT_SIZE], *params = vbd_params(disk);
	const char *type = disk->cdrom ? "cdrom" : "disk";
	const struct device_node front[] = {
		{"state", "1"},
		{"virtual-device", number},
		{"device-type", type},
		{"trusted", disk->untrusted ? "0" : "1"},
		{0},
	};
	const struct device_node back[] = {
		{"params", params},
		{"online", "1"},
		{"removable", disk->cdrom ? "1" : "0"},
		{"bootable", "1"},
		{"state", "1"},
		{"dev", disk->vdev},
		{"type", disk->backend == DISK_QDISK ? "qdisk" : "phy"},
		{"mode", disk->writable ? "w" : "r"},
		{"device-type", type},
		{"script", disk->script ? disk->script : HOTPLUG_NONE},
		{"discard-enable", disk->discard ? "1" : "0"},
		{"qos", limits_of(disk, limits)},
		{"logical-sector-size", disk->sector_size == 4096 ? "4096" : NULL},
		{"legacy-sector-units", disk->units},
		{"polling", disk->polling},
		{"persistent", disk->persistent},
		{"request-timeout", disk->timed ? timeout : NULL},
		{"direct-io-safe", disk->direct_io_safe ? "1" : NULL},
		{0},
	};

	snprintf(number, sizeof(number), "%" PRIu32, disk->number);
	snprintf(timeout, sizeof(timeout), "%" PRIu32, disk->timeout_s);
	if (params)
		device_nodes(nodes, &device, front, back);
	else
		nodes->rc = -ENOMEM;
	free(params);
}
