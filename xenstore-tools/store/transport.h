/*
 * transport.h - how the bytes of a connection travel: a socket or a ring.
 */
#pragma once

#include "xenstore-tools/store/connection.h"
#include "xenstore-tools/store/server.h"

/** Requests of one client that are served before others get their turn. */
#define TRANSPORT_BUDGET 64u

/** The pieces of one write. */
#define TRANSPORT_VECTORS 64

/** socket_listen - @path as a listening socket, mode 0600; a dead one in the way is replaced.
 * Return: the descriptor, -EADDRINUSE (somebody answers there), -ENAMETOOLONG, or another negative
 * errno. */
int socket_listen(const char *path);

/** socket_accept - take on the clients that wait at @listening. */
void socket_accept(struct server *server, int listening);

/**
 * socket_settle - serve what is left over from before, send what waits. Frees the connection when
 * it is broken.
 * Return: true when requests are left over that could be served now.
 */
bool socket_settle(struct server *server, struct connection *connection);

/** socket_close - end a client; frees the connection. */
void socket_close(struct server *server, struct connection *connection);

/** ring_settle - take requests from the ring, serve them, put answers. Return: as socket_settle().
 */
bool ring_settle(struct server *server, struct connection *connection);

/**
 * transport_serve - serve the requests in scratch.
 * @size:   bytes there, beginning with what was kept in connection->rest
 * @budget: reduced
 * What is left is kept in connection->rest. Return: true when more could be served at once.
 */
bool transport_serve(struct server *server, struct connection *connection, size_t size,
		     unsigned *budget);

/** transport_rest - move what was kept to the start of scratch. Return: its size. */
size_t transport_rest(struct server *server, struct connection *connection);
