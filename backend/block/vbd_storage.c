#include "backend/block/vbd_storage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/block/vbd_device.h"

/* Looks at an image that somebody else has, some 10 ms apart. */
#define BUSY_TRIES 100u

struct vbd_storage *vbd_storage_new(struct device *dev)
{
	struct vbd_storage *storage = calloc(1, sizeof(*storage));

	if (!storage)
		return NULL;
	storage->dev = dev;
	storage->number = ((struct vbd_device *)dev)->storages++;
	storage->image.fd = storage->claim = -1;
	return storage;
}

/* An empty drive is the null engine with no sectors: each request ends beyond it. */
static int empty_open(struct vbd_storage *storage)
{
	if (!((struct vbd_device *)storage->dev)->cdrom)
		return device_fail(storage->dev, -EINVAL,
				   "only a CD-ROM drive can be empty; name an image");
	storage->image = (struct image){.fd = -1,
					.read_only = true,
					.alignment = BLK_SECTOR_SIZE,
					.physical_sector = BLK_SECTOR_SIZE};
	return 0;
}

bool vbd_storage_is_away(const struct vbd_storage *storage)
{
	return storage->params && !strcmp(storage->params, VBD_STORAGE_AWAY);
}

/* To the guest nothing has changed. */
static int away_open(struct vbd_storage *storage)
{
	const struct vbd_device *vbd = (struct vbd_device *)storage->dev;
	uint64_t sectors = 0;

	(void)vbd_told(storage->dev, &sectors);
	storage->image = (struct image){.fd = -1,
					.size = sectors * vbd_unit(vbd),
					.read_only = vbd->read_only,
					.can_discard = vbd->discard_told,
					.can_erase = vbd->erase_told,
					.alignment = BLK_SECTOR_SIZE,
					.physical_sector = vbd->sector_size};
	return 0;
}

static int named_open(struct vbd_storage *storage, const char *params)
{
	const struct vbd_device *vbd = (struct vbd_device *)storage->dev;
	char why[sizeof(storage->dev->error)];
	struct source source;
	int rc = source_parse(params, &source, why, sizeof(why));

	if (!rc && source_remote(&source))
		return vbd_remote_open(storage, params, &source);
	if (!rc)
		rc = image_open(&storage->image, params, vbd->read_only, why, sizeof(why));
	return rc ? device_fail(storage->dev, rc, "%s", why) : 0;
}

/* A helper of another disk's that is about to end may still hold it: the device waits. */
static bool wait_for_it(struct vbd_storage *storage)
{
	return ((struct vbd_device *)storage->dev)->storage == storage &&
	       storage->busy++ < BUSY_TRIES;
}

int vbd_storage_open(struct vbd_storage *storage, const char *params)
{
	int rc;

	if (!strcmp(params, VBD_STORAGE_AWAY))
		rc = away_open(storage);
	else
		rc = *params ? named_open(storage, params) : empty_open(storage);
	if (rc == -EBUSY && wait_for_it(storage))
		return -EINPROGRESS;
	if (!rc)
		rc = vbd_units_check(storage->dev, &storage->image, storage->image.size);
	if (rc)
		return rc;
	storage->params = strdup(params);
	return storage->params ? 0 : device_fail(storage->dev, -ENOMEM, "out of memory");
}

void vbd_storage_free(struct vbd_storage *storage)
{
	if (!storage)
		return;
	vbd_remote_close(storage);
	image_close(&storage->image);
	free(storage->params);
	free(storage);
}
