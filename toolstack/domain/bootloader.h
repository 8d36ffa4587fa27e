/*
 * bootloader.h - a program on this host finds a guest's kernel in the guest's own disk: pygrub.
 *
 * It is called as libxl calls it (libxl_bootloader.c). What it reads is the guest's, so pygrub runs
 * as a user of its own in an empty root unless somebody is to choose from its menu.
 */
#pragma once

#include <limits.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/toolstack.h"

/** What it found; the files are in a directory of their own. */
struct bootloader {
	char dir[PATH_MAX]; /* "": none was run */
	char *kernel, *ramdisk, *cmdline;
};

/** bootloader_plan - is it there, and has the guest a disk for it? */
int bootloader_plan(struct domain_config *config, struct fault *fault);

/**
 * bootloader_run - run it on the first disk.
 * @menu:   at the user's terminal
 * @loader: filled on success, to be ended with bootloader_free()
 * Return: 0; -ENOEXEC (it failed: the fault has its last words), -EINTR, ...
 */
int bootloader_run(struct toolstack *ts, const struct domain_config *config, bool menu,
		   struct bootloader *loader, struct fault *fault);

/** bootloader_free - remove what it found. */
void bootloader_free(struct bootloader *loader);
