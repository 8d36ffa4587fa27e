#include "xenstore-tools/store/request.h"

#include <errno.h>
#include <string.h>

#include "xenstore-tools/store/path.h"

#define PRIVILEGED     1u
#define NO_TRANSACTION 2u /* the id of a transaction is not looked at */

static const struct {
	int (*serve)(struct call *call);
	unsigned flags;
} rows[XS_TYPE_COUNT] = {
	[XS_CONTROL] = {serve_control, PRIVILEGED},
	[XS_DIRECTORY] = {serve_directory, 0},
	[XS_READ] = {serve_read, 0},
	[XS_GET_PERMS] = {serve_get_perms, 0},
	[XS_WATCH] = {serve_watch, NO_TRANSACTION},
	[XS_UNWATCH] = {serve_unwatch, NO_TRANSACTION},
	[XS_TRANSACTION_START] = {serve_transaction_start, 0},
	[XS_TRANSACTION_END] = {serve_transaction_end, 0},
	[XS_INTRODUCE] = {serve_introduce, PRIVILEGED},
	[XS_RELEASE] = {serve_release, PRIVILEGED},
	[XS_GET_DOMAIN_PATH] = {serve_get_domain_path, 0},
	[XS_WRITE] = {serve_write, 0},
	[XS_MKDIR] = {serve_mkdir, 0},
	[XS_RM] = {serve_rm, 0},
	[XS_SET_PERMS] = {serve_set_perms, 0},
	[XS_IS_DOMAIN_INTRODUCED] = {serve_is_domain_introduced, PRIVILEGED},
	[XS_RESUME] = {serve_resume, PRIVILEGED},
	[XS_SET_TARGET] = {serve_set_target, PRIVILEGED},
	[XS_RESET_WATCHES] = {serve_reset_watches, 0},
	[XS_DIRECTORY_PART] = {serve_directory_part, 0},
};

static int reply(struct connection *connection, const struct request *request, uint32_t type,
		 const void *body, size_t size)
{
	const struct iovec pieces[2] = {{(void *)(uintptr_t)body, size}, {NULL, 0}};

	connection_touch(connection);
	return output_reply(&connection->output, type, request->header.req_id,
			    request->header.tx_id, pieces);
}

int call_reply(struct call *call, const void *body, size_t size)
{
	if (size > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	return reply(call->connection, call->request, call->request->header.type, body, size);
}

int call_ok(struct call *call)
{
	return call_reply(call, "OK", sizeof("OK"));
}

int call_path(struct call *call, const char *text, char *path)
{
	if (!text || path_absolute(text, call->connection->home, path))
		return -EINVAL;
	return path_valid(path, call->store->quota.path_max) ? 0 : -EINVAL;
}

static int serve(struct call *call)
{
	const struct xsd_sockmsg *header = &call->request->header;
	const struct connection *connection = call->connection;

	if (header->type >= XS_TYPE_COUNT || !rows[header->type].serve)
		return -ENOSYS;
	call->store->requests[header->type]++;
	if ((rows[header->type].flags & PRIVILEGED) && !connection->actor.privileged)
		return -EACCES;
	if (header->tx_id && !(rows[header->type].flags & NO_TRANSACTION)) {
		call->view.transaction = connection_transaction(connection, header->tx_id);
		if (!call->view.transaction)
			return -ENOENT;
	}
	return rows[header->type].serve(call);
}

void request_serve(struct connection *connection, const struct request *request)
{
	struct store *store = connection->store;
	struct call call = {
		.connection = connection,
		.store = store,
		.request = request,
		.view = {.store = store, .actor = connection->actor},
	};
	int rc;

	if (!connection->actor.privileged) {
		store->cause = connection;
		call.view.used = connection_used(connection);
	}
	rc = serve(&call);
	if (rc < 0) {
		const char *word = wire_error(rc);

		store->errors++;
		/* A client without its answer can only start afresh. */
		if (reply(connection, request, XS_ERROR, word, strlen(word) + 1))
			connection_break(connection, XENSTORE_ERROR_COMM);
	}
	store->cause = NULL;
	connections_renew(store);
	debt_put(connection->debt);
	connection->debt = NULL;
}
