#include "xenstore-tools/store/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/log.h"
#include "xenstore-tools/store/domain.h"
#include "xenstore-tools/store/socket.h"
#include "xenstore-tools/store/xen.h"

/** After how many ms an event that a guest does not read is dropped, as in C. */
#define EXPIRY_MS 20000u

static void on_client(evutil_socket_t fd, short what, void *arg)
{
	socket_accept((struct server *)arg, fd);
}

static void on_port(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = (struct server *)arg;
	struct domain *domain;
	uint32_t port;
	int rc = xen_pending(server->xen, &port);

	if (rc == -EAGAIN)
		return;
	if (rc) {
		log_error("event channels: %s; domains can no longer be served, restart the daemon",
			  strerror(-rc));
		event_del(server->port);
		return;
	}
	if (port == xen_virq_port(server->xen)) {
		domains_scan(&server->store);
		return;
	}
	domain = domain_by_port(&server->store, port);
	if (domain && domain->connection)
		connection_touch(domain->connection);
}

static void on_expiry(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = (struct server *)arg;
	struct connection *connection;
	uint64_t now = server->store.now;

	if (now < EXPIRY_MS)
		return;
	TAILQ_FOREACH (connection, &server->store.connections, all)
		if (!connection->actor.privileged)
			output_expire(&connection->output, now - EXPIRY_MS);
	/* Whoever waited for those events to be read may go on. */
	TAILQ_FOREACH (connection, &server->store.connections, all)
		if (connection->ring)
			connection_touch(connection);
}

/* Guests that had to pause, and perhaps others, may go on. */
static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = (struct server *)arg;
	struct connection *connection;

	TAILQ_FOREACH (connection, &server->store.connections, all)
		if (connection->ring)
			connection_touch(connection);
	/* Some may have to wait longer. */
	server->store.pausing = true;
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	((struct server *)arg)->stopping = true;
}

int server_start(struct server *server, int listening, struct xen *xen)
{
	static const struct timeval interval = {.tv_sec = 5};

	server->xen = xen;
	server->base = event_base_new();
	if (!server->base)
		return -ENOMEM;
	server->listener =
		event_new(server->base, listening, EV_READ | EV_PERSIST, on_client, server);
	server->signals[0] = evsignal_new(server->base, SIGTERM, on_signal, server);
	server->signals[1] = evsignal_new(server->base, SIGINT, on_signal, server);
	if (!server->listener || !server->signals[0] || !server->signals[1])
		return -ENOMEM;
	if (event_add(server->listener, NULL) || event_add(server->signals[0], NULL) ||
	    event_add(server->signals[1], NULL))
		return -ENOMEM;
	if (!xen)
		return 0;

	server->port = event_new(server->base, xen_fd(xen), EV_READ | EV_PERSIST, on_port, server);
	server->expiry = event_new(server->base, -1, EV_PERSIST, on_expiry, server);
	server->resume = event_new(server->base, -1, 0, on_resume, server);
	if (!server->port || !server->expiry || !server->resume)
		return -ENOMEM;
	if (event_add(server->port, NULL) || event_add(server->expiry, &interval))
		return -ENOMEM;
	return 0;
}

/*
 * Everybody who was touched, once. Serving one may touch others, and may end any but itself:
 * only the head of the list is held on to. Who comes up a second time waits until the others had
 * their turn and descriptors were looked at. True when somebody waits.
 */
static bool settle(struct server *server)
{
	struct store *store = &server->store;
	struct connection *connection;

	server->turn++;
	while ((connection = TAILQ_FIRST(&store->dirty)) && connection->turn != server->turn) {
		TAILQ_REMOVE(&store->dirty, connection, dirty);
		connection->is_dirty = false;
		connection->turn = server->turn;
		if (connection->ring ? transport_ring(&server->scratch, connection)
				     : socket_settle(server, connection))
			connection_touch(connection);
	}
	return connection != NULL;
}

static void tell_time(struct server *server)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	server->store.now = now.tv_sec * UINT64_C(1000) + now.tv_nsec / 1000000;
}

/* Wake up when the first of those that pause may go on. */
static void plan_resume(struct server *server)
{
	struct store *store = &server->store;
	struct timeval delay;
	uint64_t wait, first;

	if (!store->pausing || !server->resume)
		return;
	store->pausing = false;
	/* Whoever has just begun to pause must not put off those that did before. */
	first = connections_resume(store);
	if (!first)
		return;
	/* The coarse clock may be one tick late. */
	wait = 10 + first - store->now;
	delay = (struct timeval){.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000};
	event_add(server->resume, &delay);
}

int server_run(struct server *server)
{
	bool more;

	tell_time(server);
	more = settle(server);

	while (!server->stopping) {
		if (event_base_loop(server->base, EVLOOP_ONCE | (more ? EVLOOP_NONBLOCK : 0)) < 0)
			return -EIO;
		tell_time(server);
		more = settle(server);
		plan_resume(server);
	}
	return 0;
}

void server_stop(struct server *server)
{
	struct connection *connection, *next;
	struct event *events[] = {server->listener, server->port,       server->expiry,
				  server->resume,   server->signals[0], server->signals[1]};

	for (connection = TAILQ_FIRST(&server->store.connections); connection; connection = next) {
		next = TAILQ_NEXT(connection, all);
		if (connection->socket)
			socket_close(server, connection);
	}
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i])
			event_free(events[i]);
	if (server->base)
		event_base_free(server->base);
}
