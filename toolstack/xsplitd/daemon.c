#include "toolstack/xsplitd/daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/ready.h"
#include "toolstack/device/qemu.h"
#include "toolstack/domain/adopt.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/rename.h"
#include "toolstack/nodes.h"
#include "toolstack/xsplitd/agenda.h"
#include "toolstack/xsplitd/autostart.h"
#include "toolstack/xsplitd/awaited.h"
#include "toolstack/xsplitd/observer.h"
#include "toolstack/xsplitd/pending.h"
#include "toolstack/xsplitd/reap.h"

/* Also how soon a store that went away is found again. */
#define SCAN_SECONDS 5
#define SCAN_SOON_US 20000

extern char **environ;

struct xsplitd {
	struct toolstack ts;
	struct event_base *base;
	struct event *watch, *scan, *terminate[2];
	struct waiting waiting;
	struct observer *observer; /* NULL: nobody can listen */
	const char *auto_dir;
	bool store_lost;
	struct agenda now, next;
	int64_t all_at_ms; /* CLOCK_MONOTONIC; all of it at the latest then */
	uint16_t followed; /* which was looked at last for what others did to it */
};

static void scan_soon(struct xsplitd *d)
{
	struct timeval soon = {.tv_usec = SCAN_SOON_US};

	event_add(d->scan, &soon);
}

static void subject_scan_soon(struct xsplitd *d, const struct subject *subject)
{
	if (subject->kind == SUBJECT_DOMAIN)
		agenda_domain(&d->next, subject_domid(subject));
	else
		d->next.all = true;
	scan_soon(d);
}

/* Of a subject's work, for those who listen. */
static void work_say(struct xsplitd *d, const struct subject *subject, const char *event)
{
	observer_say(d->observer, event, subject_domid(subject),
		     subject->kind == SUBJECT_DOMAIN ? NULL : subject->id);
}

static void work_over(void *arg, const struct subject *subject, bool child, int status)
{
	struct xsplitd *d = arg;

	if (child)
		work_say(d, subject, status ? "work-failed" : "work-done");
	subject_scan_soon(d, subject);
}

static void reap_start(struct xsplitd *d, struct awaited *room, const struct subject *subject)
{
	static const char *const options[] = {[SUBJECT_DOMAIN] = "--domain",
					      [SUBJECT_RESTART] = "--restart",
					      [SUBJECT_CREATING] = "--creating",
					      [SUBJECT_AUTOSTART] = "--autostart"};
	const char *id = subject->kind == SUBJECT_AUTOSTART ? d->auto_dir : subject->id;
	const char *const argv[] = {"xsplitd", options[subject->kind], id, NULL};
	pid_t pid;
	int rc = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, (char *const *)argv, environ);

	if (rc)
		log_error("%s: cannot start a process for it: %s", subject->id, strerror(rc));
	else if (!waiting_add(&d->waiting, room, pid, subject, true))
		waitpid(pid, NULL, 0);
	else
		work_say(d, subject, "work");
}

static const struct xen_domain *domain_of(const struct xen_domain *list, size_t count,
					  uint16_t domid)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].domid == domid)
			return &list[i];
	return NULL;
}

static void act(struct xsplitd *d, const struct subject *subject, enum reap_need need, pid_t worker)
{
	struct awaited *room = waiting_room(&d->waiting);

	if (need == REAP_NOTHING)
		return;
	if (!room) /* until somebody is done */
		d->next.all = true;
	else if (need == REAP_NOW)
		reap_start(d, room, subject);
	else if (!waiting_add(&d->waiting, room, worker, subject, false))
		subject_scan_soon(d, subject);
}

static void look(struct xsplitd *d, uint16_t domid, const struct xen_domain *domain)
{
	struct subject subject = {.kind = SUBJECT_DOMAIN};
	enum reap_need need;
	pid_t worker = 0;

	snprintf(subject.id, sizeof(subject.id), "%u", domid);
	if (waiting_has(&d->waiting, &subject))
		return;
	need = reap_needed(&d->ts, domid, domain, &worker);
	act(d, &subject, need, worker);
}

static void look_recorded(struct xsplitd *d, enum subject_kind kind, const char *dir,
			  enum reap_need (*needed)(struct toolstack *ts, const char *uuid,
						   pid_t *worker))
{
	unsigned count;
	char **ids = nodes_list(d->ts.xs, XBT_NULL, &count, "%s", dir);

	for (unsigned i = 0; i < count; i++) {
		struct subject subject = {.kind = kind};
		enum reap_need need;
		pid_t worker = 0;

		snprintf(subject.id, sizeof(subject.id), "%s", ids[i]);
		if (waiting_has(&d->waiting, &subject))
			continue;
		need = needed(&d->ts, subject.id, &worker);
		act(d, &subject, need, worker);
	}
	free(ids);
}

static void look_autostart(struct xsplitd *d)
{
	struct subject subject = {.kind = SUBJECT_AUTOSTART, .id = "autostart"};
	enum reap_need need;
	pid_t worker = 0;

	if (waiting_has(&d->waiting, &subject))
		return;
	need = autostart_needed(&d->ts, d->auto_dir, &worker);
	act(d, &subject, need, worker);
}

/* One that runs and of which the XenStore says nothing is left alone: it costs nothing. */
static void look_at_domains(struct xsplitd *d, const struct xen_domain *list, size_t domains)
{
	unsigned count;
	char **ids = nodes_list(d->ts.xs, XBT_NULL, &count, "/tool/xsplit/domain");
	uint16_t domid;

	for (unsigned i = 0; i < count; i++) {
		const struct xen_domain *domain;

		if (number_parse_u16(ids[i], &domid))
			continue;
		domain = domain_of(list, domains, domid);
		if (agenda_has(&d->now, domid, domain))
			look(d, domid, domain);
	}
	free(ids);
}

static const struct xen_domain *domain_behind(const struct xen_domain *list, size_t count,
					      uint16_t domid)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].domid > domid)
			return &list[i];
	return NULL;
}

static void followed(uint16_t domid, const char *what, int rc)
{
	if (rc > 0)
		log_info("domain %u: another toolstack changed its %s; taken note of", domid, what);
	else if (rc < 0)
		log_error("domain %u: cannot take note of its %s: %s", domid, what, strerror(-rc));
}

/*
 * Another toolstack may have renamed a domain, or given it devices of which neither the kept config
 * nor the index knows. Nothing tells of that but the nodes, and to watch them costs a create more
 * than to look: one domain a look, whose turn it is.
 */
static void look_at_others_work(struct xsplitd *d, const struct xen_domain *list, size_t count)
{
	const struct xen_domain *domain = domain_behind(list, count, d->followed);
	pid_t worker;

	if (!domain)
		domain = domain_behind(list, count, BACKEND_DOMID);
	d->followed = domain ? domain->domid : BACKEND_DOMID;
	if (!domain || record_worker(&d->ts, domain->domid, &worker) != WORKER_NONE)
		return;
	followed(domain->domid, "name", rename_follow(&d->ts, domain->domid));
	followed(domain->domid, "devices", domain_adopt(&d->ts, domain->domid));
}

static int scan(struct xsplitd *d)
{
	struct xen_domain *list;
	struct fault fault = {0};
	size_t domains;
	int rc = xen_domain_list(d->ts.xen, &list, &domains, &fault);

	if (rc) {
		log_error("%s", fault.text);
		return rc;
	}
	observer_look(d->observer, list, domains, &d->now);
	look_at_domains(d, list, domains);
	if (d->now.all)
		look_at_others_work(d, list, domains);
	for (size_t i = 0; d->now.all && i < domains; i++)
		qemu_logs_trim(list[i].domid);
	free(list);
	if (d->now.all || d->now.recorded) {
		look_recorded(d, SUBJECT_CREATING, "/tool/xsplit/creating",
			      pending_creation_needed);
		look_recorded(d, SUBJECT_RESTART, "/tool/xsplit/restart", pending_restart_needed);
	}
	if (d->now.all)
		look_autostart(d);
	return 0;
}

static void watch_fired(evutil_socket_t fd, short what, void *arg)
{
	struct xsplitd *d = arg;
	char **event;

	while ((event = xs_check_watch(d->ts.xs))) {
		agenda_event(&d->next, event[XS_WATCH_PATH]);
		free(event);
	}
	scan_soon(d);
}

static int store_watch(struct xsplitd *d)
{
	static const char *const paths[] = {"@releaseDomain", "@introduceDomain",
					    "/tool/xsplit/domain", "/tool/xsplit/creating",
					    "/tool/xsplit/restart"};

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
	d->next.all = true;
	log_info("the XenStore answers again");
}

static void scan_run(evutil_socket_t fd, short what, void *arg)
{
	struct timeval later = {.tv_sec = SCAN_SECONDS};
	struct xsplitd *d = arg;

	/* First, for what is found may want the next scan sooner. */
	event_add(d->scan, &later);
	if (d->store_lost || !store_answers(d))
		store_reopen(d);
	if (d->store_lost)
		return;
	d->now = d->next;
	d->next = (struct agenda){0};
	if (clock_ms() >= d->all_at_ms) {
		d->now.all = true;
		d->all_at_ms = clock_ms() + SCAN_SECONDS * 1000;
	}
	if (scan(d))
		d->next.all = true;
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
	d->waiting = (struct waiting){&d->ts, d->base, work_over, d, {{0}}};
	return store_watch(d);
}

static void events_free(struct xsplitd *d)
{
	waiting_end(&d->waiting);
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

int daemon_serve(int ready_fd, const char *auto_dir)
{
	struct xsplitd d = {.auto_dir = auto_dir};
	struct fault fault = {0};
	int rc = toolstack_open(&d.ts, &fault);

	if (rc) {
		log_error("%s", fault.text);
		return rc;
	}
	rc = events_make(&d);
	if (rc) {
		log_error("cannot start: %s", strerror(-rc));
	} else {
		(void)observer_open(&d.observer, &d.ts, d.base);
		ready_announce(ready_fd);
		scan_run(-1, 0, &d);
		event_base_dispatch(d.base);
	}
	observer_close(d.observer);
	events_free(&d);
	toolstack_close(&d.ts);
	return rc;
}
