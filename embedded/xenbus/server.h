/*
 * server.h - a socket that is to a guest's processes what /dev/xen/xenbus is.
 */
#pragma once

#include <event2/event.h>

#include "embedded/xenbus/guest.h"

struct server;

/**
 * server_open - listen on @path for libxenstore, and carry what comes over the ring.
 * @guest: borrowed until server_close()
 * @made:  set on success
 *
 * Return: 0 or a negative errno.
 */
int server_open(struct event_base *base, const struct guest *guest, const char *path,
		struct server **made);

/** server_close - end all connections; NULL is allowed. */
void server_close(struct server *server);
