/*
 * The supervisor's half of a vbd: another image behind a disk that may be in use.
 *
 * The next image is opened first, so what is wrong with it is known before anything changes. Then
 * the worker finishes what it has begun and lets go; the images change places; the rings are taken
 * up again as after a worker's death, and what had not begun goes to the new image. So a request
 * sees one of the two. The image before is kept until the rings run, should they not.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/block/vbd_device.h"

static struct vbd_device *self(struct device *dev)
{
	return (struct vbd_device *)dev;
}

/* A path may have come to name another file. */
static bool is_at(const struct image *image, const char *path)
{
	struct stat here, there;

	if (image->fd < 0)
		return true;
	return !fstat(image->fd, &here) && !stat(path, &there) && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino;
}

void vbd_switch_close(struct vbd_device *vbd)
{
	struct vbd_switch *change = &vbd->change;

	if (change->which == VBD_SWITCH_NONE)
		return;
	vbd_storage_free(change->storage);
	free(change->params);
	*change = (struct vbd_switch){0};
}

static void swap(struct vbd_device *vbd)
{
	struct vbd_storage *storage = vbd->storage;

	vbd->storage = vbd->change.storage;
	vbd->change.storage = storage;
	vbd->short_told = false;
}

void vbd_renew(struct device *dev)
{
	struct vbd_device *vbd = self(dev);
	char oldest[96];

	if (vbd->change.which != VBD_SWITCH_NEXT)
		return;
	(void)vbd_progress(dev, &vbd->change.answered, oldest, sizeof(oldest));
	swap(vbd);
	vbd->change.which = VBD_SWITCH_BEFORE;
}

bool vbd_fall_back(struct device *dev, const char *why)
{
	struct vbd_device *vbd = self(dev);
	uint64_t answered;
	char oldest[96];

	if (vbd->change.which != VBD_SWITCH_BEFORE)
		return false;
	/* What a worker answered before it died is on the next image alone. */
	(void)vbd_progress(dev, &answered, oldest, sizeof(oldest));
	if (answered != vbd->change.answered)
		return false;
	swap(vbd);
	vbd->settling.refused = vbd->change.number;
	snprintf(vbd->settling.words, sizeof(vbd->settling.words), "%s", why);
	vbd_switch_close(vbd);
	return true;
}

void vbd_switched(struct device *dev)
{
	struct vbd_device *vbd = self(dev);
	const char *params;

	if (vbd->change.which != VBD_SWITCH_BEFORE)
		return;
	vbd_switch_close(vbd);
	if (vbd_storage_is_away(vbd->storage)) {
		log_info("%s: its image is closed, requests wait", dev->name);
		return;
	}
	params = vbd->storage->params;
	log_info("%s: %s%s", dev->name, *params ? "has another image, " : "is empty", params);
	(void)device_republish(dev);
}

/* All that can go wrong with the next storage goes wrong here. */
static int next_open(struct device *dev, const char *params)
{
	struct vbd_switch *change = &self(dev)->change;
	int rc;

	if (change->which != VBD_SWITCH_OPENING) {
		vbd_switch_close(self(dev));
		change->storage = vbd_storage_new(dev);
		change->params = strdup(params);
		change->which = VBD_SWITCH_OPENING;
		change->number = self(dev)->settling.number;
	}
	rc = change->storage && change->params ? vbd_storage_open(change->storage, change->params)
					       : device_fail(dev, -ENOMEM, "out of memory");
	if (!rc)
		change->which = VBD_SWITCH_NEXT;
	else if (rc != -EINPROGRESS)
		vbd_switch_close(self(dev));
	return rc;
}

bool vbd_switch_opening(const struct device *dev)
{
	const struct vbd_device *vbd = (const struct vbd_device *)dev;

	return vbd->change.which == VBD_SWITCH_OPENING &&
	       vbd->change.number == vbd->settling.number;
}

/* What shall be behind the disk: for free(3); NULL: what is there. */
static int wanted(struct device *dev, char **params)
{
	bool away = self(dev)->settling.wanted.away;

	*params = NULL;
	if (away && dev->script)
		return device_fail(dev, -EOPNOTSUPP,
				   "its hotplug script has its image, which is not closed here");
	if (!dev->script)
		*params = away ? strdup(VBD_STORAGE_AWAY) : device_back_string(dev, "params");
	return away && !*params ? device_fail(dev, -ENOMEM, "out of memory") : 0;
}

int vbd_switch(struct device *dev)
{
	struct vbd_device *vbd = self(dev);
	const struct vbd_storage *now = vbd->storage;
	char *params;
	int rc = wanted(dev, &params);

	if (rc)
		return rc;
	if (!params || (!strcmp(params, now->params) && is_at(&now->image, params))) {
		free(params);
		return 0;
	}
	rc = next_open(dev, params);
	free(params);
	if (rc)
		return rc;
	if (device_idle(dev)) {
		vbd_renew(dev);
		vbd_switched(dev);
		return 0;
	}
	rc = device_renew(dev);
	if (!rc)
		return -EINPROGRESS;
	vbd_switch_close(vbd);
	return device_fail(dev, rc,
			   "its image cannot be exchanged while it is in use: it has no in-flight "
			   "log (see the backend's log)");
}
