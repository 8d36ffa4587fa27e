/*
 * console.h - a guest's console at the user's terminal, with Xen's own client.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/toolstack.h"

/**
 * console_follow - attach to a new guest's console, let the guest run and stay until the console
 * ends.
 * @paused: let the guest stand still
 * Return: 0, or why there is no console; the guest runs all the same.
 */
int console_follow(struct toolstack *ts, uint16_t domid, bool paused, struct fault *fault);
