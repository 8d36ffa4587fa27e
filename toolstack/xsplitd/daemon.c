#include "toolstack/xsplitd/daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/number.h"
#include "lib/ready.h"
#include "toolstack/domain/record.h"
#include "toolstack/nodes.h"
#include "toolstack/xsplitd/reap.h"

/* Also how soon a store that went away is found again. */
#define SCAN_SECONDS 5
#define SCAN_SOON_US 20000
#define WORKERS_MAX  64

extern char **environ;

/*
 * What a look at a domain waits for: our own child, somebody else's work, or, after a child that
 * failed, that some time passes.
 */
struct awaited {
	struct event *event; /* on its pidfd or its time; NULL: free */
	pid_t pid;
	uint16_t domid;
	bool child;
	struct xsplitd *daemon;
};

struct xsplitd {
	struct toolstack ts;
	struct event_base *base;
	struct event *watch, *scan, *terminate[2];
	struct awaited awaited[WORKERS_MAX];
	bool store_lost;
};

static void scan_soon(struct xsplitd *d)
{
	struct timeval soon = {.tv_usec = SCAN_SOON_US};

	event_add(d->scan, &soon);
}

static void awaited_free(struct awaited *a)
{
	int fd;

	if (!a->event)
		return;
	fd = event_get_fd(a->event);
	event_free(a->event);
	if (fd >= 0)
		close(fd);
	*a = (struct awaited){.daemon = a->daemon};
}

static void time_passed(evutil_socket_t fd, short what, void *arg)
{
	struct awaited *a = arg;

	awaited_free(a);
	scan_soon(a->daemon);
}

static void process_ended(evutil_socket_t pidfd, short what, void *arg)
{
	struct timeval later = {.tv_sec = SCAN_SECONDS};
	struct awaited *a = arg;
	uint16_t domid = a->domid;
	int status = 0;

	if (a->child)
		waitpid(a->pid, &status, 0);
	awaited_free(a);
	if (status) {
		a->event = evtimer_new(a->daemon->base, time_passed, a);
		a->domid = domid;
		if (a->event)
			event_add(a->event, &later);
	}
	scan_soon(a->daemon);
}

/* Somebody who finished with the domain may live on: whoever stays at its console does. */
static bool is_done(struct xsplitd *d, const struct awaited *a)
{
	pid_t worker;

	return a->pid && !a->child &&
	       (record_worker(&d->ts, a->domid, &worker) != WORKER_ALIVE || worker != a->pid);
}

static bool is_awaited(struct xsplitd *d, uint16_t domid)
{
	for (int i = 0; i < WORKERS_MAX; i++) {
		struct awaited *a = &d->awaited[i];

		if (!a->event || a->domid != domid)
			continue;
		if (!is_done(d, a))
			return true;
		awaited_free(a);
	}
	return false;
}

static struct awaited *awaited_room(struct xsplitd *d)
{
	for (int i = 0; i < WORKERS_MAX; i++)
		if (!d->awaited[i].event)
			return &d->awaited[i];
	return NULL;
}

/* Return: false when the process is gone or there is no descriptor for it. */
static bool await(struct awaited *a, pid_t pid, uint16_t domid, bool child)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return false;
	a->event = event_new(a->daemon->base, pidfd, EV_READ, process_ended, a);
	if (!a->event) {
		close(pidfd);
		return false;
	}
	if (event_add(a->event, NULL)) {
		awaited_free(a);
		return false;
	}
	a->pid = pid;
	a->domid = domid;
	a->child = child;
	return true;
}

static void reap_start(struct awaited *room, uint16_t domid)
{
	char id[8];
	const char *const argv[] = {"xsplitd", "--domain", id, NULL};
	pid_t pid;
	int rc;

	snprintf(id, sizeof(id), "%u", domid);
	rc = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, (char *const *)argv, environ);
	if (rc)
		log_error("domain %u: cannot start a process for it: %s", domid, strerror(rc));
	else if (!await(room, pid, domid, true))
		waitpid(pid, NULL, 0);
}

static const struct xen_domain *domain_of(const struct xen_domain *list, size_t count,
					  uint16_t domid)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].domid == domid)
			return &list[i];
	return NULL;
}

static void look(struct xsplitd *d, uint16_t domid, const struct xen_domain *domain)
{
	bool awaited = is_awaited(d, domid);
	struct awaited *room = awaited_room(d);
	pid_t worker;

	/* Without room the next scan tries again. */
	if (awaited || !room)
		return;
	switch (reap_needed(&d->ts, domid, domain, &worker)) {
	case REAP_NOW:
		reap_start(room, domid);
		break;
	case REAP_LATER:
		if (!await(room, worker, domid, false))
			scan_soon(d);
		break;
	case REAP_NOTHING:
		break;
	}
}

static int look_at_all(struct xsplitd *d)
{
	struct xen_domain *list;
	struct fault fault = {0};
	size_t domains;
	unsigned count;
	uint16_t domid;
	char **ids;
	int rc = xen_domain_list(d->ts.xen, &list, &domains, &fault);

	if (rc) {
		log_error("%s", fault.text);
		return rc;
	}
	ids = nodes_list(d->ts.xs, XBT_NULL, &count, "/tool/xsplit/domain");
	for (unsigned i = 0; i < count; i++)
		if (!number_parse_u16(ids[i], &domid))
			look(d, domid, domain_of(list, domains, domid));
	free(ids);
	free(list);
	return 0;
}

static void watch_fired(evutil_socket_t fd, short what, void *arg)
{
	struct xsplitd *d = arg;
	char **event;

	while ((event = xs_check_watch(d->ts.xs)))
		free(event);
	scan_soon(d);
}

static int store_watch(struct xsplitd *d)
{
	static const char *const paths[] = {"@releaseDomain", "@introduceDomain",
					    "/tool/xsplit/domain"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (!xs_watch(d->ts.xs, paths[i], "xsplitd"))
			return -errno;
	d->watch = event_new(d->base, xs_fileno(d->ts.xs), EV_READ | EV_PERSIST, watch_fired, d);
	return d->watch && !event_add(d->watch, NULL) ? 0 : -ENOMEM;
}

/* libxenstore does not tell when its peer went away; a read does. */
static bool store_answers(struct xsplitd *d)
{
	unsigned count;
	char **names = xs_directory(d->ts.xs, XBT_NULL, "/", &count);

	bool answers = names != NULL;

	free(names);
	return answers;
}

static void store_reopen(struct xsplitd *d)
{
	struct xs_handle *xs = xs_open(0);

	if (!d->store_lost)
		log_error("the XenStore does not answer; trying again every %d s", SCAN_SECONDS);
	d->store_lost = true;
	if (!xs)
		return;
	if (d->watch)
		event_free(d->watch);
	d->watch = NULL;
	xs_close(d->ts.xs);
	d->ts.xs = xs;
	if (store_watch(d))
		return;
	d->store_lost = false;
	log_info("the XenStore answers again");
}

static void scan_run(evutil_socket_t fd, short what, void *arg)
{
	struct timeval later = {.tv_sec = SCAN_SECONDS};
	struct xsplitd *d = arg;

	if (d->store_lost || !store_answers(d))
		store_reopen(d);
	if (!d->store_lost)
		look_at_all(d);
	event_add(d->scan, &later);
}

static void terminated(evutil_socket_t signal, short what, void *arg)
{
	event_base_loopbreak(((struct xsplitd *)arg)->base);
}

static int events_make(struct xsplitd *d)
{
	static const int signals[] = {SIGTERM, SIGINT};

	d->base = event_base_new();
	d->scan = d->base ? evtimer_new(d->base, scan_run, d) : NULL;
	if (!d->scan)
		return -ENOMEM;
	for (int i = 0; i < 2; i++) {
		d->terminate[i] = evsignal_new(d->base, signals[i], terminated, d);
		if (!d->terminate[i] || event_add(d->terminate[i], NULL))
			return -ENOMEM;
	}
	return store_watch(d);
}

static void events_free(struct xsplitd *d)
{
	for (int i = 0; i < WORKERS_MAX; i++)
		awaited_free(&d->awaited[i]);
	for (int i = 0; i < 2; i++)
		if (d->terminate[i])
			event_free(d->terminate[i]);
	if (d->scan)
		event_free(d->scan);
	if (d->watch)
		event_free(d->watch);
	if (d->base)
		event_base_free(d->base);
}

int daemon_serve(int ready_fd)
{
	struct xsplitd d = {0};
	struct fault fault = {0};
	int rc = toolstack_open(&d.ts, &fault);

	if (rc) {
		log_error("%s", fault.text);
		return rc;
	}
	for (int i = 0; i < WORKERS_MAX; i++)
		d.awaited[i].daemon = &d;
	rc = events_make(&d);
	if (rc) {
		log_error("cannot start: %s", strerror(-rc));
	} else {
		ready_announce(ready_fd);
		scan_run(-1, 0, &d);
		event_base_dispatch(d.base);
	}
	events_free(&d);
	toolstack_close(&d.ts);
	return rc;
}
