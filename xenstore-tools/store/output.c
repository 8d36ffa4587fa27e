#include "xenstore-tools/store/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xs_wire.h>

void output_init(struct output *output, uint64_t secret)
{
	*output = (struct output){.secret = secret};
	TAILQ_INIT(&output->queue);
}

void debt_put(struct debt *debt)
{
	if (!debt || --debt->refs)
		return;
	if (debt->debtor) {
		LIST_REMOVE(debt, all);
		debt->settled(debt->debtor);
	}
	free(debt);
}

static void message_free(struct output *output, struct message *message)
{
	TAILQ_REMOVE(&output->queue, message, queue);
	output->bytes -= sizeof(*message) + message->size;
	if (message->is_pending)
		table_remove(&output->pending, &message->link);
	if (!message->is_event)
		output->replies--;
	debt_put(message->debt);
	free(message);
}

void output_clear(struct output *output)
{
	struct message *message = TAILQ_FIRST(&output->queue), *next;

	for (; message; message = next) {
		next = TAILQ_NEXT(message, queue);
		message_free(output, message);
	}
	table_clear(&output->pending);
	output->sent = 0;
}

static struct message *message_new(const struct xsd_sockmsg *header, const struct iovec body[2])
{
	uint32_t size = sizeof(*header) + header->len;
	struct message *message = malloc(sizeof(*message) + size);

	if (!message)
		return NULL;
	*message = (struct message){.size = size};
	memcpy(message->bytes, header, sizeof(*header));
	if (body[0].iov_len)
		memcpy(message->bytes + sizeof(*header), body[0].iov_base, body[0].iov_len);
	if (body[1].iov_len)
		memcpy(message->bytes + sizeof(*header) + body[0].iov_len, body[1].iov_base,
		       body[1].iov_len);
	return message;
}

static void message_queue(struct output *output, struct message *message)
{
	TAILQ_INSERT_TAIL(&output->queue, message, queue);
	output->bytes += sizeof(*message) + message->size;
}

int output_reply(struct output *output, uint32_t type, uint32_t request, uint32_t transaction,
		 const struct iovec body[2])
{
	struct xsd_sockmsg header = {
		.type = type,
		.req_id = request,
		.tx_id = transaction,
		.len = body[0].iov_len + body[1].iov_len,
	};
	struct message *message = message_new(&header, body);

	if (!message)
		return -ENOMEM;
	message_queue(output, message);
	output->replies++;
	return 0;
}

static bool is_pending(const struct output *output, const struct iovec body[2], uint64_t hash)
{
	const struct table_link *link = table_first(&output->pending, hash);

	for (; link; link = table_next(link)) {
		const struct message *message = table_entry(link, const struct message, link);
		const char *bytes = message->bytes + sizeof(struct xsd_sockmsg);

		if (message->size ==
			    sizeof(struct xsd_sockmsg) + body[0].iov_len + body[1].iov_len &&
		    !memcmp(bytes, body[0].iov_base, body[0].iov_len) &&
		    !memcmp(bytes + body[0].iov_len, body[1].iov_base, body[1].iov_len))
			return true;
	}
	return false;
}

int output_event(struct output *output, const char *path, const char *token, struct debt *debt,
		 uint64_t now)
{
	const struct iovec body[2] = {{(void *)(uintptr_t)path, strlen(path) + 1},
				      {(void *)(uintptr_t)token, strlen(token) + 1}};
	struct xsd_sockmsg header = {
		.type = XS_WATCH_EVENT,
		.len = body[0].iov_len + body[1].iov_len,
	};
	struct message *message;
	uint64_t hash;

	if (header.len > XENSTORE_PAYLOAD_MAX)
		return -EMSGSIZE;
	hash = table_hash(TABLE_HASH_START ^ output->secret, path, body[0].iov_len);
	hash = table_hash(hash, token, body[1].iov_len);
	if (path[0] != '@' && is_pending(output, body, hash))
		return 0;

	message = message_new(&header, body);
	if (!message)
		return -ENOMEM;
	message->is_event = true;
	message->queued = now;
	message->is_pending = !table_insert(&output->pending, &message->link, hash);
	if (debt) {
		debt->refs++;
		message->debt = debt;
	}
	message_queue(output, message);
	return 0;
}

int output_vectors(const struct output *output, struct iovec *vector, int max)
{
	struct message *message;
	size_t skip = output->sent;
	int count = 0;

	TAILQ_FOREACH (message, &output->queue, queue) {
		if (count == max)
			break;
		vector[count++] = (struct iovec){message->bytes + skip, message->size - skip};
		skip = 0;
	}
	return count;
}

void output_sent(struct output *output, size_t bytes)
{
	struct message *message = TAILQ_FIRST(&output->queue), *next;

	output->sent += bytes;
	for (; message && output->sent >= message->size; message = next) {
		next = TAILQ_NEXT(message, queue);
		output->sent -= message->size;
		message_free(output, message);
	}
}

void output_expire(struct output *output, uint64_t before)
{
	struct message *message = TAILQ_FIRST(&output->queue), *next;

	if (message && output->sent)
		message = TAILQ_NEXT(message, queue);
	for (; message; message = next) {
		next = TAILQ_NEXT(message, queue);
		if (message->is_event && message->queued < before)
			message_free(output, message);
	}
}
