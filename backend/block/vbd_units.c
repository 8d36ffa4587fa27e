/* The supervisor's half of a vbd: which sectors the guest sees, and in what it counts them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backend/block/image_size.h"
#include "backend/block/vbd_device.h"

#define LARGE_SECTOR 4096u

static const char *const words[] = {
	[VBD_UNITS_512] = "0",
	[VBD_UNITS_COUNT] = "count",
	[VBD_UNITS_NUMBER] = "number",
	[VBD_UNITS_ALL] = "all",
};

static struct vbd_device *self(struct device *dev)
{
	return (struct vbd_device *)dev;
}

static int size_read(struct device *dev)
{
	char *text = device_back_string(dev, "logical-sector-size");
	struct vbd_device *vbd = self(dev);
	int rc = 0;

	vbd->sector_size = BLK_SECTOR_SIZE;
	if (text && !strcmp(text, "4096"))
		vbd->sector_size = LARGE_SECTOR;
	else if (text && strcmp(text, "512") != 0)
		rc = device_fail(dev, -EINVAL, "logical-sector-size %.32s is not 512 or 4096",
				 text);
	free(text);
	return rc;
}

int vbd_units_read(struct device *dev)
{
	char *text = device_back_string(dev, "legacy-sector-units");
	struct vbd_device *vbd = self(dev);
	size_t n = 0, count = sizeof(words) / sizeof(words[0]);
	int rc = size_read(dev);

	while (text && n < count && strcmp(text, words[n]) != 0)
		n++;
	if (!rc && n == count)
		rc = device_fail(dev, -EINVAL,
				 "legacy-sector-units %.32s is not 0, count, number or all", text);
	vbd->units = rc ? VBD_UNITS_512 : (enum vbd_units)n;
	free(text);
	return rc;
}

/* What its size is a multiple of. */
static uint32_t grain(const struct vbd_device *vbd, const struct image *image)
{
	return image->alignment > vbd->sector_size ? image->alignment : vbd->sector_size;
}

int vbd_units_check(struct device *dev, const struct image *image, uint64_t size)
{
	uint32_t sector = grain(self(dev), image);

	if (size % sector)
		return device_fail(dev, -EINVAL,
				   "%" PRIu64 " bytes are no whole sectors of %" PRIu32
				   "; lengthen the image%s",
				   size, sector,
				   sector > image->alignment ? ", or leave sector-size out" : "");
	return 0;
}

int vbd_units_measure(const struct vbd_device *vbd, uint64_t *size)
{
	const struct image *image = &vbd->storage->image;
	int rc = image_measure(image, size);

	if (!rc)
		*size -= *size % grain(vbd, image);
	return rc;
}

uint32_t vbd_unit(const struct vbd_device *vbd)
{
	return vbd->units >= VBD_UNITS_COUNT ? vbd->sector_size : BLK_SECTOR_SIZE;
}

uint64_t vbd_sectors(const struct vbd_device *vbd)
{
	return vbd->storage->image.size / vbd_unit(vbd);
}

struct blk_geometry vbd_geometry(const struct vbd_device *vbd)
{
	uint8_t shift = vbd->sector_size == LARGE_SECTOR ? 3 : 0;
	bool can_erase = vbd->discard && vbd->storage->image.can_erase;

	return (struct blk_geometry){
		.size = vbd->storage->image.size,
		.read_only = vbd->read_only,
		.can_discard = vbd->discard && vbd->storage->image.can_discard,
		.number_shift = vbd->units >= VBD_UNITS_NUMBER ? shift : 0,
		.can_erase = can_erase,
		.erase_told = can_erase || vbd->erase_told,
		.segment_shift = vbd->units >= VBD_UNITS_ALL ? shift : 0,
	};
}
