/*
 * listen.h - a daemon's own sockets, in its run directory, for root alone.
 */
#pragma once

#include <event2/event.h>
#include <event2/listener.h>

/**
 * listen_at - bind $XSPLIT_RUNDIR/@name, in place of one that a process before us left, and listen.
 * @accepted: may be NULL, for evhttp_bind_listener
 *
 * Return: 0 or a negative errno after a line in the log.
 */
int listen_at(struct evconnlistener **listener, struct event_base *base, const char *name,
	      evconnlistener_cb accepted, void *arg);

/** listen_remove - remove the socket from the directory. */
void listen_remove(const char *name);
