/* The supervisor's half of a vbd: another size, wanted or noticed. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "backend/block/image_size.h"
#include "backend/block/vbd_device.h"

static struct vbd_device *self(struct device *dev)
{
	return (struct vbd_device *)dev;
}

/* To the worker first: what the guest is told is there must be served. */
static int size_begin(struct device *dev, uint64_t size, bool cut)
{
	struct vbd_device *vbd = self(dev);
	struct vbd_change change = {.kind = VBD_CHANGE_GEOMETRY, .geometry = vbd_geometry(vbd)};

	vbd->settling.size = size;
	vbd->settling.cut = cut;
	if (device_idle(dev))
		return vbd_resized(dev);
	change.geometry.size = size;
	return vbd_ask(dev, &change, NULL, 0);
}

int vbd_resized(struct device *dev)
{
	struct vbd_device *vbd = self(dev);
	const struct vbd_settling *settling = &vbd->settling;
	int rc = 0;

	log_info("%s: %" PRIu64 " bytes, before %" PRIu64, dev->name, settling->size,
		 vbd->storage->image.size);
	image_resized(&vbd->storage->image, settling->size);
	vbd->short_told = false;
	/* Nothing of the guest's is beyond the end any more. */
	if (settling->cut)
		rc = image_truncate(&vbd->storage->image, settling->size, dev->error,
				    sizeof(dev->error));
	(void)device_republish(dev);
	return rc;
}

int vbd_resize(struct device *dev)
{
	struct vbd_device *vbd = self(dev);
	char *text = device_back_string(dev, SETTINGS_RESIZE);
	struct resize resize;
	uint64_t now;
	int rc = 0;

	if (!text)
		return 0;
	rc = resize_parse(text, &resize, dev->error, sizeof(dev->error));
	free(text);
	if (rc)
		return rc;
	rc = vbd_units_measure(vbd, &now);
	if (rc)
		return device_fail(dev, rc, "only a file or a block device has a size to change");
	if (!resize.size)
		resize.size = now;
	if (!resize.size)
		return device_fail(dev, -EINVAL, "its image is empty");
	rc = vbd_units_check(dev, &vbd->storage->image, resize.size);
	if (rc)
		return rc;
	if (resize.size < vbd->storage->image.size && !resize.force)
		return device_fail(dev, -EINVAL,
				   "%" PRIu64 " bytes are less than the %" PRIu64
				   " that it has; --force cuts the rest off",
				   resize.size, vbd->storage->image.size);
	if (resize.size > now)
		rc = image_truncate(&vbd->storage->image, resize.size, dev->error,
				    sizeof(dev->error));
	if (rc)
		return rc;
	if (resize.size == vbd->storage->image.size && resize.size >= now) {
		/* Whoever did it may have ended before it could tell. */
		if (!vbd_size_told(dev))
			(void)device_republish(dev);
		return 0;
	}
	return size_begin(dev, resize.size, resize.size < now);
}

void vbd_short(struct device *dev, uint64_t told, uint64_t left)
{
	struct vbd_device *vbd = self(dev);

	if (vbd->short_told)
		return;
	vbd->short_told = true;
	log_warn("%s: its image has %" PRIu64 " bytes left of %" PRIu64
		 ", reads beyond fail; lengthen it again, or give the rest up with xsplit "
		 "block-resize --force",
		 dev->name, left, told);
}

void vbd_tick(struct device *dev)
{
	struct vbd_device *vbd = self(dev);
	uint64_t now;

	if (!vbd_at_rest(dev) || vbd_units_measure(vbd, &now))
		return;
	if (now > vbd->storage->image.size) {
		vbd->settling.step = VBD_STEP_RESIZE;
		(void)size_begin(dev, now, false);
	} else if (now < vbd->storage->image.size) {
		vbd_short(dev, vbd->storage->image.size, now);
	}
}
