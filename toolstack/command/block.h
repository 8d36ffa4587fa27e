/* block.h - disks as a class of devices. */
#pragma once

#include "toolstack/command/devices.h"

extern const struct device_class block_class;

/** What a command does to one disk; @arg: its own. */
typedef int (*block_action)(struct toolstack *ts, const struct device *device, const void *arg,
			    struct fault *fault);

/**
 * block_on_disk - do something to the disk that two words mean: DOMAIN VDEV|DEVID.
 * @json: tell a failure as JSON; the action tells success
 * Return: an exit status.
 */
int block_on_disk(char **words, block_action action, const void *arg, bool json);
