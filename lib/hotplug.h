/*
 * hotplug.h - the script node of a backend's device: who prepares it, and what undoes that.
 *
 * Our devices need no script, but libxl, to detach a device or destroy its domain, runs the one
 * that is named there and fails when none is (libxl__hotplug_disk of Xen 4.17). So ours name one
 * that does nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define HOTPLUG_NONE "/bin/true"

/** hotplug_is_script - is it one to wait for and to run? @script: the node, or NULL without one. */
static inline bool hotplug_is_script(const char *script)
{
	return script && strcmp(script, HOTPLUG_NONE) != 0;
}
