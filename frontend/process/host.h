/*
 * host.h - platform.h for an ordinary process inside a guest.
 *
 * Pages come from libxengnttab's gntshr half, event channels from libxenevtchn, the store from
 * libxenstore, and libevent's loop runs the handlers. It works wherever these libraries do.
 *
 * The loop's thread is the only one that uses the store. Other threads may submit requests and
 * notify while they hold the lock; every handler of the core runs with it held.
 */
#pragma once

#include <event2/event.h>
#include <pthread.h>
#include <sys/queue.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "frontend/core/platform.h"
#include "lib/log.h"

struct host_event;
struct host_watch;

struct host {
	struct platform platform; /* first: the operations get it */
	struct event_base *base;
	pthread_mutex_t lock;
	xengntshr_handle *gntshr;
	xenevtchn_handle *evtchn;
	struct xs_handle *xs;
	struct event *evtchn_ready, *xs_ready, *limbo_timer;
	unsigned watches_made;
	/* Optional: called by the loop's thread after handlers ran, when the lock is free again. */
	void (*released)(void *arg);
	void *released_arg;
	struct log_limit log_limit;
	LIST_HEAD(, host_event) events;
	LIST_HEAD(, host_watch) watches;
};

/**
 * host_open - open all three and put them into the loop.
 * @host: zeroed but for .released and .released_arg
 * @base: must live longer than the host
 *
 * Return: 0, or a negative errno after a message that says what is missing.
 */
int host_open(struct host *host, struct event_base *base);

/** host_close - close all; the devices are gone before. Pages still in limbo are the kernel's. */
void host_close(struct host *host);
