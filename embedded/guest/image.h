/*
 * image.h - inside of libxenguest: how the calls of xenguest.h build a process guest.
 *
 * xc_dom_kernel_file    kernel_blob is the program's path
 * xc_dom_parse_image    private_loader is its struct image_program
 * xc_dom_boot_mem_init  the frames of store and console
 * xc_dom_boot_image     all of it to the host daemon, which starts it at the first unpause
 */
#pragma once

#include "embedded/ctrl/interface.h"

#include <xenguest.h>

/* In the frames that the host daemon keeps free for builders (SHARED_FRAMES_RESERVED). */
#define IMAGE_FRAME_START_INFO 1
#define IMAGE_FRAME_STORE      2
#define IMAGE_FRAME_CONSOLE    3

/** What the host daemon is told to run. */
struct image_program {
	size_t count;
	size_t length;
	char text[WIRE_PROGRAM_MAX]; /* its path, then the arguments, each with its NUL */
};

/** image_fail - report an error and set errno from a negative one. Return: -1. */
int image_fail(struct xc_dom_image *dom, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
