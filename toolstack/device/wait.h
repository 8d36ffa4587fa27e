/*
 * wait.h - inside device/: until backends came to where they shall be, a bounded time.
 */
#pragma once

#include "toolstack/device/device.h"

enum device_progress { DEVICE_PENDING, DEVICE_DONE, DEVICE_FAILED };

/** How far a device is; DEVICE_FAILED with the fault set. @arg: as given to devices_wait. */
typedef enum device_progress (*device_check)(struct toolstack *ts, const struct device *device,
					     const void *arg, struct fault *fault);

/**
 * device_patience - how many seconds its backend may take: BACKEND_SECONDS, or BACKEND_FAR_SECONDS
 * where its storage is no path but a server, or a format that one is started for.
 */
int device_patience(struct toolstack *ts, const struct device *device);

/**
 * devices_wait - until @check has said DEVICE_DONE of each, for as long as device_patience() says.
 * @interruptible: give up when a signal came
 * @late:          set with -ETIMEDOUT: the first that is not there
 *
 * Return: 0, -ETIMEDOUT, -EINTR, -EIO (one failed), -ENOMEM, or what the store says.
 */
int devices_wait(struct toolstack *ts, const struct devices *devices, device_check check,
		 const void *arg, bool interruptible, const struct device **late,
		 struct fault *fault);
