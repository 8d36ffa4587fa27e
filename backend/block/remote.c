#include "backend/block/remote.h"

#include <errno.h>
#include <inttypes.h>
#include <libnbd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"

/* What a server takes that does not name a maximum (proto.md, "Block size constraints"). */
#define LENGTH_MAX (32u << 20)

/* Seconds that a server has to finish the handshake. */
#define HANDSHAKE_SECONDS 30

/* Seconds that a server has to answer what is under way when the disk is closed. */
#define PATIENCE_SECONDS 10

TAILQ_HEAD(commands, remote_command);

struct connection {
	struct remote *remote;
	unsigned number;
	struct nbd_handle *nbd; /* NULL: asked for */
	struct event *readable, *writable, *deadline;
	bool ready, leaving; /* the server has said that it shuts down */
	unsigned running;
	struct commands commands; /* under way, in the order they were sent */
};

struct remote {
	struct event_base *base;
	const char *name;
	char export[REMOTE_EXPORT_MAX + 1];
	uint64_t size, length_max;
	bool read_only, abandoned;
	void (*want)(void *arg, unsigned n);
	void *arg;
	struct event *turn; /* something has finished outside of an event */
	struct event *patience;
	struct commands waiting, finished;
	LIST_HEAD(users, remote_user) users;
	struct log_limit limit;
	unsigned connections;
	struct connection connection[REMOTE_CONNECTIONS_MAX];
};

static int negative(int error)
{
	if (error == ENOTSUP || error == ENOSYS)
		return -EOPNOTSUPP;
	return error > 0 ? -error : -EIO;
}

/* ---- commands ---- */

static void finish(struct remote *remote, struct remote_command *command, int rc)
{
	command->rc = rc;
	TAILQ_INSERT_TAIL(&remote->finished, command, entry);
}

/* A completion; libnbd forbids to call it from here. */
static int on_completion(void *arg, int *error)
{
	struct remote_command *command = arg;
	struct connection *connection = command->connection;

	/* The connection broke: connection_lost takes all that is left on it. */
	if (*error == ENOTCONN)
		return 1;
	if (*error == ESHUTDOWN) {
		connection->leaving = true;
		return 1;
	}
	TAILQ_REMOVE(&connection->commands, command, entry);
	connection->running--;
	finish(connection->remote, command, *error ? negative(*error) : 0);
	return 1;
}

/* What needs no server, or is of no use to ask this one. */
static bool answered_here(const struct connection *connection, const struct remote_command *command,
			  int *rc)
{
	*rc = 0;
	switch (command->op) {
	case ENGINE_FLUSH: /* a server without flush has nothing volatile to say */
		return nbd_can_flush(connection->nbd) != 1;
	case ENGINE_DISCARD:
		*rc = -EOPNOTSUPP;
		return nbd_can_trim(connection->nbd) != 1;
	default:
		return false;
	}
}

static int64_t send_command(struct connection *connection, struct remote_command *command)
{
	struct nbd_handle *nbd = connection->nbd;
	nbd_completion_callback completion = {.callback = on_completion, .user_data = command};

	switch (command->op) {
	case ENGINE_READ:
		return nbd_aio_pread(nbd, command->buffer, command->length, command->offset,
				     completion, 0);
	case ENGINE_WRITE:
		return nbd_aio_pwrite(nbd, command->buffer, command->length, command->offset,
				      completion, 0);
	case ENGINE_FLUSH:
		return nbd_aio_flush(nbd, completion, 0);
	default:
		return nbd_aio_trim(nbd, command->length, command->offset, completion, 0);
	}
}

static bool alive(const struct connection *connection)
{
	return connection->nbd && nbd_aio_is_dead(connection->nbd) == 0 &&
	       nbd_aio_is_closed(connection->nbd) == 0 && !connection->leaving;
}

/* The one with the least to do, or NULL. */
static struct connection *connection_pick(struct remote *remote)
{
	struct connection *best = NULL;

	for (unsigned n = 0; n < remote->connections; n++) {
		struct connection *connection = &remote->connection[n];

		if (connection->ready && alive(connection) &&
		    (!best || connection->running < best->running))
			best = connection;
	}
	return best;
}

static void directions_update(struct connection *connection)
{
	if (nbd_aio_get_direction(connection->nbd) & LIBNBD_AIO_DIRECTION_WRITE)
		event_add(connection->writable, NULL);
	else
		event_del(connection->writable);
}

static void dispatch(struct remote *remote)
{
	struct remote_command *command;
	struct connection *connection;
	int rc;

	while ((command = TAILQ_FIRST(&remote->waiting)) &&
	       (connection = connection_pick(remote))) {
		TAILQ_REMOVE(&remote->waiting, command, entry);
		if (answered_here(connection, command, &rc)) {
			finish(remote, command, rc);
			continue;
		}
		command->connection = connection;
		TAILQ_INSERT_TAIL(&connection->commands, command, entry);
		connection->running++;
		if (send_command(connection, command) < 0 && alive(connection)) {
			rc = negative(nbd_get_errno());
			TAILQ_REMOVE(&connection->commands, command, entry);
			connection->running--;
			finish(remote, command, rc);
		}
	}
	for (unsigned n = 0; n < remote->connections; n++) {
		connection = &remote->connection[n];
		if (alive(connection))
			directions_update(connection);
		else if (connection->nbd) /* found dead while sending: on_turn sees to it */
			event_active(remote->turn, EV_TIMEOUT, 0);
	}
}

/* ---- connections ---- */

static bool any_connection(const struct remote *remote)
{
	for (unsigned n = 0; n < remote->connections; n++)
		if (remote->connection[n].nbd)
			return true;
	return false;
}

static void connection_close(struct connection *connection)
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
static void connection_lost(struct connection *connection, const char *why)
{
	struct remote *remote = connection->remote;
	struct remote_command *command;

	if (!remote->abandoned)
		log_lost(connection, why);
	connection_close(connection); /* first: it writes to no buffer any more */
	while ((command = TAILQ_LAST(&connection->commands, commands))) {
		TAILQ_REMOVE(&connection->commands, command, entry);
		TAILQ_INSERT_HEAD(&remote->waiting, command, entry);
	}
	connection->running = 0;
	if (!remote->abandoned)
		remote->want(remote->arg, connection->number);
}

/* libnbd keeps the words of the last call alone, which may have been about another connection. */
static const char *last_error(void)
{
	const char *words = nbd_get_error();

	return words ? words : "it hung up";
}

/* Is it the export that the guest's disk is? Or else why not. */
static const char *unfit(struct connection *connection)
{
	const struct remote *remote = connection->remote;
	int64_t size = nbd_get_size(connection->nbd);

	if (size < 0 || (uint64_t)size < remote->size)
		return "the export is smaller than it was";
	if (!remote->read_only && nbd_is_read_only(connection->nbd) != 0)
		return "the export is read-only now";
	return NULL;
}

static void length_learn(struct connection *connection)
{
	int64_t max = nbd_get_block_size(connection->nbd, LIBNBD_SIZE_MAXIMUM);

	if (max >= 4096 && (uint64_t)max < connection->remote->length_max)
		connection->remote->length_max = (uint64_t)max / 4096 * 4096;
}

/* After libnbd has moved on. */
static void connection_check(struct connection *connection)
{
	const char *why = NULL;

	if (!connection->nbd)
		return;
	if (connection->leaving)
		why = "it shuts down";
	else if (!alive(connection))
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
		length_learn(connection);
		log_debug("%s: connection %u to its NBD server is ready", connection->remote->name,
			  connection->number);
	}
}

static void abandoned_fail(struct remote *remote)
{
	struct remote_command *command;

	if (!remote->abandoned || any_connection(remote))
		return;
	while ((command = TAILQ_FIRST(&remote->waiting))) {
		TAILQ_REMOVE(&remote->waiting, command, entry);
		finish(remote, command, -ENOTCONN);
	}
}

/* Finished commands to their users, until nothing moves any more. */
static void run(struct remote *remote)
{
	struct remote_command *command;
	struct remote_user *user;

	for (unsigned n = 0; n < remote->connections; n++)
		connection_check(&remote->connection[n]);
	abandoned_fail(remote);
	dispatch(remote);
	while ((command = TAILQ_FIRST(&remote->finished))) {
		TAILQ_REMOVE(&remote->finished, command, entry);
		command->user->touched = true;
		command->user->done(command);
	}
	dispatch(remote);
	LIST_FOREACH (user, &remote->users, entry) {
		if (!user->touched)
			continue;
		user->touched = false;
		user->batch(user);
	}
	if (!TAILQ_EMPTY(&remote->finished))
		event_active(remote->turn, EV_TIMEOUT, 0);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	run(arg);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct connection *connection = arg;

	if (what & EV_READ)
		nbd_aio_notify_read(connection->nbd);
	else if (nbd_aio_get_direction(connection->nbd) & LIBNBD_AIO_DIRECTION_WRITE)
		nbd_aio_notify_write(connection->nbd);
	run(connection->remote);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct connection *connection = arg;

	connection_lost(connection, "it does not finish the handshake");
	run(connection->remote);
}

static int events_make(struct connection *connection)
{
	static const struct timeval deadline = {.tv_sec = HANDSHAKE_SECONDS};
	struct event_base *base = connection->remote->base;
	int fd = nbd_aio_get_fd(connection->nbd);

	connection->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_socket, connection);
	connection->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_socket, connection);
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
		return -ENOMEM;
	}
	/* Our own checks are better informed, and pool memory has held the guest's data only. */
	nbd_set_strict_mode(connection->nbd, 0);
	nbd_set_pread_initialize(connection->nbd, false);
	nbd_set_export_name(connection->nbd, remote->export);
	if (nbd_aio_connect_socket(connection->nbd, fd)) { /* has closed it */
		connection_lost(connection, last_error());
		return 0;
	}
	if (events_make(connection)) {
		connection_close(connection);
		return -ENOMEM;
	}
	event_active(remote->turn, EV_TIMEOUT, 0);
	return 0;
}

/* ---- users ---- */

void remote_join(struct remote *remote, struct remote_user *user)
{
	LIST_INSERT_HEAD(&remote->users, user, entry);
}

void remote_leave(struct remote *remote, struct remote_user *user)
{
	LIST_REMOVE(user, entry);
}

unsigned remote_ready(const struct remote *remote)
{
	unsigned ready = 0;

	for (unsigned n = 0; n < remote->connections; n++)
		ready += remote->connection[n].ready;
	return ready;
}

uint64_t remote_length_max(const struct remote *remote)
{
	return remote->length_max;
}

void remote_queue(struct remote *remote, struct remote_command *command)
{
	TAILQ_INSERT_TAIL(&remote->waiting, command, entry);
}

void remote_submit(struct remote *remote)
{
	dispatch(remote);
	if (!TAILQ_EMPTY(&remote->finished) || remote->abandoned)
		event_active(remote->turn, EV_TIMEOUT, 0);
}

/* ---- life ---- */

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct remote *remote = arg;

	for (unsigned n = 0; n < remote->connections; n++)
		if (remote->connection[n].nbd)
			connection_lost(&remote->connection[n], "it does not answer");
	run(remote);
}

int remote_open(struct remote **result, const struct remote_options *options)
{
	struct remote *remote = calloc(1, sizeof(*remote));

	if (!remote)
		return -ENOMEM;
	remote->base = options->base;
	remote->name = options->name;
	remote->size = options->size;
	remote->length_max = options->length_max && options->length_max < LENGTH_MAX
				     ? options->length_max
				     : LENGTH_MAX;
	remote->read_only = options->read_only;
	remote->want = options->want;
	remote->arg = options->arg;
	strncpy(remote->export, options->export, REMOTE_EXPORT_MAX);
	TAILQ_INIT(&remote->waiting);
	TAILQ_INIT(&remote->finished);
	LIST_INIT(&remote->users);
	remote->turn = event_new(remote->base, -1, 0, on_turn, remote);
	remote->patience = evtimer_new(remote->base, on_patience, remote);
	if (!remote->turn || !remote->patience) {
		remote_close(remote);
		return -ENOMEM;
	}
	remote->connections = options->connections < REMOTE_CONNECTIONS_MAX
				      ? options->connections
				      : REMOTE_CONNECTIONS_MAX;
	for (unsigned n = 0; n < remote->connections; n++) {
		remote->connection[n].remote = remote;
		remote->connection[n].number = n;
		TAILQ_INIT(&remote->connection[n].commands);
		remote->want(remote->arg, n);
	}
	*result = remote;
	return 0;
}

void remote_abandon(struct remote *remote)
{
	static const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};

	remote->abandoned = true;
	event_add(remote->patience, &patience);
	/* One that has not finished its handshake will not be of use any more. */
	for (unsigned n = 0; n < remote->connections; n++)
		if (remote->connection[n].nbd && !remote->connection[n].ready)
			connection_close(&remote->connection[n]);
	event_active(remote->turn, EV_TIMEOUT, 0);
}

void remote_close(struct remote *remote)
{
	if (!remote)
		return;
	for (unsigned n = 0; n < remote->connections; n++)
		if (remote->connection[n].nbd)
			connection_close(&remote->connection[n]);
	if (remote->turn)
		event_free(remote->turn);
	if (remote->patience)
		event_free(remote->patience);
	free(remote);
}
