/*
 * viewer.h - the program that shows a guest's screen.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/toolstack.h"

/**
 * viewer_start - start vncviewer(1) on the VNC server of a guest.
 * @password: hand it the server's password, if that has one: on its standard input, with -autopass
 * @status:   wait for its end and set it to its exit status; NULL: leave it running
 *
 * Return: 0, -ENXIO (no such server), -ENOENT (no viewer on this host), or a negative errno.
 */
int viewer_start(struct toolstack *ts, uint16_t domid, bool password, int *status,
		 struct fault *fault);

/** viewer_offer - the same for a guest that was just made: that it is not seen is only a warning.
 */
void viewer_offer(struct toolstack *ts, uint16_t domid, bool password);
