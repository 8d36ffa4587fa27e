#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/block/backing_internal.h"
#include "backend/block/remote.h"

/* ---- state ---- */

void backing_step_soon(struct backing *backing)
{
	struct timeval pause = {.tv_sec = backing->pause_ms / 1000,
				.tv_usec = backing->pause_ms % 1000 * 1000};

	event_add(backing->step, &pause);
}

void backing_failed(struct backing *backing, const char *format, ...)
{
	va_list args;

	if (backing->state != BACKING_ASKING)
		return;
	va_start(args, format);
	vsnprintf(backing->why, sizeof(backing->why), format, args);
	va_end(args);
	backing->state = BACKING_FAILED;
	backing->moved(backing->arg);
}

void backing_try_again(struct backing *backing, const char *why)
{
	backing->pause_ms = backing->pause_ms ? 2 * backing->pause_ms : RETRY_MS;
	if (backing->pause_ms > RETRY_MAX_MS)
		backing->pause_ms = RETRY_MAX_MS;
	if (!backing->is_away) {
		backing->is_away = true;
		backing->away(backing->arg, why);
	}
	backing_step_soon(backing);
}

static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct backing *backing = arg;

	backing->pause_ms = 0;
	if (!backing->is_away || backing->wanted)
		return;
	backing->is_away = false;
	backing->away(backing->arg, NULL);
}

/* ---- one thing at a time ---- */

static void on_step(evutil_socket_t fd, short what, void *arg)
{
	struct backing *backing = arg;
	int rc = 0;

	if (backing->state == BACKING_FAILED)
		return;
	if (source_qemu(&backing->source) && !backing->qemu)
		rc = backing_qemu_start(backing);
	if (!rc && !backing->connector && backing->state == BACKING_ASKING)
		rc = backing_connector_start(backing, -1);
	else if (!rc && !backing->connector && backing->wanted) {
		if (source_qemu(&backing->source) && backing->used) {
			backing->ending = true;
			child_end(backing->qemu); /* on_qemu_ended goes on */
		} else {
			rc = backing_connector_start(backing, __builtin_ctz(backing->wanted));
		}
	}
	if (rc && backing->state == BACKING_ASKING)
		backing_failed(backing, "a helper process cannot be started: %s", strerror(-rc));
	else if (rc)
		backing_try_again(backing, "a helper process cannot be started");
}

void backing_want(struct backing *backing, unsigned n, const char *why)
{
	if (backing->state != BACKING_READY || n >= backing_connections(backing))
		return;
	backing->wanted |= 1u << n;
	/* One that did not last: slower the next time. */
	if (*why && event_pending(backing->settled, EV_TIMEOUT, NULL)) {
		event_del(backing->settled);
		backing_try_again(backing, why);
	} else if (!event_pending(backing->step, EV_TIMEOUT, NULL)) {
		event_active(backing->step, EV_TIMEOUT, 0);
	}
}

bool backing_is_away(const struct backing *backing)
{
	return backing->is_away;
}

void backing_unwant(struct backing *backing)
{
	backing->wanted = 0;
	event_del(backing->settled);
}

/* ---- what it is ---- */

enum backing_state backing_state(const struct backing *backing)
{
	return backing->state;
}

const char *backing_why(const struct backing *backing)
{
	return backing->why;
}

const struct export_info *backing_info(const struct backing *backing)
{
	return &backing->info;
}

unsigned backing_connections(const struct backing *backing)
{
	return backing->info.multi_conn && !source_qemu(&backing->source) ? REMOTE_CONNECTIONS_MAX
									  : 1;
}

const char *backing_export(const struct backing *backing)
{
	return source_qemu(&backing->source) ? "" : backing->source.export;
}

/* ---- life ---- */

int backing_open(struct backing **result, const struct backing_options *options, char *why,
		 size_t size)
{
	struct backing *backing = calloc(1, sizeof(*backing));
	int rc = -ENOMEM;

	snprintf(why, size, "out of memory");
	if (!backing)
		return rc;
	backing->base = options->base;
	backing->name = options->name;
	backing->user = options->user;
	backing->sandboxed = options->sandboxed;
	backing->read_only = options->read_only;
	backing->source = *options->source;
	backing->moved = options->moved;
	backing->connected = options->connected;
	backing->away = options->away;
	backing->arg = options->arg;
	backing->report = backing->listener = backing->errors = backing->below = -1;
	backing->params = strdup(options->params);
	backing->socket = strdup(options->socket);
	backing->step = evtimer_new(backing->base, on_step, backing);
	backing->settled = evtimer_new(backing->base, on_settled, backing);
	if (!backing->params || !backing->socket || !backing->step || !backing->settled)
		goto fail;
	rc = source_qemu(&backing->source) ? backing_listener_make(backing) : 0;
	if (rc) {
		snprintf(why, size, "%.128s cannot be made for its qemu-nbd: %s", backing->socket,
			 strerror(-rc));
		goto fail;
	}
	backing_step_soon(backing);
	*result = backing;
	return 0;

fail:
	backing_close(backing);
	return rc;
}

void backing_close(struct backing *backing)
{
	if (!backing)
		return;
	backing_connector_stop(backing);
	child_free(backing->qemu);
	backing_errors_close(backing);
	if (backing->below >= 0)
		close(backing->below);
	if (backing->listener >= 0 && backing->socket) {
		close(backing->listener);
		unlink(backing->socket);
	}
	if (backing->step)
		event_free(backing->step);
	if (backing->settled)
		event_free(backing->settled);
	free(backing->params);
	free(backing->socket);
	free(backing);
}
