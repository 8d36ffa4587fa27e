/*
 * The supervisor's half of a vbd: taken over from a supervisor that ended while the disk ran.
 *
 * That one may have been changing it. What the toolstack wants is in its nodes, with a request that
 * has no answer; what the disk had is in "served", "sectors", "feature-discard" and
 * "discard-secure", which only backends write. The disk goes on with that, and the request is then
 * carried out from the start.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backend/block/vbd_device.h"

#define SERVED "served"

static struct vbd_device *self(struct device *dev)
{
	return (struct vbd_device *)dev;
}

void vbd_resume(struct device *dev)
{
	struct vbd_device *vbd = self(dev);
	char *discard = device_back_string(dev, "feature-discard");
	char *erase = device_back_string(dev, "discard-secure");

	vbd->discard_told = discard && !strcmp(discard, "1");
	vbd->erase_told = erase && !strcmp(erase, "1");
	free(discard);
	free(erase);
	vbd_settings_resume(dev);
}

char *vbd_served(struct device *dev)
{
	return self(dev)->resumed && !dev->script ? device_back_string(dev, SERVED) : NULL;
}

void vbd_served_write(struct device *dev)
{
	const char *params = self(dev)->storage->params;
	char *text = device_back_string(dev, SERVED);

	if (!text || strcmp(text, params) != 0)
		(void)device_back_write(dev, SERVED, params);
	free(text);
}

bool vbd_told(struct device *dev, uint64_t *sectors)
{
	return !xs_read_number(dev->xs, XBT_NULL, INT64_MAX / UINT16_MAX, sectors, "%s/sectors",
			       dev->back);
}

bool vbd_size_told(struct device *dev)
{
	uint64_t sectors;

	return vbd_told(dev, &sectors) && sectors == vbd_sectors(self(dev));
}

void vbd_resumed(struct device *dev)
{
	struct vbd_device *vbd = self(dev);
	uint64_t size = vbd->storage->image.size, before;

	if (!vbd->resumed || !device_running(dev))
		return;
	vbd->resumed = false;
	if (!vbd_told(dev, &before) || before == vbd_sectors(vbd))
		return;
	if (before > vbd_sectors(vbd)) {
		vbd_short(dev, before * vbd_unit(vbd), size);
		return;
	}
	log_info("%s: %" PRIu64 " bytes, before %" PRIu64, dev->name, size, before * vbd_unit(vbd));
	(void)device_republish(dev);
}
