#include "toolstack/command/block.h"

#include "toolstack/config/vdev.h"
#include "toolstack/domain/name.h"

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

int block_on_disk(char **words, block_action action, const void *arg, bool json)
{
	struct toolstack ts;
	struct fault fault = {0};
	struct device device;
	uint16_t domid;
	int rc = toolstack_open(&ts, &fault);

	if (!rc) {
		rc = name_find(&ts, words[0], &domid, &fault);
		if (!rc)
			rc = devices_find(&ts, &block_class, domid, words[1], &device, &fault);
		if (!rc)
			rc = command_hold(&ts, &fault);
		if (!rc) {
			rc = action(&ts, &device, arg, &fault);
			interrupt_release(&ts.interrupt);
		}
		toolstack_close(&ts);
	}
	return rc ? command_failed(&fault, json) : EXIT_DONE;
}
