/*
 * settings.h - what the toolstack wants different of a disk that is there.
 *
 * The nodes that say how it shall be, and settings-request = a number, go into the backend's
 * directory in one transaction; the backend answers with settings-reply = "NUMBER ok" or
 * "NUMBER error: words", and then the nodes say again what is.
 */
#pragma once

#include "toolstack/device/device.h"

/**
 * device_settings - change a device and wait for its backend's answer.
 * @nodes:  up to one without a name; one without a value is removed
 * @fault:  says which device, and the backend's words
 *
 * Return: 0; -EIO (the backend could not do it: all is as it was), -ETIMEDOUT (it has not answered
 * yet, and may still do it), -EOPNOTSUPP (not a backend that does this), -EINTR, or what the store
 * says.
 */
int device_settings(struct toolstack *ts, const struct device *device,
		    const struct device_node *nodes, struct fault *fault);
