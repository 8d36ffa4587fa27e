/*
 * exchange.h - another image behind a disk of a running guest.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/device/device.h"

/**
 * exchange_image - put another image behind a disk and wait until the guest's requests go there.
 * @target: a path or what else a disk's target may be, "" to leave a CD-ROM drive empty
 * @format: "raw", ...: as a disk's format
 * @cdrom:  it has to be a CD-ROM drive
 *
 * The guest has it again after a restart.
 * Return: 0; -EINVAL, -EBUSY, ... (the target is not good: nothing has changed); or as
 * device_settings().
 */
int exchange_image(struct toolstack *ts, const struct device *device, const char *target,
		   const char *format, bool cdrom, struct fault *fault);
