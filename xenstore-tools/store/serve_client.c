/* The requests about what a client keeps here: its watches and its transactions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "xenstore-tools/store/domain.h"
#include "xenstore-tools/store/event.h"
#include "xenstore-tools/store/path.h"
#include "xenstore-tools/store/request.h"

/* The path that a watch is on; a special one need not exist. */
static int watch_path(struct call *call, const char *text, char *path)
{
	if (path_special(text))
		return strlen(text) > XENSTORE_REL_PATH_MAX
			       ? -EINVAL
			       : path_absolute(text, call->connection->home, path);
	return call_path(call, text, path);
}

int serve_watch(struct call *call)
{
	struct connection *connection = call->connection;
	const struct quota *quota = &call->store->quota;
	char path[PATH_SIZE];
	const char *argument[2];
	struct watch *watch;
	size_t skip = 0;
	int rc;

	if (wire_strings(call->request, argument, 2) != 2)
		return -EINVAL;
	rc = watch_path(call, argument[0], path);
	if (rc)
		return rc;
	if (watch_find(call->store, connection, path, argument[1]))
		return -EEXIST;
	if (!connection->actor.privileged) {
		if (quota_over(connection->watch_count, quota->watches))
			return -E2BIG;
		if (quota_over(call->view.used, quota->memory))
			return -ENOMEM;
	}
	if (argument[0][0] != '/' && !path_special(argument[0]))
		skip = strlen(connection->home) + 1;
	watch = watch_add(call->store, connection, path, argument[1], skip);
	if (!watch)
		return -ENOMEM;
	rc = call_ok(call);
	if (rc) {
		watch_free(call->store, watch);
		return rc;
	}
	connection_event(connection, watch, path);
	return 0;
}

int serve_unwatch(struct call *call)
{
	char path[PATH_SIZE];
	const char *argument[2];
	struct watch *watch;

	if (wire_strings(call->request, argument, 2) != 2)
		return -EINVAL;
	if (path_absolute(argument[0], call->connection->home, path))
		return -ENOENT;
	watch = watch_find(call->store, call->connection, path, argument[1]);
	if (!watch)
		return -ENOENT;
	watch_free(call->store, watch);
	return call_ok(call);
}

int serve_reset_watches(struct call *call)
{
	connection_drop_watches(call->connection);
	/* The transaction that this request may name goes too: nothing uses it any more (XSA-484).
	 */
	call->view.transaction = NULL;
	connection_drop_transactions(call->connection);
	return call_ok(call);
}

int serve_transaction_start(struct call *call)
{
	struct connection *connection = call->connection;
	const struct quota *quota = &call->store->quota;
	struct transaction *transaction;
	char id[16];

	if (call->view.transaction)
		return -EBUSY;
	if (!connection->actor.privileged) {
		if (quota_over(connection->transaction_count, quota->transactions))
			return -ENOSPC;
		if (quota_over(call->view.used, quota->memory))
			return -ENOMEM;
	}
	transaction = transaction_new(&call->store->tree, call->store->secret);
	if (!transaction)
		return -ENOMEM;
	do
		transaction->id = connection->transaction_next++;
	while (!transaction->id || connection_transaction(connection, transaction->id));
	transaction->deaths = call->store->deaths;
	transaction->since = call->store->changes;
	TAILQ_INSERT_TAIL(&connection->transactions, transaction, all);
	connection->transaction_count++;
	return call_reply(call, id, snprintf(id, sizeof(id), "%u", transaction->id) + 1);
}

/* Does the commit stay within the quota of who asks for it? Deleting is always allowed. */
static int commit_within(struct call *call, const struct usage *usage)
{
	const struct actor *actor = &call->connection->actor;
	const struct domain *domain = domain_find(call->store, actor->domid);
	int64_t more = usage_nodes(usage, actor->domid);

	if (actor->privileged || !domain || more <= 0)
		return 0;
	return quota_over(domain->nodes + more, call->store->quota.nodes) ? -ENOSPC : 0;
}

/*
 * Nobody may come back from the dead: permissions that were written for a domain that has gone
 * since could be meant for its successor (XSA-322). Then the client has to start again.
 */
static bool names_the_dead(const struct store *store, const struct transaction *transaction)
{
	const struct touch *touch;

	if (transaction->deaths == store->deaths)
		return false;
	TAILQ_FOREACH (touch, &transaction->touches, order)
		if (touch->changed & (CHANGED_PERMS | CHANGED_CREATED))
			return true;
	return false;
}

/* Did somebody change what was seen? A guest that does so to dom0 has to pause. */
static bool disturbed(struct call *call, const struct transaction *transaction)
{
	const struct domain *domain;
	int writer = transaction_conflict(transaction, &call->store->tree);

	if (writer < 0)
		return false;
	domain = domain_find(call->store, writer);
	if (call->connection->actor.privileged && writer && domain && domain->connection)
		connection_pause(domain->connection);
	return true;
}

static int commit(struct call *call, const struct transaction *transaction)
{
	struct store *store = call->store;
	struct usage usage = {0};
	struct tree merged;
	int rc;

	if (transaction->failed)
		return -ENOMEM;
	if (transaction->stale || names_the_dead(store, transaction) ||
	    disturbed(call, transaction)) {
		store->conflicts++;
		return -EAGAIN;
	}
	rc = transaction_merge(transaction, &store->tree, &merged, &usage);
	if (rc)
		goto out;
	rc = commit_within(call, &usage);
	if (rc) {
		tree_free(&merged);
		goto out;
	}
	event_committing(store, transaction, &merged);
	tree_free(&store->tree);
	store->tree = merged;
	domains_bill(store, &usage);
out:
	usage_clear(&usage);
	return rc;
}

int serve_transaction_end(struct call *call)
{
	struct transaction *transaction = call->view.transaction;
	const char *how = wire_string(call->request);
	int rc = 0;

	if (!how || (strcmp(how, "T") != 0 && strcmp(how, "F") != 0))
		return -EINVAL;
	if (!transaction)
		return -ENOENT;
	if (how[0] == 'T')
		rc = commit(call, transaction);
	call->view.transaction = NULL;
	connection_transaction_end(call->connection, transaction);
	return rc ? rc : call_ok(call);
}
