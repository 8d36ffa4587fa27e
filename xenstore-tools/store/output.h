/*
 * output.h - the replies and events that a client has not taken yet.
 *
 * An event that waits here already is not queued again (XSA-326), the special ones apart. An
 * event that a guest's request caused at another client remembers the guest: too many requests
 * whose events nobody reads, and the guest has to wait.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

#include "xenstore-tools/store/table.h"

/** One request of a guest, for as long as somebody has not read an event it caused. */
struct debt {
	uint32_t refs; /* the events, and the request itself while it is served */
	void *debtor;  /* NULL once the guest is gone */
	void (*settled)(void *debtor);
	LIST_ENTRY(debt) all; /* of the debtor */
};

LIST_HEAD(debts, debt);

struct message {
	TAILQ_ENTRY(message) queue;
	struct table_link link; /* events: in output->pending */
	struct debt *debt;      /* or NULL */
	bool is_event, is_pending;
	uint32_t size;
	uint64_t queued; /* ms when it was; events only */
	char bytes[];    /* as on the wire, header first */
};

/** All zero but for the queue is empty. */
struct output {
	TAILQ_HEAD(message_queue, message) queue;
	struct table pending;
	uint64_t secret; /* of its keys, which guests choose */
	size_t bytes;    /* allocated for what waits */
	size_t replies;  /* that wait */
	size_t sent;     /* bytes of the first message that are gone */
};

/** output_init - an empty one. @secret: the store's */
void output_init(struct output *output, uint64_t secret);

/** output_clear - drop everything. */
void output_clear(struct output *output);

/**
 * output_reply - queue one message.
 * @body: @size bytes, at most XENSTORE_PAYLOAD_MAX, in two pieces
 * Return: 0 or -ENOMEM.
 */
int output_reply(struct output *output, uint32_t type, uint32_t request, uint32_t transaction,
		 const struct iovec body[2]);

/**
 * output_event - queue a WATCH_EVENT of @path and @token.
 * @debt: billed while the event waits, or NULL
 * @now:  ms, for output_expire()
 *
 * Return: 0 (also when the same event waits already), -EMSGSIZE (it exceeds a payload and is
 * dropped: XSA-324), -ENOMEM.
 */
int output_event(struct output *output, const char *path, const char *token, struct debt *debt,
		 uint64_t now);

/** output_vectors - what to send next, as up to @max pieces. Return: how many. */
int output_vectors(const struct output *output, struct iovec *vector, int max);

/** output_sent - that many bytes of it are gone. */
void output_sent(struct output *output, size_t bytes);

/** output_expire - drop the events queued before @before (ms) of which nothing is sent yet. */
void output_expire(struct output *output, uint64_t before);

static inline bool output_empty(const struct output *output)
{
	return TAILQ_EMPTY(&output->queue);
}

/** debt_put - one event of it is read or dropped; the last one settles the debt. */
void debt_put(struct debt *debt);
