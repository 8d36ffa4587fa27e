/*
 * connection.h - one client: its rights, its watches and transactions, bytes in and out.
 *
 * Whoever moves the bytes (a socket, a ring) feeds connection_consume() and empties
 * connection->output. Nothing here closes a connection while it is in use: it is marked, and the
 * server or domain_remove() frees it.
 */
#pragma once

#include "lib/log.h"
#include "xenstore-tools/store/output.h"
#include "xenstore-tools/store/store.h"
#include "xenstore-tools/store/transaction.h"
#include "xenstore-tools/store/watch.h"

struct domain;
struct ring;

/** The longest request. */
#define CONNECTION_MESSAGE_MAX (sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)

enum connection_state {
	CONNECTION_OPEN,
	CONNECTION_BROKEN, /* it broke the protocol: nothing more is read or sent */
};

struct connection {
	TAILQ_ENTRY(connection) all;
	TAILQ_ENTRY(connection) dirty;
	bool is_dirty;
	uint64_t turn; /* of the server's loop when it was last settled */
	enum connection_state state;
	struct store *store;
	struct actor actor;
	char home[32];         /* what its relative paths are relative to */
	struct domain *domain; /* NULL: a socket */
	struct ring *ring;     /* owned; NULL: a socket */
	void *socket;          /* the server's, for a socket */

	struct output output;
	char *rest; /* of what came: the beginning of the next request, owned */
	size_t rest_size;

	TAILQ_HEAD(, watch) watches;
	uint32_t watch_count;
	size_t watch_bytes;
	TAILQ_HEAD(, transaction) transactions;
	uint32_t transaction_count, transaction_next;

	struct debts debts;   /* requests whose events somebody hasn't read */
	uint32_t outstanding; /* how many those are */
	struct debt *debt;    /* of the request being served */
	struct log_limit limit;
	uint64_t paused; /* store->now until which its requests wait */
};

/**
 * connection_new - a client of a store.
 * @domid: whose rights and home it has; 0 is privileged
 * Return: it, owned by the store and ended with connection_free(); NULL when memory is short.
 */
struct connection *connection_new(struct store *store, uint16_t domid);

/** connection_free - end it: watches, transactions, unread output and ring go with it. */
void connection_free(struct connection *connection);

/** connection_reset - drop watches, transactions, output and half a request. */
void connection_reset(struct connection *connection);

/**
 * connection_break - it broke the protocol; a ring stays mapped so that the domain's end is told at
 * the right time (XSA-325), with the error in its page.
 * @error: XENSTORE_ERROR_...
 */
void connection_break(struct connection *connection, uint32_t error);

/** connection_ready - may its next request be served, or has it to read answers first? */
bool connection_ready(const struct connection *connection);

/**
 * connection_consume - serve whole requests out of @data.
 * @budget: how many at most; reduced by those served
 * Return: bytes used. What is left is incomplete, over budget or has to wait.
 */
size_t connection_consume(struct connection *connection, const char *data, size_t size,
			  unsigned *budget);

/** connection_event - queue an event of @watch at @path, an absolute path or a special name. */
void connection_event(struct connection *connection, const struct watch *watch, const char *path);

/**
 * connection_pause - the guest's writes keep getting in the way of dom0's transactions: make it
 * wait a moment, so that they can be tried again undisturbed (XSA-206).
 */
void connection_pause(struct connection *connection);

/** connections_resume - when the first of those that pause may go on, in ms; 0: none pauses. */
uint64_t connections_resume(const struct store *store);

/** connection_used - bytes that it holds beside the nodes of its domain. */
int64_t connection_used(const struct connection *connection);

/** connection_touch - let the server look at it before it sleeps. */
void connection_touch(struct connection *connection);

/** connection_transaction - the transaction with that id, or NULL. */
struct transaction *connection_transaction(const struct connection *connection, uint32_t id);

/** connection_transaction_end - take a transaction off the connection and free it. */
void connection_transaction_end(struct connection *connection, struct transaction *transaction);

/** connection_drop_watches - unregister all its watches. */
void connection_drop_watches(struct connection *connection);

/** connection_drop_transactions - abort all its transactions. */
void connection_drop_transactions(struct connection *connection);

/**
 * connections_renew - make guests' transactions that hold snapshots from long ago give them up:
 * what old nodes they keep in memory together is bounded by the changes since. To be
 * called after each request.
 */
void connections_renew(struct store *store);
