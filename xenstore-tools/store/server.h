/*
 * server.h - the loop: moves bytes between clients and the store, hears of domains' ends.
 *
 * Each turn reads all there is from who is ready, serves the whole requests in it (within a
 * budget, so that nobody is kept waiting by somebody busy), and answers each client with one write.
 */
#pragma once

#include <event2/event.h>

#include "xenstore-tools/store/store.h"
#include "xenstore-tools/store/transport.h"

struct xen;

struct server {
	struct store store;
	struct event_base *base;
	struct event *listener; /* of the socket */
	struct event *port;     /* event channels; NULL on plain Linux */
	struct event *expiry;   /* of events that guests do not read */
	struct event *resume;   /* of guests that had to pause */
	struct event *signals[2];
	struct xen *xen; /* NULL on plain Linux */
	uint64_t turn;   /* of the loop */
	bool stopping;
	struct log_limit limit;
	struct scratch scratch;
};

/**
 * server_start - get ready to serve.
 * @server:    zeroed but for the store, which is initialised
 * @listening: a listening socket, owned by the caller
 * @xen:       an open hypervisor, or NULL
 *
 * Return: 0 or a negative errno; call server_stop() in any case.
 */
int server_start(struct server *server, int listening, struct xen *xen);

/** server_run - serve until SIGTERM or SIGINT. Return: 0 or a negative errno. */
int server_run(struct server *server);

/** server_stop - free what server_start() made, sockets of clients too; not the store. */
void server_stop(struct server *server);
