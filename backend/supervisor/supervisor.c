#include "backend/supervisor/supervisor.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backend/supervisor/metrics.h"
#include "backend/supervisor/query.h"
#include "backend/supervisor/registry.h"
#include "backend/worker/sandbox.h"
#include "lib/log.h"
#include "lib/ready.h"
#include "lib/rundir.h"

/* Watch events taken in one turn of the loop before the devices they mark are looked at. */
#define EVENTS_MAX_TURN 1024

/* Seconds that guests' I/O has to finish when we are told to end. */
#define STOP_SECONDS 10

/* Looks for helpers that have ended, then. */
#define WAITS_A_SECOND 100

struct supervisor {
	struct event_base *base;
	struct xs_handle *xs;
	struct registry registry;
	struct query *query;
	struct metrics *metrics;
	struct event *watch, *pulse, *child, *term, *interrupt, *hangup, *deadline, *turn;
	bool in_order, reload;
};

static void end_if_stopped(struct supervisor *supervisor)
{
	if (!supervisor->registry.stopping || !registry_stopped(&supervisor->registry))
		return;
	supervisor->in_order = true;
	event_base_loopbreak(supervisor->base);
}

/* After every event: what reports and watch events have marked. */
static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *supervisor = arg;

	registry_run(&supervisor->registry);
	end_if_stopped(supervisor);
}

/*
 * libxenstore's descriptor does not become readable when the store goes away; only asking tells
 * (EINVAL: its reading thread has ended). Hence the pulse.
 */
static void on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *supervisor = arg;
	char **event = NULL;
	int n;

	for (n = 0; n < EVENTS_MAX_TURN; n++) {
		event = xs_check_watch(supervisor->xs);
		if (!event)
			break;
		registry_event(&supervisor->registry, event[XS_WATCH_PATH], event[XS_WATCH_TOKEN]);
		free(event);
	}
	if (!event && errno != EAGAIN) {
		log_error(
			"XenStore is gone (%s), all devices go down; start xenstored and this backend again",
			strerror(errno));
		event_base_loopbreak(supervisor->base);
		return;
	}
	if (event)
		event_active(supervisor->watch, EV_READ, 0);
	if (n)
		event_active(supervisor->turn, EV_TIMEOUT, 0);
}

static void on_pulse(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *supervisor = arg;

	registry_tick(&supervisor->registry);
	on_watch(fd, what, arg);
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *supervisor = arg;

	registry_reap(&supervisor->registry);
	event_active(supervisor->turn, EV_TIMEOUT, 0);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *supervisor = arg;
	const struct timeval patience = {.tv_sec = STOP_SECONDS};

	if (supervisor->registry.stopping)
		return;
	log_info("closing all devices");
	event_add(supervisor->deadline, &patience);
	registry_stop(&supervisor->registry);
	end_if_stopped(supervisor);
}

/* The rings stay as they are, with what is in flight in the devices' journals. */
static void on_hangup(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *supervisor = arg;

	if (supervisor->registry.stopping)
		return;
	log_info("SIGHUP: starting anew, the guests' rings go on");
	supervisor->reload = true;
	event_base_loopbreak(supervisor->base);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *supervisor = arg;

	supervisor->in_order = true;
	log_warn("devices are still busy after %d seconds, their workers are killed", STOP_SECONDS);
	event_base_loopbreak(supervisor->base);
}

static int events_add(struct supervisor *supervisor)
{
	static const struct timeval second = {.tv_sec = 1};
	struct event_base *base = supervisor->base;

	supervisor->watch = event_new(base, xs_fileno(supervisor->xs), EV_READ | EV_PERSIST,
				      on_watch, supervisor);
	supervisor->pulse = event_new(base, -1, EV_PERSIST, on_pulse, supervisor);
	supervisor->child = evsignal_new(base, SIGCHLD, on_child, supervisor);
	supervisor->term = evsignal_new(base, SIGTERM, on_signal, supervisor);
	supervisor->interrupt = evsignal_new(base, SIGINT, on_signal, supervisor);
	supervisor->hangup = evsignal_new(base, SIGHUP, on_hangup, supervisor);
	supervisor->deadline = evtimer_new(base, on_deadline, supervisor);
	if (!supervisor->watch || !supervisor->pulse || !supervisor->child || !supervisor->term ||
	    !supervisor->interrupt || !supervisor->hangup || !supervisor->deadline)
		return -ENOMEM;
	if (event_add(supervisor->watch, NULL) || event_add(supervisor->pulse, &second) ||
	    event_add(supervisor->child, NULL) || event_add(supervisor->term, NULL) ||
	    event_add(supervisor->interrupt, NULL) || event_add(supervisor->hangup, NULL))
		return -ENOMEM;
	return 0;
}

static void events_remove(struct supervisor *supervisor)
{
	struct event *const events[] = {supervisor->watch,     supervisor->pulse,
					supervisor->child,     supervisor->term,
					supervisor->interrupt, supervisor->hangup,
					supervisor->deadline,  supervisor->turn};

	for (size_t n = 0; n < sizeof(events) / sizeof(events[0]); n++)
		if (events[n])
			event_free(events[n]);
}

static int serve(struct supervisor *supervisor, const struct supervisor_options *options)
{
	int rc = events_add(supervisor);

	if (!rc)
		rc = registry_watch(&supervisor->registry);
	if (rc) {
		log_error("cannot watch XenStore: %s", strerror(-rc));
		return rc;
	}
	/* Devices are served all the same when somebody is in the way of these. */
	(void)query_open(&supervisor->query, supervisor->base, &supervisor->registry);
	(void)metrics_open(&supervisor->metrics, supervisor->base, &supervisor->registry);
	ready_announce(options->ready_fd);
	event_base_dispatch(supervisor->base);
	return supervisor->in_order || supervisor->reload ? 0 : -EIO;
}

/* Two would open the same images and answer the same guests. */
static int alone(void)
{
	pid_t holder = 0;
	int rc = rundir_hold("xsplit-backend.lock", &holder);

	if (rc == -EBUSY)
		log_error("another xsplit-backend runs here, process %d; end that first", holder);
	else if (rc)
		log_error("%s/xsplit-backend.lock: %s; is the directory writable?", rundir(),
			  strerror(-rc));
	return rc;
}

/* Nothing of ours is left in the loop but helpers that were told to end: an image is let go of when
 * its qemu-nbd is gone. */
static void children_wait(struct event_base *base)
{
	const struct timespec apart = {.tv_nsec = 1000000000 / WAITS_A_SECOND};

	for (int n = 0; n < STOP_SECONDS * WAITS_A_SECOND; n++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		if (!event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED))
			break;
		nanosleep(&apart, NULL);
	}
}

int supervisor_main(const struct supervisor_options *options)
{
	struct supervisor supervisor = {.base = event_base_new()};
	struct guest_options guests = {.base = supervisor.base,
				       .user = options->user,
				       .sandboxed = options->sandboxed,
				       .network = options->sandboxed ? sandbox_network() : -1};
	int rc = -ENOMEM;

	if (!supervisor.base)
		goto out;
	rc = alone();
	if (rc)
		goto free_base;
	rc = -ENOMEM;
	supervisor.turn = event_new(supervisor.base, -1, 0, on_turn, &supervisor);
	if (!supervisor.turn)
		goto free_base;
	supervisor.xs = xs_open(0);
	if (!supervisor.xs) {
		log_error("cannot reach XenStore: %s; is xenstored running (XENSTORED_PATH)?",
			  strerror(errno));
		goto free_events;
	}
	rc = registry_init(&supervisor.registry, supervisor.xs, &guests, supervisor.turn);
	if (!rc)
		rc = serve(&supervisor, options);
	metrics_close(supervisor.metrics);
	query_close(supervisor.query);
	registry_free(&supervisor.registry);
	xs_close(supervisor.xs);
free_events:
	events_remove(&supervisor);
	children_wait(supervisor.base);
free_base:
	event_base_free(supervisor.base);
out:
	if (guests.network >= 0)
		close(guests.network);
	if (supervisor.reload)
		return SUPERVISOR_RELOAD;
	return rc ? 1 : 0;
}
