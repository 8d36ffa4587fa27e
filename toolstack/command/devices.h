/*
 * devices.h - what block-list and network-list, block-detach and network-detach have in common.
 */
#pragma once

#include "toolstack/command/command.h"
#include "toolstack/device/info.h"

/** One kind of devices. */
struct device_class {
	const char *word; /* "disk", "vif" */
	bool (*is)(enum device_type type);
	void (*header)(FILE *out);
	void (*row)(FILE *out, const struct device_info *info);
	/** Does a word of the command line mean this device? */
	bool (*means)(const char *word, const struct device_info *info);
};

/**
 * devices_find - the device of a guest that a word means.
 * Return: 0, or -ENOENT with the fault set.
 */
int devices_find(struct toolstack *ts, const struct device_class *class, uint16_t domid,
		 const char *word, struct device *found, struct fault *fault);

/** devices_list_run - list the devices of the guests that the words name. */
int devices_list_run(const struct command *self, const struct device_class *class, int argc,
		     char **argv);

/** devices_detach_run - take the one device that the second word names. */
int devices_detach_run(const struct command *self, const struct device_class *class, int argc,
		       char **argv);
