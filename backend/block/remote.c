#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/block/remote_internal.h"

/* What a server takes that does not name a maximum (proto.md, "Block size constraints"). */
#define LENGTH_MAX (32u << 20)

/* Seconds that a server has to answer what is under way when the disk is closed. */
#define PATIENCE_SECONDS 10

static int negative(int error)
{
	if (error == ENOTSUP || error == ENOSYS)
		return -EOPNOTSUPP;
	return error > 0 ? -error : -EIO;
}

/* ---- commands ---- */

void remote_finish(struct remote *remote, struct remote_command *command, int rc)
{
	command->rc = rc;
	TAILQ_INSERT_TAIL(&remote->finished, command, entry);
}

/* One that a server, or we in its stead, has answered. */
static void answered(struct remote *remote, struct remote_command *command, int rc)
{
	command->rc = rc;
	if (!recovery_is(remote, command))
		recovery_note(remote, command);
	remote_finish(remote, command, command->rc);
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
	answered(connection->remote, command, *error ? negative(*error) : 0);
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

void remote_send(struct connection *connection, struct remote_command *command)
{
	struct remote *remote = connection->remote;
	int rc;

	if (answered_here(connection, command, &rc)) {
		answered(remote, command, rc);
		return;
	}
	command->connection = connection;
	TAILQ_INSERT_TAIL(&connection->commands, command, entry);
	connection->running++;
	if (send_command(connection, command) >= 0 || !connection_alive(connection))
		return;
	rc = negative(nbd_get_errno());
	TAILQ_REMOVE(&connection->commands, command, entry);
	connection->running--;
	answered(remote, command, rc);
}

/* A server may have come back that takes less at a time. Their owner goes on where they end. */
static void cut(const struct remote *remote, struct remote_command *command)
{
	bool moves = command->op == ENGINE_READ || command->op == ENGINE_WRITE;

	if (moves && command->length > remote->length_max)
		command->length = remote->length_max;
}

static void dispatch(struct remote *remote)
{
	struct remote_command *command;
	struct connection *connection;

	while (!recovery_step(remote) && (command = TAILQ_FIRST(&remote->waiting)) &&
	       (connection = connection_pick(remote))) {
		cut(remote, command);
		if (recovery_admit(remote, command)) {
			TAILQ_REMOVE(&remote->waiting, command, entry);
			remote_send(connection, command);
		} else if (command == TAILQ_FIRST(&remote->waiting)) {
			break; /* until a flush has made room */
		}
	}
	for (unsigned n = 0; n < remote->connections; n++) {
		connection = &remote->connection[n];
		if (connection_alive(connection))
			connection_watch(connection);
		else if (connection->nbd) /* found dead while sending: on_turn sees to it */
			event_active(remote->turn, EV_TIMEOUT, 0);
	}
}

static bool any_connection(const struct remote *remote)
{
	for (unsigned n = 0; n < remote->connections; n++)
		if (remote->connection[n].nbd)
			return true;
	return false;
}

static void abandoned_fail(struct remote *remote)
{
	struct remote_command *command;

	if (!remote->abandoned || any_connection(remote))
		return;
	while ((command = TAILQ_FIRST(&remote->waiting))) {
		TAILQ_REMOVE(&remote->waiting, command, entry);
		remote_finish(remote, command, -ENOTCONN);
	}
}

static void hand_back(struct remote *remote, struct remote_command *command)
{
	if (recovery_is(remote, command)) {
		recovery_done(remote, command);
		return;
	}
	command->user->touched = true;
	command->user->done(command);
}

void remote_run(struct remote *remote)
{
	struct remote_command *command;
	struct remote_user *user;

	for (unsigned n = 0; n < remote->connections; n++)
		connection_check(&remote->connection[n]);
	abandoned_fail(remote);
	dispatch(remote);
	while ((command = TAILQ_FIRST(&remote->finished))) {
		TAILQ_REMOVE(&remote->finished, command, entry);
		hand_back(remote, command);
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
	remote_run(arg);
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
	remote_run(remote);
}

int remote_open(struct remote **result, const struct remote_options *options)
{
	struct remote *remote = calloc(1, sizeof(*remote));

	if (!remote)
		return -ENOMEM;
	remote->base = options->base;
	remote->name = options->name;
	remote->size = options->size;
	remote->alignment = options->alignment;
	remote->read_only = options->read_only;
	remote->length_max = remote->read_only ? LENGTH_MAX : UNFLUSHED_WRITE_MAX;
	if (options->length_max && options->length_max < remote->length_max)
		remote->length_max = options->length_max;
	remote->want = options->want;
	remote->arg = options->arg;
	strncpy(remote->export, options->export, REMOTE_EXPORT_MAX);
	TAILQ_INIT(&remote->waiting);
	TAILQ_INIT(&remote->finished);
	LIST_INIT(&remote->users);
	remote->turn = event_new(remote->base, -1, 0, on_turn, remote);
	remote->patience = evtimer_new(remote->base, on_patience, remote);
	if (!remote->turn || !remote->patience ||
	    (!remote->read_only && unflushed_open(&remote->unflushed))) {
		remote_close(remote);
		return -ENOMEM;
	}
	recovery_open(remote);
	remote->connections = options->connections < REMOTE_CONNECTIONS_MAX
				      ? options->connections
				      : REMOTE_CONNECTIONS_MAX;
	for (unsigned n = 0; n < remote->connections; n++) {
		remote->connection[n].remote = remote;
		remote->connection[n].number = n;
		remote->connection[n].fd = -1;
		TAILQ_INIT(&remote->connection[n].commands);
		remote->want(remote->arg, n, "");
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
	unflushed_close(&remote->unflushed);
	free(remote);
}
