#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/block/backing_internal.h"
#include "lib/fdpass.h"

/* It comes from a process that has read what the server says. */
static bool info_take(struct backing *backing, const struct export_info *info)
{
	char why[200];

	if (export_check(info, backing->read_only, why, sizeof(why))) {
		backing_failed(backing, "%.64s: %s", backing->params, why);
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
		backing_failed(backing, "%.64s: %s", backing->params, report->text);
	} else if (number < 0) {
		if (!info_take(backing, &report->info))
			return;
		backing->state = BACKING_READY;
		backing->moved(backing->arg);
	} else if (fd < 0) {
		backing_try_again(backing, report->rc ? report->text : "no connection");
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

int backing_connector_start(struct backing *backing, int number)
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

void backing_connector_stop(struct backing *backing)
{
	child_free(backing->connector);
	backing->connector = NULL;
	if (backing->report >= 0)
		close(backing->report);
	backing->report = -1;
}
