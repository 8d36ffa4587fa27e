/*
 * error.h - where a user finds out why a device is not served.
 *
 * As Linux's xenbus drivers have it: the node error/BACKEND-DIRECTORY/error in our own domain's
 * directory; and for the toolstack that waits for hotplug, hotplug-error and hotplug-status=error
 * in the device's directory.
 */
#pragma once

#include <stdbool.h>
#include <xenstore.h>

/**
 * error_write - @text to the device's error node; nothing when its directory is gone.
 * @back:    the device's directory, relative to our domain's
 * @hotplug: to the toolstack too
 */
void error_write(struct xs_handle *xs, const char *back, const char *text, bool hotplug);

/** error_clear - remove the device's error node and the folders above it that are empty then. */
void error_clear(struct xs_handle *xs, const char *back);
