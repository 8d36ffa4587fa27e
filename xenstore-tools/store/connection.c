#include "xenstore-tools/store/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore-tools/store/domain.h"
#include "xenstore-tools/store/request.h"
#include "xenstore-tools/store/ring.h"

/* Answers that a socket may leave unread before its further requests wait, in bytes. */
#define SOCKET_OUTPUT_MAX (64u << 20)

/* Changes of the live tree after which a guest's transaction has to start again. */
#define TRANSACTION_CHANGES 16384u

/* How long a guest pauses that disturbed a transaction of dom0, ms. */
#define PAUSE_MS 100u

struct connection *connection_new(struct store *store, uint16_t domid)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->store = store;
	connection->actor = (struct actor){
		.privileged = domid == 0,
		.domid = domid,
		.target = PERM_NOBODY,
	};
	snprintf(connection->home, sizeof(connection->home), "/local/domain/%u", domid);
	connection->transaction_next = 1;
	output_init(&connection->output, store->secret);
	TAILQ_INIT(&connection->watches);
	TAILQ_INIT(&connection->transactions);
	LIST_INIT(&connection->debts);
	TAILQ_INSERT_TAIL(&store->connections, connection, all);
	return connection;
}

void connection_drop_watches(struct connection *connection)
{
	struct watch *watch;

	while ((watch = TAILQ_FIRST(&connection->watches)))
		watch_free(connection->store, watch);
}

struct transaction *connection_transaction(const struct connection *connection, uint32_t id)
{
	struct transaction *transaction;

	TAILQ_FOREACH (transaction, &connection->transactions, all)
		if (transaction->id == id)
			return transaction;
	return NULL;
}

void connection_transaction_end(struct connection *connection, struct transaction *transaction)
{
	TAILQ_REMOVE(&connection->transactions, transaction, all);
	connection->transaction_count--;
	transaction_free(transaction);
}

void connection_drop_transactions(struct connection *connection)
{
	struct transaction *transaction;

	while ((transaction = TAILQ_FIRST(&connection->transactions)))
		connection_transaction_end(connection, transaction);
}

void connection_reset(struct connection *connection)
{
	connection_drop_watches(connection);
	connection_drop_transactions(connection);
	output_clear(&connection->output);
	free(connection->rest);
	connection->rest = NULL;
	connection->rest_size = 0;
}

void connection_free(struct connection *connection)
{
	struct store *store = connection->store;
	struct debt *debt;

	connection_reset(connection);
	/* Others hold its events still; they no longer bill anybody. */
	while ((debt = LIST_FIRST(&connection->debts))) {
		LIST_REMOVE(debt, all);
		debt->debtor = NULL;
	}
	if (connection->is_dirty)
		TAILQ_REMOVE(&store->dirty, connection, dirty);
	TAILQ_REMOVE(&store->connections, connection, all);
	if (store->cause == connection)
		store->cause = NULL;
	ring_free(connection->ring);
	free(connection);
}

void connection_break(struct connection *connection, uint32_t error)
{
	connection_reset(connection);
	connection->state = CONNECTION_BROKEN;
	if (connection->ring)
		ring_set_error(connection->ring, error);
	connection_touch(connection);
}

void connection_touch(struct connection *connection)
{
	if (connection->is_dirty)
		return;
	connection->is_dirty = true;
	TAILQ_INSERT_TAIL(&connection->store->dirty, connection, dirty);
}

bool connection_ready(const struct connection *connection)
{
	uint32_t max = connection->store->quota.outstanding;

	if (connection->state != CONNECTION_OPEN)
		return false;
	if (connection->actor.privileged)
		return connection->output.bytes < SOCKET_OUTPUT_MAX;
	if (connection->paused > connection->store->now)
		return false;
	return !max || connection->outstanding + connection->output.replies < max;
}

size_t connection_consume(struct connection *connection, const char *data, size_t size,
			  unsigned *budget)
{
	size_t used = 0;

	while (*budget && size - used >= sizeof(struct xsd_sockmsg) &&
	       connection_ready(connection)) {
		struct request request;

		memcpy(&request.header, data + used, sizeof(request.header));
		if (request.header.len > XENSTORE_PAYLOAD_MAX) {
			if (log_allowed(&connection->limit, connection->store->now))
				log_warn("domain %u: a request of %u bytes is too long, the "
					 "connection is closed; the client must reconnect",
					 connection->actor.domid, request.header.len);
			connection_break(connection, XENSTORE_ERROR_PROTO);
			return size;
		}
		if (size - used - sizeof(request.header) < request.header.len)
			break;
		request.body = data + used + sizeof(request.header);
		used += sizeof(request.header) + request.header.len;
		request_serve(connection, &request);
		--*budget;
	}
	return used;
}

void connection_pause(struct connection *connection)
{
	struct store *store = connection->store;

	connection->paused = store->now + PAUSE_MS;
	store->pausing = true;
}

uint64_t connections_resume(const struct store *store)
{
	const struct connection *connection;
	uint64_t first = 0;

	TAILQ_FOREACH (connection, &store->connections, all)
		if (connection->paused > store->now && (!first || connection->paused < first))
			first = connection->paused;
	return first;
}

void connections_renew(struct store *store)
{
	struct connection *connection;
	struct transaction *transaction;

	if (store->changes - store->renewed < TRANSACTION_CHANGES / 4)
		return;
	store->renewed = store->changes;
	TAILQ_FOREACH (connection, &store->connections, all) {
		if (connection->actor.privileged)
			continue;
		TAILQ_FOREACH (transaction, &connection->transactions, all) {
			if (store->changes - transaction->since < TRANSACTION_CHANGES)
				continue;
			transaction_renew(transaction, &store->tree);
			transaction->since = store->changes;
		}
	}
}

int64_t connection_used(const struct connection *connection)
{
	const struct transaction *transaction;
	int64_t used = connection->watch_bytes + connection->output.bytes;

	TAILQ_FOREACH (transaction, &connection->transactions, all)
		used += sizeof(*transaction) + transaction->bytes;
	return used;
}

/* All its events are read or dropped: the guest may have waited for that. */
static void debt_settled(void *debtor)
{
	struct connection *connection = (struct connection *)debtor;

	connection->outstanding--;
	connection_touch(connection);
}

/* The debt of the guest whose request causes this event, made when it causes the first one. */
static struct debt *debt_of_cause(struct store *store)
{
	struct connection *cause = store->cause;

	if (!cause || cause->debt)
		return cause ? cause->debt : NULL;
	cause->debt = malloc(sizeof(*cause->debt));
	if (!cause->debt)
		return NULL;
	*cause->debt = (struct debt){.refs = 1, .debtor = cause, .settled = debt_settled};
	cause->outstanding++;
	LIST_INSERT_HEAD(&cause->debts, cause->debt, all);
	return cause->debt;
}

static bool memory_left(const struct connection *connection)
{
	int64_t bytes = connection->domain ? connection->domain->bytes : 0;

	if (connection->actor.privileged)
		return true;
	return !quota_over(bytes + connection_used(connection), connection->store->quota.memory);
}

void connection_event(struct connection *connection, const struct watch *watch, const char *path)
{
	int rc = -ENOMEM;

	if (connection->state != CONNECTION_OPEN)
		return;
	if (memory_left(connection))
		rc = output_event(&connection->output, path + watch->skip, watch_token(watch),
				  debt_of_cause(connection->store), connection->store->now);
	if (rc && log_allowed(&connection->limit, connection->store->now))
		log_warn("domain %u: an event is lost: %s", connection->actor.domid,
			 rc == -EMSGSIZE ? "longer than a payload; use a shorter token"
					 : "too much unread; the client must read its events");
	connection->store->events++;
	connection_touch(connection);
}
