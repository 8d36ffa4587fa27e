/*
 * calls.h - requests about domains (wire.h), for libxenctrl and for who must do without it.
 */
#pragma once

#include "embedded/client.h"
#include "embedded/wire.h"

/**
 * calls_info - tell of up to @max domains from number @first on, by rising number.
 * Return: how many, or a negative errno.
 */
int calls_info(struct client *client, uint32_t first, uint32_t max, struct wire_info *info);

/**
 * calls_destroy - end a domain; waits until its processes are gone.
 * Return: 0, -EPERM, -ESRCH, -EINVAL (domain 0), or what client_call() says.
 */
int calls_destroy(struct client *client, uint32_t domid);
