#include "embedded/xenbus/server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "embedded/xenbus/mux.h"
#include "embedded/xenbus/ring.h"
#include "lib/log.h"

/* What a client may leave unsent by us, and unread by itself, before it is dropped. */
#define INPUT_MAX   (2 * (XENSTORE_PAYLOAD_MAX + sizeof(struct xsd_sockmsg)))
#define REPLIES_MAX (4u << 20)

struct connection {
	LIST_ENTRY(connection) next;
	struct server *server;
	struct bufferevent *socket;
	struct mux_client *client;
};

struct server {
	const struct guest *guest;
	struct evconnlistener *listener;
	struct event *event; /* of the event channel; NULL when the ring is of no more use */
	struct evbuffer *requests, *replies;
	struct mux *mux;
	LIST_HEAD(connections, connection) connections;
};

static void connection_close(struct connection *connection)
{
	LIST_REMOVE(connection, next);
	mux_client_remove(connection->server->mux, connection->client);
	bufferevent_free(connection->socket);
	free(connection);
}

static void connections_close(struct server *server)
{
	struct connection *connection, *after;

	for (connection = LIST_FIRST(&server->connections); connection; connection = after) {
		after = LIST_NEXT(connection, next);
		connection_close(connection);
	}
}

static void ring_broken(struct server *server, const char *what)
{
	log_error("xenbus: %s; XenStore cannot be reached any more", what);
	event_free(server->event);
	server->event = NULL;
	connections_close(server);
}

/* Everything that has room, onto the ring. Return: bytes moved or -EPROTO. */
static ssize_t requests_send(struct server *server)
{
	ssize_t moved = 0, n = 0;

	while (evbuffer_get_length(server->requests)) {
		size_t size = evbuffer_get_contiguous_space(server->requests);

		n = ring_write(server->guest->page,
			       evbuffer_pullup(server->requests, (ssize_t)size), size);
		if (n <= 0)
			break;
		evbuffer_drain(server->requests, (size_t)n);
		moved += n;
	}
	return n < 0 ? n : moved;
}

static ssize_t replies_receive(struct server *server)
{
	char bytes[XENSTORE_RING_SIZE];
	ssize_t n = ring_read(server->guest->page, bytes, sizeof(bytes));

	if (n > 0 && evbuffer_add(server->replies, bytes, (size_t)n))
		return -ENOMEM;
	return n;
}

/* Take what clients sent; one that breaks the protocol, or does not read, is dropped. */
static void requests_collect(struct server *server)
{
	struct connection *connection, *after;

	for (connection = LIST_FIRST(&server->connections); connection; connection = after) {
		int rc = mux_requests(server->mux, connection->client,
				      bufferevent_get_input(connection->socket));
		size_t unread = evbuffer_get_length(bufferevent_get_output(connection->socket));

		after = LIST_NEXT(connection, next);
		if (!rc && unread <= REPLIES_MAX)
			continue;
		log_warn("xenbus: a client %s: dropped",
			 rc ? "sent a request that is too long" : "does not read");
		connection_close(connection);
	}
}

/* Move bytes both ways until nothing moves. */
static void pump(struct server *server)
{
	bool told = false;
	ssize_t sent, received;

	do {
		received = server->event ? replies_receive(server) : 0;
		if (received < 0 || mux_replies(server->mux, server->replies)) {
			ring_broken(server, "XenStore's end of the ring makes no sense");
			return;
		}
		requests_collect(server);
		sent = server->event ? requests_send(server) : 0;
		if (sent < 0) {
			ring_broken(server, "XenStore's end of the ring makes no sense");
			return;
		}
		told = told || received || sent;
	} while (received || sent);
	if (told)
		(void)xenevtchn_notify(server->guest->evtchn, server->guest->port);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;
	int port = xenevtchn_pending(server->guest->evtchn);

	if (port < 0)
		return;
	(void)xenevtchn_unmask(server->guest->evtchn, (evtchn_port_t)port);
	pump(server);
}

static void on_readable(struct bufferevent *socket, void *arg)
{
	struct connection *connection = arg;

	pump(connection->server);
}

static void on_socket(struct bufferevent *socket, short what, void *arg)
{
	struct connection *connection = arg;
	struct server *server = connection->server;

	connection_close(connection);
	pump(server);
}

static void on_connect(struct evconnlistener *listener, evutil_socket_t fd,
		       struct sockaddr *address, int length, void *arg)
{
	struct server *server = arg;
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		goto no_memory;
	connection->server = server;
	connection->socket = bufferevent_socket_new(evconnlistener_get_base(listener), fd,
						    BEV_OPT_CLOSE_ON_FREE);
	if (!connection->socket)
		goto no_memory;
	connection->client =
		mux_client_add(server->mux, bufferevent_get_output(connection->socket));
	if (!connection->client) {
		bufferevent_free(connection->socket);
		free(connection);
		return;
	}
	LIST_INSERT_HEAD(&server->connections, connection, next);
	bufferevent_setcb(connection->socket, on_readable, NULL, on_socket, connection);
	bufferevent_setwatermark(connection->socket, EV_READ, 0, INPUT_MAX);
	bufferevent_enable(connection->socket, EV_READ | EV_WRITE);
	return;

no_memory:
	free(connection);
	close(fd);
}

int server_open(struct event_base *base, const struct guest *guest, const char *path,
		struct server **made)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct server *server = calloc(1, sizeof(*server));
	int rc = -ENOMEM;

	if (!server)
		return rc;
	server->guest = guest;
	server->requests = evbuffer_new();
	server->replies = evbuffer_new();
	if (!server->requests || !server->replies)
		goto out;
	server->mux = mux_create(server->requests);
	if (!server->mux)
		goto out;
	server->event = event_new(base, xenevtchn_fd(guest->evtchn), EV_READ | EV_PERSIST, on_event,
				  server);
	if (!server->event || event_add(server->event, NULL))
		goto out;
	rc = -ENAMETOOLONG;
	if (strlen(path) >= sizeof(address.sun_path))
		goto out;
	memcpy(address.sun_path, path, strlen(path));
	(void)unlink(path);
	server->listener = evconnlistener_new_bind(base, on_connect, server,
						   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
						   -1, (struct sockaddr *)&address,
						   sizeof(address));
	rc = server->listener ? 0 : -errno;
out:
	if (rc)
		server_close(server);
	else
		*made = server;
	return rc;
}

void server_close(struct server *server)
{
	if (!server)
		return;
	if (server->listener)
		evconnlistener_free(server->listener);
	connections_close(server);
	if (server->event)
		event_free(server->event);
	if (server->mux)
		mux_destroy(server->mux);
	if (server->requests)
		evbuffer_free(server->requests);
	if (server->replies)
		evbuffer_free(server->replies);
	free(server);
}
