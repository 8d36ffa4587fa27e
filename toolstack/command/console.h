/*
 * console.h - a guest's console in front of the user, through Xen's own client.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "toolstack/fault.h"

/** console_become - this program becomes the client. Return: only on failure, a negative errno. */
int console_become(uint16_t domid, struct fault *fault);

/**
 * console_start - start the client and wait until it is attached.
 * @pid: set on success; the client ends with the domain
 */
int console_start(uint16_t domid, pid_t *pid, struct fault *fault);
