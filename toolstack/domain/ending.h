/*
 * ending.h - asking a guest to end, and waiting until it did.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "toolstack/toolstack.h"

/** ending_ask - write "poweroff" or "reboot" to the guest's control/shutdown. */
int ending_ask(struct toolstack *ts, uint16_t domid, const char *how, struct fault *fault);

/**
 * ending_deaf - is it a guest that does not read requests: an hvm one without PV drivers?
 */
bool ending_deaf(struct toolstack *ts, uint16_t domid);

/**
 * ending_wait - until a guest is shut down and, unless its config preserves it, gone.
 * @seconds: at most
 * @told:    where what xl says is said, or NULL
 * Return: 0, or -ETIMEDOUT with the fault set.
 */
int ending_wait(struct toolstack *ts, uint16_t domid, unsigned seconds, FILE *told,
		struct fault *fault);
