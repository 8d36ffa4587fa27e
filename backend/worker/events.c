#include "backend/worker/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Ports handled in one turn of the loop before others have theirs. */
#define PORTS_A_TURN 64

struct binding {
	evtchn_port_t port;
	events_handler handler;
	void *arg;
};

struct events {
	xenevtchn_handle *handle;
	struct event *readable;
	struct binding *binding;
	unsigned count, room;
	bool several; /* ports fired at once the last time, or it is time to see whether they do */
	unsigned turns;
};

static struct binding *find(const struct events *events, evtchn_port_t port)
{
	for (unsigned n = 0; n < events->count; n++)
		if (events->binding[n].port == port)
			return &events->binding[n];
	return NULL;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct events *events = arg;

	int n;

	/* To be told that there is no second costs a system call. */
	for (n = 0; n < PORTS_A_TURN && (n != 1 || events->several); n++) {
		xenevtchn_port_or_error_t port = xenevtchn_pending(events->handle);
		const struct binding *binding;

		if (port < 0)
			break;
		binding = find(events, (evtchn_port_t)port);
		if (!binding)
			continue; /* unbound after it fired */
		binding->handler(binding->arg);
		/* Only now may it fire again. Gone if the handler unbound it. */
		if (find(events, (evtchn_port_t)port))
			xenevtchn_unmask(events->handle, (evtchn_port_t)port);
	}
	events->several = n > 1 || ++events->turns % 16 == 0;
}

int events_open(struct events **result, struct event_base *base)
{
	struct events *events = calloc(1, sizeof(*events));
	int fd, rc = -ENOMEM;

	if (!events)
		return rc;
	events->handle = xenevtchn_open(NULL, 0);
	if (!events->handle) {
		rc = errno ? -errno : -EIO;
		goto fail;
	}
	fd = xenevtchn_fd(events->handle);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)) {
		rc = -errno;
		goto fail;
	}
	events->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, events);
	if (!events->readable || event_add(events->readable, NULL))
		goto fail;
	*result = events;
	return 0;

fail:
	events_close(events);
	return rc;
}

void events_close(struct events *events)
{
	if (!events)
		return;
	if (events->readable)
		event_free(events->readable);
	if (events->handle)
		xenevtchn_close(events->handle);
	free(events->binding);
	free(events);
}

static int make_room(struct events *events)
{
	unsigned room = events->room ? 2 * events->room : 16;
	struct binding *more;

	if (events->count < events->room)
		return 0;
	if (room > EVENTS_MAX)
		return -ENOSPC;
	more = realloc(events->binding, room * sizeof(*more));
	if (!more)
		return -ENOMEM;
	events->binding = more;
	events->room = room;
	return 0;
}

int events_bind(struct events *events, uint16_t domid, evtchn_port_t remote, events_handler handler,
		void *arg, evtchn_port_t *local)
{
	xenevtchn_port_or_error_t port;
	int rc = make_room(events);

	if (rc)
		return rc;
	port = xenevtchn_bind_interdomain(events->handle, domid, remote);
	if (port < 0)
		return errno ? -errno : -EIO;
	events->binding[events->count++] = (struct binding){(evtchn_port_t)port, handler, arg};
	*local = (evtchn_port_t)port;
	return 0;
}

void events_unbind(struct events *events, evtchn_port_t local)
{
	struct binding *binding = find(events, local);

	if (!binding)
		return;
	xenevtchn_unbind(events->handle, local);
	*binding = events->binding[--events->count];
}

int events_notify(struct events *events, evtchn_port_t local)
{
	return xenevtchn_notify(events->handle, local) ? -errno : 0;
}
