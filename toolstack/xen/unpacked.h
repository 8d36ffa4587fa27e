/*
 * unpacked.h - compressed kernels that were unpacked before, kept for the next domain.
 *
 * Unpacking a distribution's kernel takes most of the time of making a small guest, and it is the
 * same kernel each time. A copy belongs to one file at one time: device, inode, size, modification
 * and change time; whoever writes the kernel changes at least the last. The copies are in
 * $XSPLIT_CACHEDIR, or /var/cache/xsplit, in a directory for root alone; a few at most.
 */
#pragma once

#include <limits.h>

#include "toolstack/xen/internal.h"

struct unpacked {
	char path[PATH_MAX]; /* of the copy, whether it is there or not; "": there can be none */
	char name[128];
	bool there;
	const void *packed; /* what the loader was given */
};

/** unpacked_find - is there a copy of this file as it is now? Counts as a use of it. */
void unpacked_find(struct unpacked *unpacked, const char *kernel);

/**
 * unpacked_keep - once @dom has parsed its kernel: keep what it unpacked, if it did and if @kernel
 * is still the file that unpacked_find() saw. That it cannot be kept is no error.
 */
void unpacked_keep(const struct unpacked *unpacked, const char *kernel,
		   const struct xc_dom_image *dom);
