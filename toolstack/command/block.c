#include "toolstack/command/block.h"

#include "toolstack/config/vdev.h"

static bool is_disk(enum device_type type)
{
	return type == DEVICE_VBD || type == DEVICE_QDISK;
}

static bool means(const char *word, const struct device_info *info)
{
	uint32_t number;

	return !vdev_number(word, &number) && number == info->device.id;
}

const struct device_class block_class = {"disk", is_disk, info_disk_header, info_disk_row, means};
