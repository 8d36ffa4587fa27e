/*
 * script.h - hotplug scripts, run as libxl runs them, for devices that have one.
 *
 * Only where the user asked for a script; our backends do without. A script finds its device by
 * $XENBUS_PATH, prepares it, and writes hotplug-status; it is called "add" and "remove" for a
 * disk, "online" and "offline" for a vif.
 */
#pragma once

#include "toolstack/device/device.h"

/** Where a script is that has no slash in its name. */
#define SCRIPT_DIR "/etc/xen/scripts"

/** Of the domain that runs scripts: while it is there, udev's rules run none. */
#define UDEV_DISABLED "libxl/disable_udev"

/** script_path - the absolute path of a script as the user wrote it: for free(3), or NULL. */
char *script_path(const char *script);

/**
 * scripts_add - after the backends are at InitWait, prepare the devices one after the other.
 *
 * Before the first script libxl/disable_udev is written, for which Xen's udev rules leave devices
 * alone. It stays: whoever else relies on it by then is not known.
 *
 * Return: 0; -EIO (a script failed: the fault has its hotplug-error), -ETIMEDOUT, -EINTR, or what
 * the store says.
 */
int scripts_add(struct toolstack *ts, const struct devices *devices, struct fault *fault);

/** scripts_remove - after the backends closed, undo it for those that were prepared. */
void scripts_remove(struct toolstack *ts, const struct devices *devices);
