#include "lib/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "lib/fdpass.h"

struct waiting {
	STAILQ_ENTRY(waiting) entry;
	int fds[FDPASS_MAX];
	size_t count, size;
	unsigned char message[];
};

struct outbox {
	int socket;
	struct event *writable;
	size_t waiting, max;
	STAILQ_HEAD(, waiting) queue;
};

static void waiting_free(struct waiting *waiting)
{
	while (waiting->count)
		close(waiting->fds[--waiting->count]);
	free(waiting);
}

static void drop_first(struct outbox *outbox)
{
	struct waiting *first = STAILQ_FIRST(&outbox->queue);

	STAILQ_REMOVE_HEAD(&outbox->queue, entry);
	outbox->waiting--;
	waiting_free(first);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct outbox *outbox = arg;
	int rc = 0;

	while (!STAILQ_EMPTY(&outbox->queue) && rc != -EAGAIN) {
		const struct waiting *first = STAILQ_FIRST(&outbox->queue);

		rc = fdpass_send(outbox->socket, first->message, first->size, first->fds,
				 first->count);
		if (rc != -EAGAIN)
			drop_first(outbox);
	}
	if (STAILQ_EMPTY(&outbox->queue))
		event_del(outbox->writable);
}

static int keep(struct outbox *outbox, const void *message, size_t size, const int *fds,
		size_t count)
{
	struct waiting *waiting;

	if (outbox->waiting == outbox->max)
		return -ENOBUFS;
	waiting = malloc(sizeof(*waiting) + size);
	if (!waiting)
		return -ENOMEM;
	waiting->size = size;
	memcpy(waiting->message, message, size);
	for (waiting->count = 0; waiting->count < count; waiting->count++) {
		waiting->fds[waiting->count] = fcntl(fds[waiting->count], F_DUPFD_CLOEXEC, 0);
		if (waiting->fds[waiting->count] < 0) {
			int rc = -errno;

			waiting_free(waiting);
			return rc;
		}
	}
	if (event_add(outbox->writable, NULL)) {
		waiting_free(waiting);
		return -ENOMEM;
	}
	STAILQ_INSERT_TAIL(&outbox->queue, waiting, entry);
	outbox->waiting++;
	return 0;
}

int outbox_new(struct outbox **result, struct event_base *base, int socket, size_t max)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));

	if (!outbox)
		return -ENOMEM;
	outbox->socket = socket;
	outbox->max = max;
	STAILQ_INIT(&outbox->queue);
	outbox->writable = event_new(base, socket, EV_WRITE | EV_PERSIST, on_writable, outbox);
	if (!outbox->writable) {
		free(outbox);
		return -ENOMEM;
	}
	*result = outbox;
	return 0;
}

int outbox_send(struct outbox *outbox, const void *message, size_t size, const int *fds,
		size_t count)
{
	int rc = -EAGAIN;

	if (STAILQ_EMPTY(&outbox->queue))
		rc = fdpass_send(outbox->socket, message, size, fds, count);
	return rc == -EAGAIN ? keep(outbox, message, size, fds, count) : rc;
}

void outbox_free(struct outbox *outbox)
{
	if (!outbox)
		return;
	while (!STAILQ_EMPTY(&outbox->queue))
		drop_first(outbox);
	event_free(outbox->writable);
	free(outbox);
}
