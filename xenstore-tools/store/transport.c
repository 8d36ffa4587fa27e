#include "xenstore-tools/store/transport.h"

#include <stdlib.h>
#include <string.h>

#include "xenstore-tools/store/ring.h"

size_t transport_rest(struct scratch *scratch, const struct connection *connection)
{
	size_t size = connection->rest_size;

	if (size)
		memcpy(scratch->bytes, connection->rest, size);
	return size;
}

static void keep(struct connection *connection, const char *bytes, size_t size)
{
	char *rest = NULL;

	if (size) {
		rest = malloc(size);
		if (!rest) {
			connection_break(connection, XENSTORE_ERROR_COMM);
			return;
		}
		memcpy(rest, bytes, size);
	}
	free(connection->rest);
	connection->rest = rest;
	connection->rest_size = size;
}

static bool is_whole(const char *bytes, size_t size)
{
	struct xsd_sockmsg header;

	if (size < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	return size - sizeof(header) >= header.len || header.len > XENSTORE_PAYLOAD_MAX;
}

bool transport_serve(struct scratch *scratch, struct connection *connection, size_t size,
		     unsigned *budget)
{
	size_t used = connection_consume(connection, scratch->bytes, size, budget);

	if (connection->state != CONNECTION_OPEN)
		return false;
	if (size - used || connection->rest_size)
		keep(connection, scratch->bytes + used, size - used);
	return is_whole(scratch->bytes + used, size - used) && connection_ready(connection);
}

/* Take what the guest asked; false when there is nothing more to do for now. */
static bool ring_take(struct scratch *scratch, struct connection *connection, unsigned *budget)
{
	size_t rest = transport_rest(scratch, connection);
	int got;

	/* One request at most is kept besides what is in the ring. */
	got = rest > CONNECTION_MESSAGE_MAX
		      ? 0
		      : ring_read(connection->ring, scratch->bytes + rest, CONNECTION_MESSAGE_MAX);
	if (got < 0) {
		connection_break(connection, XENSTORE_ERROR_RINGIDX);
		return false;
	}
	return transport_serve(scratch, connection, rest + got, budget) || got;
}

static void ring_put(struct connection *connection)
{
	struct iovec vector[TRANSPORT_VECTORS];
	int count, put;

	while ((count = output_vectors(&connection->output, vector, TRANSPORT_VECTORS))) {
		put = ring_write(connection->ring, vector, count);
		if (put < 0)
			connection_break(connection, XENSTORE_ERROR_RINGIDX);
		if (put <= 0)
			return;
		output_sent(&connection->output, put);
	}
}

bool transport_ring(struct scratch *scratch, struct connection *connection)
{
	unsigned budget = TRANSPORT_BUDGET;
	bool more = true;

	if (ring_wants_reset(connection->ring)) {
		connection_reset(connection);
		connection->state = CONNECTION_OPEN;
		ring_reset(connection->ring);
	}
	if (connection->state == CONNECTION_OPEN)
		ring_put(connection);
	while (more && budget && connection_ready(connection)) {
		more = ring_take(scratch, connection, &budget);
		if (connection->state == CONNECTION_OPEN)
			ring_put(connection);
	}
	ring_flush(connection->ring);
	return more && connection_ready(connection);
}
