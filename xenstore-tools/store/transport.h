/*
 * transport.h - from bytes to requests, and the ring as a way for bytes to travel. No I/O.
 */
#pragma once

#include "xenstore-tools/store/connection.h"

/** Requests of one client that are served before others get their turn. */
#define TRANSPORT_BUDGET 64u

/** The pieces of one write. */
#define TRANSPORT_VECTORS 64

/** What was read last. Shared by all: nothing stays here between two clients. */
struct scratch {
	char bytes[64 * 1024];
};

/** transport_rest - move what was kept of a client to the start of @scratch. Return: its size. */
size_t transport_rest(struct scratch *scratch, const struct connection *connection);

/**
 * transport_serve - serve the requests in @scratch; what is left is kept in connection->rest.
 * @size:   bytes there, beginning with what transport_rest() put there
 * @budget: how many requests at most; reduced
 *
 * Return: true when more could be served at once. The connection may be broken afterwards.
 */
bool transport_serve(struct scratch *scratch, struct connection *connection, size_t size,
		     unsigned *budget);

/**
 * transport_ring - take requests from the connection's ring, serve them, put answers and events.
 * Return: as transport_serve().
 */
bool transport_ring(struct scratch *scratch, struct connection *connection);
