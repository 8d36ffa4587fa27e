/* The connections of an NBD client: made, watched, lost. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "backend/block/remote_internal.h"

/* Seconds that a server has to finish the handshake. */
#define HANDSHAKE_SECONDS 30

bool connection_alive(const struct connection *connection)
{
	return connection->nbd && nbd_aio_is_dead(connection->nbd) == 0 &&
	       nbd_aio_is_closed(connection->nbd) == 0 && !connection->leaving;
}

/* The one with the least to do, or NULL. */
struct connection *connection_pick(struct remote *remote)
{
	struct connection *best = NULL;

	for (unsigned n = 0; n < remote->connections; n++) {
		struct connection *connection = &remote->connection[n];

		if (connection->ready && connection_alive(connection) &&
		    (!best || connection->running < best->running))
			best = connection;
	}
	return best;
}

void connection_watch(struct connection *connection)
{
	if (nbd_aio_get_direction(connection->nbd) & LIBNBD_AIO_DIRECTION_WRITE)
		event_add(connection->writable, NULL);
	else
		event_del(connection->writable);
}

void connection_close(struct connection *connection)
{
	struct event **const events[] = {&connection->readable, &connection->writable,
					 &connection->deadline};

	for (size_t n = 0; n < sizeof(events) / sizeof(events[0]); n++) {
		if (*events[n])
			event_free(*events[n]);
		*events[n] = NULL;
	}
	nbd_close(connection->nbd);
	connection->nbd = NULL;
	if (connection->fd >= 0)
		close(connection->fd);
	connection->fd = -1;
	connection->ready = connection->leaving = false;
}

static void log_lost(struct connection *connection, const char *why)
{
	struct remote *remote = connection->remote;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (log_allowed(&remote->limit,
			(uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000))
		log_warn("%s: connection %u to its NBD server is lost (%s), %u requests wait for "
			 "another",
			 remote->name, connection->number, why, connection->running);
}

/* Its commands go first, as they were first. */
void connection_lost(struct connection *connection, const char *why)
{
	struct remote *remote = connection->remote;
	struct remote_command *command;
	char words[128];

	snprintf(words, sizeof(words), "%s", why); /* libnbd's own ends with the handle */
	if (!remote->abandoned)
		log_lost(connection, words);
	connection_close(connection); /* first: it writes to no buffer any more */
	while ((command = TAILQ_LAST(&connection->commands, commands))) {
		TAILQ_REMOVE(&connection->commands, command, entry);
		if (recovery_lost(remote, command))
			TAILQ_INSERT_HEAD(&remote->waiting, command, entry);
	}
	recovery_begin(remote);
	connection->running = 0;
	if (!remote->abandoned)
		remote->want(remote->arg, connection->number, words);
}

/* libnbd keeps the words of the last call alone, which may have been about another connection. */
static const char *last_error(void)
{
	const char *words = nbd_get_error();

	return words ? words : "it hung up";
}

/* Pieces of a request are cut at this. */
static int64_t piece(const struct remote *remote)
{
	return remote->alignment > 4096 ? remote->alignment : 4096;
}

/* Is it the export that the guest's disk is? Or else why not. */
static const char *unfit(const struct connection *connection)
{
	const struct remote *remote = connection->remote;
	int64_t size = nbd_get_size(connection->nbd);
	int64_t min = nbd_get_block_size(connection->nbd, LIBNBD_SIZE_MINIMUM);
	int64_t max = nbd_get_block_size(connection->nbd, LIBNBD_SIZE_MAXIMUM);

	if (size < 0 || (uint64_t)size < remote->size)
		return "the export is smaller than it was";
	if (!remote->read_only && nbd_is_read_only(connection->nbd) != 0)
		return "the export is read-only now";
	if (min > 0 && remote->alignment % min)
		return "the export's blocks are larger than they were";
	if (max > 0 && max < piece(remote))
		return "the export's largest request is smaller than a page or block now";
	if (remote->connections > 1 && nbd_can_multi_conn(connection->nbd) != 1)
		return "the server's connections do not agree any more (multi-conn)";
	return NULL;
}

static void properties_learn(struct connection *connection)
{
	int64_t max = nbd_get_block_size(connection->nbd, LIBNBD_SIZE_MAXIMUM);
	struct remote *remote = connection->remote;

	if (max > 0 && (uint64_t)max < remote->length_max)
		remote->length_max = (uint64_t)(max / piece(remote) * piece(remote));
	connection->forgets = nbd_can_flush(connection->nbd) == 1;
}

/* After libnbd has moved on. */
void connection_check(struct connection *connection)
{
	const char *why = NULL;

	if (!connection->nbd)
		return;
	if (connection->leaving)
		why = "it shuts down";
	else if (!connection_alive(connection))
		why = last_error();
	else if (!connection->ready && nbd_aio_is_ready(connection->nbd) == 1)
		why = unfit(connection);
	if (why) {
		connection_lost(connection, why);
		return;
	}
	if (!connection->ready && nbd_aio_is_ready(connection->nbd) == 1) {
		connection->ready = true;
		event_del(connection->deadline);
		properties_learn(connection);
		log_debug("%s: connection %u to its NBD server is ready", connection->remote->name,
			  connection->number);
	}
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct connection *connection = arg;

	if (!connection_alive(connection))
		; /* found dead while sending: run sees to it */
	else if (what & EV_READ)
		nbd_aio_notify_read(connection->nbd);
	else if (nbd_aio_get_direction(connection->nbd) & LIBNBD_AIO_DIRECTION_WRITE)
		nbd_aio_notify_write(connection->nbd);
	remote_run(connection->remote);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct connection *connection = arg;

	connection_lost(connection, "it does not finish the handshake");
	remote_run(connection->remote);
}

static int events_make(struct connection *connection)
{
	static const struct timeval deadline = {.tv_sec = HANDSHAKE_SECONDS};
	struct event_base *base = connection->remote->base;
	connection->readable =
		event_new(base, connection->fd, EV_READ | EV_PERSIST, on_socket, connection);
	connection->writable =
		event_new(base, connection->fd, EV_WRITE | EV_PERSIST, on_socket, connection);
	connection->deadline = evtimer_new(base, on_deadline, connection);
	if (!connection->readable || !connection->writable || !connection->deadline ||
	    event_add(connection->readable, NULL) || event_add(connection->deadline, &deadline))
		return -ENOMEM;
	return 0;
}

int remote_connected(struct remote *remote, unsigned n, int fd)
{
	struct connection *connection;

	if (n >= remote->connections || remote->connection[n].nbd || remote->abandoned) {
		close(fd);
		return -EINVAL;
	}
	connection = &remote->connection[n];
	connection->nbd = nbd_create();
	if (!connection->nbd) {
		close(fd);
		connection_lost(connection, "out of memory");
		return 0;
	}
	/* Our own checks are better informed, and pool memory has held the guest's data only. */
	nbd_set_strict_mode(connection->nbd, 0);
	nbd_set_pread_initialize(connection->nbd, false);
	nbd_set_export_name(connection->nbd, remote->export);
	connection->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (nbd_aio_connect_socket(connection->nbd, fd)) { /* has closed it */
		connection_lost(connection, last_error());
		return 0;
	}
	if (connection->fd < 0 || events_make(connection)) {
		connection_lost(connection, "out of memory");
		return 0;
	}
	event_active(remote->turn, EV_TIMEOUT, 0);
	return 0;
}
