#include "backend/block/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/block/remote.h"
#include "backend/supervisor/child.h"
#include "lib/fdpass.h"
#include "lib/log.h"

/* Milliseconds between two tries: doubled from the one to the other. */
#define RETRY_MS     200u
#define RETRY_MAX_MS 2000u

/* A connection that is lost within so many milliseconds was none. */
#define SETTLED_MS 3000u

/* So often an image is tried that another process has locked. */
#define LOCKED_TRIES 25u

/* What an export may say at most: an off_t. */
#define SIZE_MAX_BYTES ((uint64_t)INT64_MAX)

struct backing {
	struct event_base *base;
	const char *name, *user;
	bool sandboxed, read_only;
	char *params, *socket;
	struct source source;
	void (*moved)(void *arg);
	void (*connected)(void *arg, unsigned n, int fd);
	void (*away)(void *arg, const char *why);
	void *arg;
	enum backing_state state;
	char why[256];
	struct export_info info;
	struct event *step;    /* go on, now or after a pause */
	struct event *settled; /* the last connection has lasted */
	unsigned wanted;       /* a bit a connection */
	unsigned pause_ms;     /* before the next try */
	bool is_away;
	/* the connector that runs */
	struct child *connector;
	int report; /* our end of its socket, or -1 */
	int number; /* of the connection it makes, or -1: it asks about the export */
	/* the qemu-nbd */
	int listener, errors; /* -1: none */
	struct child *qemu;
	bool used;       /* a connection to it was given away */
	bool ending;     /* it was told to end by us */
	unsigned locked; /* so often an earlier one had the image still */
	struct event *readable;
	char line[200];
	size_t length;
};

/* ---- state ---- */

static void step_soon(struct backing *backing)
{
	struct timeval pause = {.tv_sec = backing->pause_ms / 1000,
				.tv_usec = backing->pause_ms % 1000 * 1000};

	event_add(backing->step, &pause);
}

__attribute__((format(printf, 2, 3))) static void failed(struct backing *backing,
							 const char *format, ...)
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

/* Another try later, and a word about it the first time. */
static void try_again(struct backing *backing, const char *why)
{
	backing->pause_ms = backing->pause_ms ? 2 * backing->pause_ms : RETRY_MS;
	if (backing->pause_ms > RETRY_MAX_MS)
		backing->pause_ms = RETRY_MAX_MS;
	if (!backing->is_away) {
		backing->is_away = true;
		backing->away(backing->arg, why);
	}
	step_soon(backing);
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

/* ---- the connector ---- */

/* It comes from a process that has read what the server says. */
static bool info_take(struct backing *backing, const struct export_info *info)
{
	if (info->size > SIZE_MAX_BYTES || !info->block_min || info->block_min > 65536 ||
	    info->block_min & (info->block_min - 1)) {
		failed(backing, "the server says nonsense about its export");
		return false;
	}
	if (info->read_only && !backing->read_only) {
		failed(backing, "the export is read-only; attach the disk with access=ro");
		return false;
	}
	backing->info = *info;
	return true;
}

static void connector_done(struct backing *backing, const struct connector_report *report, int fd)
{
	static const struct timeval settled = {.tv_sec = SETTLED_MS / 1000};
	int number = backing->number;

	if (number < 0 && report->rc) {
		failed(backing, "%.64s: %s", backing->params, report->text);
	} else if (number < 0) {
		if (!info_take(backing, &report->info))
			return;
		backing->state = BACKING_READY;
		backing->moved(backing->arg);
	} else if (fd < 0) {
		try_again(backing, report->rc ? report->text : "no connection");
	} else if (!(backing->wanted & 1u << number)) {
		close(fd); /* the worker has gone meanwhile */
	} else {
		backing->wanted &= ~(1u << number);
		backing->used = true;
		event_add(backing->settled, &settled);
		backing->connected(backing->arg, (unsigned)number, fd);
	}
	if (backing->wanted && !event_pending(backing->step, EV_TIMEOUT, NULL))
		event_active(backing->step, EV_TIMEOUT, 0);
}

static void on_connector_ended(void *arg, int status)
{
	struct backing *backing = arg;
	struct connector_report report;
	int fds[FDPASS_MAX];
	size_t count = 0;

	if (fdpass_receive(backing->report, &report, sizeof(report), fds, &count)) {
		report.rc = -ETIMEDOUT;
		snprintf(report.text, sizeof(report.text),
			 "the server does not answer within %d seconds", CONNECTOR_SECONDS);
	}
	report.text[sizeof(report.text) - 1] = '\0';
	while (count > 1)
		close(fds[--count]);
	if (count && report.rc) {
		close(fds[0]);
		count = 0;
	}
	child_free(backing->connector);
	backing->connector = NULL;
	close(backing->report);
	backing->report = -1;
	connector_done(backing, &report, count ? fds[0] : -1);
}

static int connector_start(struct backing *backing, int number)
{
	char params[sizeof(backing->source.socket) + 64];
	const char *words[8] = {"xsplit-backend", "--nbd-connect", params};
	struct child_options options = {.base = backing->base,
					.words = words,
					.count = 1,
					.signal = SIGKILL,
					.error = -1,
					.ended = on_connector_ended,
					.arg = backing};
	int pair[2], n = 3, rc;

	if (source_qemu(&backing->source))
		snprintf(params, sizeof(params), "nbd+unix:///?socket=%s", backing->socket);
	else
		words[2] = backing->params;
	if (number < 0)
		words[n++] = "--ask";
	if (backing->user) {
		words[n++] = "--user";
		words[n++] = backing->user;
	}
	if (!backing->sandboxed)
		words[n++] = "--without-sandbox";
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return -errno;
	options.fds = &pair[1];
	rc = child_start(&backing->connector, &options);
	close(pair[1]);
	if (rc) {
		close(pair[0]);
		return rc;
	}
	backing->report = pair[0];
	backing->number = number;
	return 0;
}

static void connector_stop(struct backing *backing)
{
	child_free(backing->connector);
	backing->connector = NULL;
	if (backing->report >= 0)
		close(backing->report);
	backing->report = -1;
}

/* ---- the qemu-nbd ---- */

static void line_end(struct backing *backing)
{
	backing->line[backing->length] = '\0';
	if (backing->length) {
		const char *words = backing->line;

		for (const char *skip = "qemu-nbd: "; *skip && *skip == *words; skip++)
			words++;
		if (backing->state != BACKING_ASKING)
			log_warn("%s: %s", backing->name, words);
		if (backing->state == BACKING_ASKING)
			snprintf(backing->why, sizeof(backing->why), "%.200s%s", words,
				 strstr(words, "Unknown protocol 'rbd'")
					 ? "; install qemu-block-extra"
					 : "");
	}
	backing->length = 0;
}

/* What it says goes into the log, line by line. Return: is there more? */
static bool errors_read(struct backing *backing)
{
	char text[512];
	ssize_t n = read(backing->errors, text, sizeof(text));

	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			line_end(backing);
		else if (backing->length < sizeof(backing->line) - 1)
			backing->line[backing->length++] = text[i];
	}
	return n > 0;
}

static void on_errors(evutil_socket_t fd, short what, void *arg)
{
	struct backing *backing = arg;

	if (!errors_read(backing))
		event_del(backing->readable);
}

static void errors_close(struct backing *backing)
{
	if (backing->readable)
		event_free(backing->readable);
	backing->readable = NULL;
	if (backing->errors >= 0)
		close(backing->errors);
	backing->errors = -1;
}

static void on_qemu_ended(void *arg, int status)
{
	struct backing *backing = arg;
	char how[64];

	while (errors_read(backing))
		;
	line_end(backing);
	errors_close(backing);
	child_free(backing->qemu);
	backing->qemu = NULL;
	backing->used = false;
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(status));
	if (backing->state == BACKING_ASKING && strstr(backing->why, "lock") &&
	    backing->locked++ < LOCKED_TRIES) {
		backing->pause_ms = RETRY_MS; /* that of the disk's last life is about to end */
		step_soon(backing);
		return;
	}
	if (backing->state == BACKING_ASKING) {
		char why[sizeof(backing->why)];

		snprintf(why, sizeof(why), "%s", backing->why);
		connector_stop(backing);
		failed(backing, "%.200s", *why ? why : how);
		return;
	}
	if (!backing->ending) {
		log_error("%s: its qemu-nbd %s, it is started again", backing->name, how);
		try_again(backing, "its qemu-nbd has ended");
	} else {
		step_soon(backing);
	}
}

/* The socket is ours, so whoever connects waits there for the next qemu-nbd. */
static int listener_make(struct backing *backing)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int rc = 0;

	if (strlen(backing->socket) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, backing->socket, strlen(backing->socket));
	backing->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (backing->listener < 0)
		return -errno;
	unlink(backing->socket);
	mask = umask(0177);
	if (bind(backing->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(backing->listener, 16))
		rc = -errno;
	umask(mask);
	return rc;
}

static int qemu_start(struct backing *backing)
{
	const char *words[8] = {"xsplit-backend", "--qemu-nbd", backing->params};
	struct child_options options = {.base = backing->base,
					.words = words,
					.fds = &backing->listener,
					.count = 1,
					.signal = SIGTERM, /* it has tables to write */
					.ended = on_qemu_ended,
					.arg = backing};
	int ends[2], n = 3, rc;

	if (backing->read_only)
		words[n++] = "--read-only";
	if (backing->user) {
		words[n++] = "--user";
		words[n++] = backing->user;
	}
	if (!backing->sandboxed)
		words[n++] = "--without-sandbox";
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	fcntl(ends[1], F_SETFL, 0);
	options.error = ends[1];
	rc = child_start(&backing->qemu, &options);
	close(ends[1]);
	if (rc) {
		close(ends[0]);
		return rc;
	}
	backing->errors = ends[0];
	backing->ending = backing->used = false;
	backing->readable =
		event_new(backing->base, ends[0], EV_READ | EV_PERSIST, on_errors, backing);
	if (backing->readable)
		event_add(backing->readable, NULL);
	return 0;
}

/* ---- one thing at a time ---- */

static void on_step(evutil_socket_t fd, short what, void *arg)
{
	struct backing *backing = arg;
	int rc = 0;

	if (backing->state == BACKING_FAILED)
		return;
	if (source_qemu(&backing->source) && !backing->qemu)
		rc = qemu_start(backing);
	if (!rc && !backing->connector && backing->state == BACKING_ASKING)
		rc = connector_start(backing, -1);
	else if (!rc && !backing->connector && backing->wanted) {
		if (source_qemu(&backing->source) && backing->used) {
			backing->ending = true;
			child_end(backing->qemu); /* on_qemu_ended goes on */
		} else {
			rc = connector_start(backing, __builtin_ctz(backing->wanted));
		}
	}
	if (rc && backing->state == BACKING_ASKING)
		failed(backing, "a helper process cannot be started: %s", strerror(-rc));
	else if (rc)
		try_again(backing, "a helper process cannot be started");
}

void backing_want(struct backing *backing, unsigned n, const char *why)
{
	if (backing->state != BACKING_READY || n >= backing_connections(backing))
		return;
	backing->wanted |= 1u << n;
	/* One that did not last: slower the next time. */
	if (*why && event_pending(backing->settled, EV_TIMEOUT, NULL)) {
		event_del(backing->settled);
		try_again(backing, why);
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
	backing->report = backing->listener = backing->errors = -1;
	backing->params = strdup(options->params);
	backing->socket = strdup(options->socket);
	backing->step = evtimer_new(backing->base, on_step, backing);
	backing->settled = evtimer_new(backing->base, on_settled, backing);
	if (!backing->params || !backing->socket || !backing->step || !backing->settled)
		goto fail;
	rc = source_qemu(&backing->source) ? listener_make(backing) : 0;
	if (rc) {
		snprintf(why, size, "%.128s cannot be made for its qemu-nbd: %s", backing->socket,
			 strerror(-rc));
		goto fail;
	}
	step_soon(backing);
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
	connector_stop(backing);
	child_free(backing->qemu);
	errors_close(backing);
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
