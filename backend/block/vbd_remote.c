/* The supervisor's half of a vbd whose disk comes over NBD. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/block/vbd_device.h"
#include "backend/supervisor/guest.h"
#include "lib/log.h"
#include "lib/rundir.h"

/* The export is this disk: sizes as its server says them, and sectors as we show them. */
static void image_describe(struct vbd_storage *storage)
{
	const struct device *dev = storage->dev;
	const struct vbd_device *vbd = (struct vbd_device *)dev;
	const struct export_info *info = backing_info(storage->backing);
	uint32_t sector = info->block_min > BLK_SECTOR_SIZE ? info->block_min : BLK_SECTOR_SIZE;

	if (info->size % sector)
		log_warn("%s: the last %" PRIu64
			 " bytes of its export are less than a sector and not shown",
			 dev->name, info->size % sector);
	storage->image = (struct image){
		.fd = -1,
		.size = info->size - info->size % sector,
		.alignment = sector,
		.read_only = vbd->read_only,
		.can_discard = info->can_trim && !vbd->read_only,
		.discard_granularity = sector,
		.physical_sector = sector,
	};
	if (sector < 4096 && info->block_preferred >= 4096 && storage->image.size % 4096 == 0)
		storage->image.physical_sector = 4096;
}

/* ---- what the backing says ---- */

static bool is_behind(const struct vbd_storage *storage)
{
	return ((struct vbd_device *)storage->dev)->storage == storage;
}

static void on_moved(void *arg)
{
	const struct vbd_storage *storage = arg;

	device_wake(storage->dev);
}

static void on_connected(void *arg, unsigned n, int fd)
{
	const struct vbd_change change = {.kind = VBD_CHANGE_CONNECTION, .connection = n};
	const struct vbd_storage *storage = arg;
	uint32_t number;

	/* What another storage's worker wanted is not this one's. */
	if (is_behind(storage))
		(void)device_change(storage->dev, &change, sizeof(change), &fd, 1, &number);
	close(fd);
}

static void on_away(void *arg, const char *why)
{
	const struct vbd_storage *storage = arg;

	if (!is_behind(storage))
		return;
	if (why)
		device_trouble(storage->dev, -ENOTCONN,
			       "its storage is away (%.150s), requests wait for it", why);
	else
		device_recovered(storage->dev, "its storage is there again");
}

/* ---- life ---- */

static int backing_start(struct vbd_storage *storage, const char *params,
			 const struct source *source)
{
	struct device *dev = storage->dev;
	const struct vbd_device *vbd = (struct vbd_device *)dev;
	const struct guest_options *guest = guest_options(dev->guest);
	char why[sizeof(dev->error)] = "", socket[256];
	struct backing_options options = {
		.base = guest->base,
		.name = dev->name,
		.user = guest->user,
		.sandboxed = guest->sandboxed,
		.params = params,
		.source = source,
		.read_only = vbd->read_only,
		.socket = socket,
		.moved = on_moved,
		.connected = on_connected,
		.away = on_away,
		.arg = storage,
	};
	int rc;

	rc = rundir_make("qemu-nbd");
	if (!rc)
		rc = rundir_path(socket, sizeof(socket), "qemu-nbd/%u-%" PRIu32 "-%u", dev->domid,
				 dev->devid, storage->number);
	if (rc)
		return device_fail(dev, rc, "%s cannot be written: %s", rundir(), strerror(-rc));
	if (source->kind == SOURCE_IMAGE) {
		rc = image_claim(source->path, vbd->read_only, why, sizeof(why));
		if (rc < 0)
			return device_fail(dev, rc, "%s", why);
		storage->claim = rc;
	}
	rc = backing_open(&storage->backing, &options, why, sizeof(why));
	return rc ? device_fail(dev, rc, "%s", why) : -EINPROGRESS;
}

int vbd_remote_open(struct vbd_storage *storage, const char *params, const struct source *source)
{
	if (!storage->backing)
		return backing_start(storage, params, source);
	switch (backing_state(storage->backing)) {
	case BACKING_ASKING:
		return -EINPROGRESS;
	case BACKING_READY:
		image_describe(storage);
		return 0;
	default:
		return device_fail(storage->dev, -EIO, "%s", backing_why(storage->backing));
	}
}

void vbd_remote_describe(const struct vbd_storage *storage, struct vbd_remote *remote)
{
	if (!storage->backing)
		return;
	remote->connections = backing_connections(storage->backing);
	remote->length_max = export_request_max(backing_info(storage->backing));
	snprintf(remote->export, sizeof(remote->export), "%s", backing_export(storage->backing));
}

void vbd_remote_want(struct device *dev, uint32_t what, const char *why)
{
	const struct vbd_storage *storage = ((struct vbd_device *)dev)->storage;

	if (storage && storage->backing)
		backing_want(storage->backing, what, why);
}

void vbd_remote_unwant(struct vbd_storage *storage)
{
	if (storage && storage->backing)
		backing_unwant(storage->backing);
}

void vbd_remote_close(struct vbd_storage *storage)
{
	backing_close(storage->backing);
	storage->backing = NULL;
	if (storage->claim >= 0)
		close(storage->claim);
	storage->claim = -1;
}
