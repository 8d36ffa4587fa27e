#include "embedded/xenbus/mux.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <xen/io/xs_wire.h>

/* How many requests wait for a reply at once, and how much for room on the ring. */
#define REQUESTS_MAX 32
#define BACKLOG_MAX  65536

/* A client's number in front of a token, in hexadecimal, with the colon. */
#define PREFIX_SIZE 10

struct watch {
	LIST_ENTRY(watch) next;
	uint32_t size;
	char body[]; /* of WATCH or UNWATCH: path and token, NULs included */
};

struct transaction {
	LIST_ENTRY(transaction) next;
	uint32_t id;
};

struct mux_client {
	LIST_ENTRY(mux_client) next;
	uint32_t number;
	struct evbuffer *replies;
	LIST_HEAD(watches, watch) watches;
	LIST_HEAD(transactions, transaction) transactions;
};

/* One that waits for its reply. */
struct request {
	struct mux_client *client; /* NULL: it is gone */
	uint32_t id;               /* on the ring; 0: this one is free */
	uint32_t clients_id;
	uint32_t type, tx_id;
	struct watch *watch; /* of WATCH and UNWATCH */
};

struct mux {
	struct evbuffer *out;
	LIST_HEAD(clients, mux_client) clients;
	uint32_t clients_made;
	uint32_t requests_made;
	struct request requests[REQUESTS_MAX];
};

struct mux *mux_create(struct evbuffer *requests)
{
	struct mux *mux = calloc(1, sizeof(*mux));

	if (mux)
		mux->out = requests;
	return mux;
}

void mux_destroy(struct mux *mux)
{
	while (!LIST_EMPTY(&mux->clients))
		mux_client_remove(mux, LIST_FIRST(&mux->clients));
	for (size_t i = 0; i < REQUESTS_MAX; i++)
		free(mux->requests[i].watch);
	free(mux);
}

struct mux_client *mux_client_add(struct mux *mux, struct evbuffer *replies)
{
	struct mux_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->number = ++mux->clients_made;
	client->replies = replies;
	LIST_INSERT_HEAD(&mux->clients, client, next);
	return client;
}

static int send_message(struct evbuffer *to, const struct xsd_sockmsg *header, const void *body)
{
	return evbuffer_add(to, header, sizeof(*header)) || evbuffer_add(to, body, header->len)
		       ? -ENOMEM
		       : 0;
}

/* A request of ours: nobody waits for its reply. */
static void send_own(struct mux *mux, uint32_t type, uint32_t tx_id, const void *body, size_t size)
{
	const struct xsd_sockmsg header = {.type = type, .tx_id = tx_id, .len = (uint32_t)size};

	(void)send_message(mux->out, &header, body);
}

static void watch_undo(struct mux *mux, struct watch *watch)
{
	send_own(mux, XS_UNWATCH, 0, watch->body, watch->size);
	free(watch);
}

static void transaction_undo(struct mux *mux, uint32_t id)
{
	send_own(mux, XS_TRANSACTION_END, id, "F", 2);
}

static void client_undo(struct mux *mux, struct mux_client *client)
{
	while (!LIST_EMPTY(&client->watches)) {
		struct watch *watch = LIST_FIRST(&client->watches);

		LIST_REMOVE(watch, next);
		watch_undo(mux, watch);
	}
	while (!LIST_EMPTY(&client->transactions)) {
		struct transaction *transaction = LIST_FIRST(&client->transactions);

		LIST_REMOVE(transaction, next);
		transaction_undo(mux, transaction->id);
		free(transaction);
	}
}

void mux_client_remove(struct mux *mux, struct mux_client *client)
{
	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		if (mux->requests[i].client == client)
			mux->requests[i].client = NULL;
	}
	client_undo(mux, client);
	LIST_REMOVE(client, next);
	free(client);
}

static struct transaction *transaction_find(struct mux_client *client, uint32_t id)
{
	struct transaction *transaction;

	LIST_FOREACH (transaction, &client->transactions, next)
		if (transaction->id == id)
			return transaction;
	return NULL;
}

/* The body of a WATCH or UNWATCH with the client's number in its token; NULL with errno set. What
 * follows the token (a depth) is not part of it. */
static struct watch *watch_make(const struct mux_client *client, const char *body, size_t size)
{
	const char *path_end = memchr(body, '\0', size);
	const char *token = path_end ? path_end + 1 : NULL;
	const char *token_end = token ? memchr(token, '\0', size - (size_t)(token - body)) : NULL;
	struct watch *watch;

	errno = EINVAL;
	if (!token_end)
		return NULL;
	watch = malloc(sizeof(*watch) + size + PREFIX_SIZE);
	if (!watch)
		return NULL;
	watch->size = (uint32_t)(token - body);
	memcpy(watch->body, body, watch->size);
	watch->size += (uint32_t)sprintf(watch->body + watch->size, "%x:%s", client->number, token);
	watch->size++;
	return watch;
}

/* Its own watch and token; what follows the token in @body, if anything, is kept. */
static int send_watch(struct mux *mux, struct xsd_sockmsg *header, const struct watch *watch,
		      const char *body)
{
	const char *token = body + strlen(body) + 1;
	const char *rest = token + strlen(token) + 1;
	size_t rest_size = header->len - (size_t)(rest - body);

	header->len = watch->size + (uint32_t)rest_size;
	if (header->len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	return evbuffer_add(mux->out, header, sizeof(*header)) ||
			       evbuffer_add(mux->out, watch->body, watch->size) ||
			       evbuffer_add(mux->out, rest, rest_size)
		       ? -ENOMEM
		       : 0;
}

static int reply_own(struct mux_client *client, const struct xsd_sockmsg *request, uint32_t type,
		     const char *text)
{
	struct xsd_sockmsg header = *request;

	header.type = type;
	header.len = (uint32_t)strlen(text) + 1;
	return send_message(client->replies, &header, text);
}

static struct request *request_free(struct mux *mux)
{
	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		if (!mux->requests[i].id)
			return &mux->requests[i];
	}
	return NULL;
}

static struct request *request_find(struct mux *mux, uint32_t id)
{
	for (size_t i = 0; id && i < REQUESTS_MAX; i++) {
		if (mux->requests[i].id == id)
			return &mux->requests[i];
	}
	return NULL;
}

static int request_forward(struct mux *mux, struct mux_client *client, struct xsd_sockmsg header,
			   const char *body)
{
	struct request *request = request_free(mux);
	const struct xsd_sockmsg asked = header;
	struct watch *watch = NULL;
	int rc;

	if (!++mux->requests_made)
		mux->requests_made = 1;
	header.req_id = mux->requests_made;
	if (header.type == XS_WATCH || header.type == XS_UNWATCH) {
		watch = watch_make(client, body, header.len);
		if (!watch)
			return errno == EINVAL ? reply_own(client, &asked, XS_ERROR, "EINVAL")
					       : -ENOMEM;
		rc = send_watch(mux, &header, watch, body);
	} else {
		rc = send_message(mux->out, &header, body);
	}
	if (rc) {
		free(watch);
		return rc == -E2BIG ? reply_own(client, &asked, XS_ERROR, "E2BIG") : rc;
	}
	*request = (struct request){
		.client = client,
		.id = header.req_id,
		.clients_id = asked.req_id,
		.type = asked.type,
		.tx_id = asked.tx_id,
		.watch = watch,
	};
	return 0;
}

static int request_take(struct mux *mux, struct mux_client *client,
			const struct xsd_sockmsg *header, const char *body)
{
	bool outside = header->type == XS_WATCH || header->type == XS_UNWATCH;

	if (header->tx_id && !outside && !transaction_find(client, header->tx_id))
		return reply_own(client, header, XS_ERROR, "ENOENT");
	if (header->type == XS_RESET_WATCHES) {
		/* Of this client, not of the whole guest. */
		client_undo(mux, client);
		return reply_own(client, header, XS_RESET_WATCHES, "OK");
	}
	return request_forward(mux, client, *header, body);
}

/* The next whole message: 1 when there is one, 0 or -EPROTO. */
static int message_next(struct evbuffer *in, struct xsd_sockmsg *header, char *body)
{
	if (evbuffer_copyout(in, header, sizeof(*header)) < (ssize_t)sizeof(*header))
		return 0;
	if (header->len > XENSTORE_PAYLOAD_MAX)
		return -EPROTO;
	if (evbuffer_get_length(in) < sizeof(*header) + header->len)
		return 0;
	evbuffer_drain(in, sizeof(*header));
	evbuffer_remove(in, body, header->len);
	return 1;
}

int mux_requests(struct mux *mux, struct mux_client *client, struct evbuffer *in)
{
	char body[XENSTORE_PAYLOAD_MAX];
	struct xsd_sockmsg header;
	int rc = 0;

	while (!rc && request_free(mux) && evbuffer_get_length(mux->out) < BACKLOG_MAX) {
		rc = message_next(in, &header, body);
		if (rc <= 0)
			return rc;
		rc = request_take(mux, client, &header, body);
	}
	return rc;
}

static bool is_error(const struct xsd_sockmsg *header, const char *body, const char *name)
{
	return header->type == XS_ERROR &&
	       (!name || (header->len == strlen(name) + 1 && !memcmp(body, name, header->len)));
}

/* A watch that XenStore has set belongs to its client from now on. */
static void watch_done(struct mux *mux, struct request *request)
{
	struct watch *watch = request->watch;

	request->watch = NULL;
	if (request->client)
		LIST_INSERT_HEAD(&request->client->watches, watch, next);
	else
		watch_undo(mux, watch);
}

static void unwatch_done(struct request *request)
{
	struct watch *watch = request->client ? LIST_FIRST(&request->client->watches) : NULL;

	for (; watch; watch = LIST_NEXT(watch, next)) {
		if (watch->size == request->watch->size &&
		    !memcmp(watch->body, request->watch->body, watch->size)) {
			LIST_REMOVE(watch, next);
			free(watch);
			return;
		}
	}
}

static void start_done(struct mux *mux, const struct request *request, const char *body,
		       size_t size)
{
	char text[16] = "";
	struct transaction *transaction = NULL;
	uint32_t id;

	memcpy(text, body, size < sizeof(text) ? size : sizeof(text) - 1);
	id = (uint32_t)strtoul(text, NULL, 10);
	if (request->client)
		transaction = malloc(sizeof(*transaction));
	if (!transaction) {
		transaction_undo(mux, id);
		return;
	}
	transaction->id = id;
	LIST_INSERT_HEAD(&request->client->transactions, transaction, next);
}

static void end_done(const struct request *request)
{
	struct transaction *transaction =
		request->client ? transaction_find(request->client, request->tx_id) : NULL;

	if (transaction) {
		LIST_REMOVE(transaction, next);
		free(transaction);
	}
}

static void reply_take(struct mux *mux, struct request *request, struct xsd_sockmsg *header,
		       const char *body)
{
	bool done = !is_error(header, body, NULL);

	if (request->type == XS_WATCH && done)
		watch_done(mux, request);
	else if (request->type == XS_UNWATCH && done)
		unwatch_done(request);
	else if (request->type == XS_TRANSACTION_START && done)
		start_done(mux, request, body, header->len);
	else if (request->type == XS_TRANSACTION_END && !is_error(header, body, "EINVAL"))
		end_done(request);

	header->req_id = request->clients_id;
	if (request->client)
		(void)send_message(request->client->replies, header, body);
	free(request->watch);
	*request = (struct request){0};
}

/* path, NUL, our prefix, token, NUL */
static void event_take(struct mux *mux, struct xsd_sockmsg *header, char *body)
{
	const char *path_end = memchr(body, '\0', header->len);
	struct mux_client *client;
	unsigned int number;
	size_t prefix, at;
	char *token;

	if (!path_end || !header->len || body[header->len - 1])
		return;
	at = (size_t)(path_end - body) + 1;
	token = body + at;
	if (at >= header->len)
		return;
	number = (unsigned int)strtoul(token, &token, 16);
	if (*token != ':')
		return;
	prefix = (size_t)(token + 1 - body) - at;
	memmove(body + at, body + at + prefix, header->len - at - prefix);
	header->len -= (uint32_t)prefix;
	LIST_FOREACH (client, &mux->clients, next) {
		if (client->number == number)
			(void)send_message(client->replies, header, body);
	}
}

int mux_replies(struct mux *mux, struct evbuffer *in)
{
	char body[XENSTORE_PAYLOAD_MAX];
	struct xsd_sockmsg header;
	int rc;

	while ((rc = message_next(in, &header, body)) > 0) {
		struct request *request = request_find(mux, header.req_id);

		if (header.type == XS_WATCH_EVENT)
			event_take(mux, &header, body);
		else if (request)
			reply_take(mux, request, &header, body);
	}
	return rc;
}
