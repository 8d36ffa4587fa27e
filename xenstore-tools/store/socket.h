/*
 * socket.h - clients of dom0 on a Unix socket.
 */
#pragma once

#include "xenstore-tools/store/server.h"

/**
 * socket_listen - @path as a listening socket, mode 0600; a dead one in the way is replaced.
 * Return: the descriptor, -EADDRINUSE (somebody answers there), -ENOTSOCK (something else is there,
 * and stays), -ENAMETOOLONG, or what
 * socket(2), bind(2), listen(2) say.
 */
int socket_listen(const char *path);

/** socket_accept - take on the clients that wait at @listening. */
void socket_accept(struct server *server, int listening);

/**
 * socket_settle - serve what is left over from before, send what waits. Frees the connection when
 * it is broken or its client has gone.
 *
 * Return: true when requests are left over that could be served now.
 */
bool socket_settle(struct server *server, struct connection *connection);

/** socket_close - end a client; frees the connection. */
void socket_close(struct server *server, struct connection *connection);
