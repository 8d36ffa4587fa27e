#include "backend/worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/classes.h"
#include "backend/worker/sandbox.h"
#include "lib/fdpass.h"
#include "lib/outbox.h"

/* Reports that may wait for the supervisor to read. */
#define REPORTS_MAX 4096

struct process {
	struct worker worker; /* first: what the classes see */
	int socket;
	struct event *readable;
	struct outbox *reports;
	struct worker_device *devices;
	bool leaving; /* the supervisor has closed the socket */
};

static struct process *process_of(struct worker_device *dev)
{
	return (struct process *)dev->worker;
}

/*
 * The supervisor has no more work for us, or it is gone. What then still runs is in the devices'
 * journals, and a supervisor after it has another worker take it up: not a byte more from here.
 */
static void leave(struct process *process)
{
	if (process->leaving)
		return;
	if (process->devices)
		_exit(0);
	process->leaving = true;
	event_base_loopbreak(process->worker.base);
}

/* ---- reports ---- */

static void report_send(struct process *process, const struct worker_report *report)
{
	int rc;

	if (process->leaving)
		return;
	rc = outbox_send(process->reports, report, sizeof(*report), NULL, 0);
	if (rc == -ENOBUFS || rc == -ENOMEM)
		leave(process); /* the supervisor would wait for this one for ever */
	else if (rc)
		event_active(process->readable, EV_READ, 0); /* finds the end of file */
}

static void report_device(struct process *process, enum worker_report_type type,
			  const struct worker_request *request, int rc, const char *text)
{
	struct worker_report report = {
		.type = type,
		.kind = request->kind,
		.devid = request->devid,
		.serial = request->serial,
		.change = request->change,
		.rc = rc,
	};

	snprintf(report.text, sizeof(report.text), "%s", text);
	report_send(process, &report);
}

static struct worker_request identity(const struct worker_device *dev)
{
	struct worker_request request = {.devid = dev->devid, .serial = dev->serial};

	while (request.kind < WORKER_KINDS && worker_classes[request.kind] != dev->class)
		request.kind++;
	return request;
}

int worker_fail(struct worker_device *dev, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(dev->error, sizeof(dev->error), format, args);
	va_end(args);
	return rc;
}

void worker_error(struct worker_device *dev, int rc, const char *format, ...)
{
	const struct worker_request request = identity(dev);
	va_list args;

	va_start(args, format);
	vsnprintf(dev->error, sizeof(dev->error), format, args);
	va_end(args);
	report_device(process_of(dev), WORKER_ERROR, &request, rc, dev->error);
}

void worker_want(struct worker_device *dev, uint32_t what, const char *why)
{
	struct worker_request request = identity(dev);

	request.change = what;
	report_device(process_of(dev), WORKER_WANT, &request, 0, why);
}

void worker_trouble(struct worker_device *dev, int rc, const char *format, ...)
{
	const struct worker_request request = identity(dev);
	va_list args;

	va_start(args, format);
	vsnprintf(dev->error, sizeof(dev->error), format, args);
	va_end(args);
	report_device(process_of(dev), WORKER_TROUBLE, &request, rc, dev->error);
}

void worker_recovered(struct worker_device *dev, const char *how)
{
	const struct worker_request request = identity(dev);

	report_device(process_of(dev), WORKER_RECOVERED, &request, 0, how);
}

/* ---- devices ---- */

static struct worker_device *entry_find(struct process *process,
					const struct worker_request *request)
{
	for (struct worker_device *dev = process->devices; dev; dev = dev->next)
		if (dev->class == worker_classes[request->kind] && dev->devid == request->devid)
			return dev;
	return NULL;
}

static void entry_free(struct worker_device *dev)
{
	struct worker_device **link = &process_of(dev)->devices;

	while (*link != dev)
		link = &(*link)->next;
	*link = dev->next;
	free(dev);
}

static struct worker_device *entry_new(struct process *process,
				       const struct worker_request *request)
{
	const struct worker_class *class = worker_classes[request->kind];
	struct worker_device *dev = calloc(1, class->size);

	if (!dev)
		return NULL;
	dev->worker = &process->worker;
	dev->class = class;
	dev->devid = request->devid;
	dev->serial = request->serial;
	snprintf(dev->name, sizeof(dev->name), "%s %u/%" PRIu32, class->name, process->worker.domid,
		 dev->devid);
	dev->next = process->devices;
	process->devices = dev;
	return dev;
}

void worker_disconnected(struct worker_device *dev)
{
	struct process *process = process_of(dev);
	const struct worker_request request = identity(dev);

	entry_free(dev);
	report_device(process, WORKER_DOWN, &request, 0, "");
}

static void on_connect(struct process *process, const struct worker_request *request, int *fds,
		       size_t count)
{
	struct worker_device *dev = entry_find(process, request) ? NULL
								 : entry_new(process, request);
	int rc = -EEXIST;

	if (dev)
		rc = dev->class->connect(dev, request->payload, fds, count);
	if (!rc) {
		report_device(process, WORKER_UP, request, 0, "");
		return;
	}
	while (count)
		close(fds[--count]);
	report_device(process, WORKER_FAILED, request, rc, dev ? dev->error : "it runs already");
	if (dev)
		entry_free(dev);
}

static void on_disconnect(struct process *process, const struct worker_request *request)
{
	struct worker_device *dev = entry_find(process, request);

	if (!dev) {
		report_device(process, WORKER_DOWN, request, 0, ""); /* its connect had failed */
		return;
	}
	if (dev->disconnecting)
		return;
	dev->disconnecting = true;
	dev->class->disconnect(dev);
}

void worker_changed(struct worker_device *dev, int rc)
{
	struct worker_request request = identity(dev);

	request.change = dev->change;
	dev->change = 0;
	report_device(process_of(dev), WORKER_CHANGED, &request, rc, rc ? dev->error : "");
}

static void on_change(struct process *process, const struct worker_request *request, int *fds,
		      size_t count)
{
	struct worker_device *dev = entry_find(process, request);
	int rc = -ENOTCONN;

	if (dev && !dev->disconnecting && dev->serial == request->serial) {
		worker_fail(dev, -EOPNOTSUPP, "it has nothing that can change");
		rc = dev->class->change ? dev->class->change(dev, request->payload, fds, count)
					: -EOPNOTSUPP;
	}
	if (rc == -EINPROGRESS) {
		dev->change = request->change;
		return;
	}
	while (rc && count)
		close(fds[--count]);
	report_device(process, WORKER_CHANGED, request, rc,
		      !rc               ? ""
		      : rc == -ENOTCONN ? "it is not connected"
					: dev->error);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct process *process = arg;
	struct worker_request request;
	int fds[FDPASS_MAX], rc;
	size_t count = 0;

	rc = fdpass_receive(process->socket, &request, sizeof(request), fds, &count);
	if (rc == -EAGAIN || rc == -EINTR)
		return;
	if (rc || request.kind >= WORKER_KINDS) {
		leave(process);
		return;
	}
	if (request.type == WORKER_CONNECT)
		on_connect(process, &request, fds, count);
	else if (request.type == WORKER_DISCONNECT)
		on_disconnect(process, &request);
	else if (request.type == WORKER_CHANGE)
		on_change(process, &request, fds, count);
}

/* ---- life ---- */

static int process_open(struct process *process)
{
	struct worker *worker = &process->worker;
	int rc;

	worker->base = event_base_new();
	if (!worker->base)
		return -ENOMEM;
	worker->gnttab = xengnttab_open(NULL, 0);
	if (!worker->gnttab) {
		rc = errno ? -errno : -EIO;
		log_error(
			"worker %u: no grant table: %s; is /dev/xen/gntdev there (modprobe xen-gntdev)?",
			worker->domid, strerror(-rc));
		return rc;
	}
	rc = events_open(&worker->events, worker->base);
	if (rc) {
		log_error(
			"worker %u: no event channels: %s; is /dev/xen/evtchn there (modprobe xen-evtchn)?",
			worker->domid, strerror(-rc));
		return rc;
	}
	fcntl(process->socket, F_SETFL, O_NONBLOCK);
	process->readable = event_new(worker->base, process->socket, EV_READ | EV_PERSIST,
				      on_readable, process);
	if (!process->readable || event_add(process->readable, NULL))
		return -ENOMEM;
	return outbox_new(&process->reports, worker->base, process->socket, REPORTS_MAX);
}

static void process_close(struct process *process)
{
	struct worker *worker = &process->worker;

	outbox_free(process->reports);
	if (process->readable)
		event_free(process->readable);
	events_close(worker->events);
	if (worker->gnttab)
		xengnttab_close(worker->gnttab);
	if (worker->base)
		event_base_free(worker->base);
	close(process->socket);
}

int worker_main(int socket, int network, uint16_t domid, const char *user, bool sandboxed)
{
	const struct worker_report ready = {.type = WORKER_READY};
	struct process process = {.worker = {.domid = domid}, .socket = socket};
	int rc;

	/* A terminal's or a service manager's signals are the supervisor's, who ends us in order.
	 */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	fcntl(socket, F_SETFD, FD_CLOEXEC);
	close_range((unsigned)network + 1, ~0u, 0);
	/* None was given. */
	if (fcntl(network, F_SETFD, FD_CLOEXEC))
		network = -1;
	sandbox_limits();
	rc = process_open(&process);
	if (!rc && sandboxed)
		rc = sandbox_enter(user, network);
	if (network >= 0)
		close(network);
	if (!rc) {
		report_send(&process, &ready);
		event_base_dispatch(process.worker.base);
	}
	process_close(&process);
	return rc ? 1 : 0;
}
