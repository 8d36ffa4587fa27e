#include "backend/xenbus/device.h"

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/supervisor/guest.h"
#include "backend/xenbus/error.h"
#include "lib/fdpass.h"

/* Actions in one update: more would be a loop in the machine. */
#define ACTIONS_MAX 16

/* Workers that die in a row over the same request before its device is given up. */
#define DEATHS_MAX 5

/* Looks, 10 ms apart, before what hinders the recovery of a device is taken for lasting. */
#define TRIES_MAX 500

/* ---- writing our nodes ---- */

struct change {
	struct device *dev;
	enum xenbus_state state;
	bool publish; /* the class's nodes too */
};

/* Never into a directory that the toolstack has just removed: it would come back to life. */
static int change_body(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct change *change = arg;
	struct device *dev = change->dev;
	int rc = 0;

	if (!xs_exists(xs, t, "%s/frontend", dev->back))
		return -ENOENT;
	if (change->publish) {
		rc = dev->class->publish(dev, xs, t);
		if (!rc && !dev->script && change->state == XenbusStateInitWait)
			rc = xs_write_string(xs, t, "connected", "%s/hotplug-status", dev->back);
	}
	return rc ? rc : xs_write_number(xs, t, change->state, "%s/state", dev->back);
}

static int state_write(struct device *dev, enum xenbus_state state, bool publish)
{
	struct change change = {dev, state, publish};
	int rc = xs_transact(dev->xs, change_body, &change);

	if (rc == -ENOENT) {
		dev->xenbus.present = false;
		return rc;
	}
	if (rc)
		log_error("%s: state %d cannot be written to %s: %s", dev->name, state, dev->back,
			  strerror(-rc));
	else
		log_debug("%s: state %d", dev->name, state);
	/* A store that does not take it is no reason to keep the guest's pages mapped. */
	xenbus_wrote(&dev->xenbus, state);
	return rc;
}

static bool log_now(struct log_limit *limit)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return log_allowed(limit, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

static void device_error(struct device *dev, bool hotplug)
{
	if (!log_now(&dev->limit))
		return;
	log_error("%s: %s", dev->name, dev->error);
	if (dev->xenbus.present)
		error_write(dev->xs, dev->back, dev->error, hotplug && !dev->script);
}

void device_wake(struct device *dev)
{
	dev->dirty = true;
	event_active(guest_options(dev->guest)->turn, EV_TIMEOUT, 0);
}

void device_trouble(struct device *dev, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(dev->error, sizeof(dev->error), format, args);
	va_end(args);
	dev->trouble = true;
	device_error(dev, false);
}

void device_recovered(struct device *dev, const char *how)
{
	if (!dev->trouble)
		return;
	dev->trouble = false;
	if (log_now(&dev->limit))
		log_info("%s: %s", dev->name, how);
	error_clear(dev->xs, dev->back);
}

/* ---- actions ---- */

static void close_class(struct device *dev)
{
	if (dev->probed)
		dev->class->close(dev);
	dev->probed = false;
	dev->opened = false;
	dev->trouble = false;
	dev->xenbus.hotplug_ready = false;
}

static void let_go(struct device *dev)
{
	if (dev->probed && dev->class->disconnected)
		dev->class->disconnected(dev);
	journal_remove(&dev->journal);
	dev->recovering = dev->careful = dev->renewing = false;
	dev->deaths = 0;
	dev->answered = 0;
}

static void connect_failed(struct device *dev)
{
	let_go(dev);
	device_error(dev, false);
	xenbus_fail(&dev->xenbus);
}

/* Something of the worker before is in the way: look again in a moment, a bounded number of times.
 */
static bool wait_more(struct device *dev)
{
	dev->waiting = dev->recovering && ++dev->tries < TRIES_MAX;
	return dev->waiting;
}

static int prepare(struct device *dev)
{
	int rc = 0;

	if (!dev->probed) {
		dev->probed = true;
		rc = dev->class->probe(dev);
	}
	if (!rc && !dev->opened && (!dev->script || dev->xenbus.hotplug_ready)) {
		rc = dev->class->open(dev);
		dev->opened = !rc;
	}
	dev->waiting = rc == -EINPROGRESS;
	if (dev->waiting)
		return rc;
	if (rc) {
		close_class(dev);
		/* A TAP or a lock of the supervisor before us goes with its last worker. */
		if (rc == -EBUSY && wait_more(dev))
			return rc;
		let_go(dev);
		device_error(dev, true);
		xenbus_fail(&dev->xenbus);
	} else if (!dev->script) {
		dev->xenbus.hotplug_ready = true;
	}
	return rc;
}

static void announce(struct device *dev)
{
	if (prepare(dev) || state_write(dev, XenbusStateInitWait, true))
		return;
	error_clear(dev->xs, dev->back);
}

int device_journal(struct device *dev, size_t size)
{
	int rc;

	if (dev->journal.fd >= 0 && journal_size(&dev->journal) == (off_t)size)
		return 0;
	if (dev->journal.fd >= 0 && dev->recovering)
		return device_fail(dev, -EPROTO,
				   "its in-flight log does not fit its rings; the guest has to "
				   "reconnect");
	rc = journal_create(&dev->journal, size);
	if (rc && log_now(&dev->chatter))
		log_warn(
			"%s: no in-flight log (%s: %s): the guest will notice when its worker dies",
			dev->name, dev->journal.path, strerror(-rc));
	return 0;
}

/* Has a worker of the supervisor before us still the rings? */
static bool held_by_another(struct device *dev)
{
	if (!journal_lock(&dev->journal))
		return false;
	if (++dev->held == TRIES_MAX)
		log_warn(
			"%s: waits for the worker of the backend before this one to end; kill it if "
			"it hangs",
			dev->name);
	return true;
}

/* May a worker be started, and is it over with the one that had these rings before? */
static bool rings_free(struct device *dev)
{
	bool broken = dev->xenbus.link == XENBUS_BROKEN;

	dev->waiting = guest_resting(dev->guest) || (broken && held_by_another(dev));
	return !dev->waiting;
}

static void connect_rings(struct device *dev)
{
	struct worker_request request = {
		.type = WORKER_CONNECT,
		.kind = dev->class->kind,
		.devid = dev->devid,
		.serial = ++dev->serial,
	};
	int fds[FDPASS_MAX], rc;
	size_t count = 0;

	if (!rings_free(dev))
		return;
	if (prepare(dev)) /* what a hotplug script has just made ready */
		return;
	rc = dev->class->connect(dev, request.payload, fds, &count);
	dev->waiting = rc == -EAGAIN;
	if (dev->waiting)
		return;
	if (!rc) {
		rc = guest_request(dev->guest, &request, fds, count);
		if (rc)
			device_fail(dev, rc, "its worker cannot be asked to connect: %s",
				    strerror(-rc));
	}
	if (rc)
		connect_failed(dev);
	else
		xenbus_linked(&dev->xenbus, XENBUS_STARTING);
}

static void disconnect_rings(struct device *dev)
{
	struct worker_request request = {
		.type = WORKER_DISCONNECT,
		.kind = dev->class->kind,
		.devid = dev->devid,
		.serial = dev->serial,
	};

	if (dev->xenbus.link == XENBUS_BROKEN) {
		dev->waiting = held_by_another(dev);
		if (dev->waiting)
			return;
		let_go(dev);
		xenbus_linked(&dev->xenbus, XENBUS_IDLE);
		return;
	}
	xenbus_linked(&dev->xenbus, XENBUS_STOPPING);
	if (guest_has_worker(dev->guest))
		(void)guest_request(dev->guest, &request, NULL,
				    0); /* if not, its death is reported */
	else
		xenbus_linked(&dev->xenbus, XENBUS_IDLE);
}

bool device_running(const struct device *dev)
{
	return dev->xenbus.link == XENBUS_RUNNING && dev->xenbus.own == XenbusStateConnected;
}

bool device_idle(const struct device *dev)
{
	return dev->xenbus.link == XENBUS_IDLE;
}

int device_change(struct device *dev, const void *payload, size_t size, const int *fds,
		  size_t count, uint32_t *change)
{
	struct worker_request request = {
		.type = WORKER_CHANGE,
		.kind = dev->class->kind,
		.devid = dev->devid,
		.serial = dev->serial,
	};
	int rc;

	if (!++dev->changes)
		dev->changes++;
	request.change = dev->changes;
	memcpy(request.payload, payload, size);
	rc = guest_request(dev->guest, &request, fds, count);
	if (!rc)
		*change = request.change;
	return rc;
}

int device_renew(struct device *dev)
{
	if (!device_running(dev))
		return -ENOTCONN;
	if (dev->journal.fd < 0)
		return -EOPNOTSUPP;
	dev->renewing = true;
	disconnect_rings(dev);
	return 0;
}

int device_republish(struct device *dev)
{
	enum xenbus_state state = dev->xenbus.own;

	if (state != XenbusStateInitWait && state != XenbusStateConnected)
		return -ENOTCONN;
	return state_write(dev, state, true);
}

static void release(struct device *dev)
{
	close_class(dev);
	let_go(dev);
	error_clear(dev->xs, dev->back);
	dev->released = true;
}

static void carry_out(struct device *dev, enum xenbus_action action)
{
	switch (action) {
	case XENBUS_ANNOUNCE:
		announce(dev);
		break;
	case XENBUS_CONNECT:
		connect_rings(dev);
		break;
	case XENBUS_WRITE_CONNECTED:
		if (!state_write(dev, XenbusStateConnected, true) && log_now(&dev->chatter))
			log_info("%s: connected", dev->name);
		break;
	case XENBUS_RECONFIGURE:
		(void)state_write(dev, XenbusStateReconfigured, false);
		break;
	case XENBUS_WRITE_CLOSING:
		(void)state_write(dev, XenbusStateClosing, false);
		break;
	case XENBUS_DISCONNECT:
		disconnect_rings(dev);
		break;
	case XENBUS_WRITE_CLOSED:
		if (!state_write(dev, XenbusStateClosed, false) && log_now(&dev->chatter))
			log_info("%s: closed", dev->name);
		break;
	case XENBUS_RELEASE:
		release(dev);
		break;
	case XENBUS_NOTHING:
		break;
	}
}

static void run(struct device *dev)
{
	dev->waiting = false;
	for (int n = 0; n < ACTIONS_MAX && !dev->released && !dev->waiting; n++) {
		enum xenbus_action action = xenbus_next(&dev->xenbus);

		if (action == XENBUS_NOTHING)
			return;
		carry_out(dev, action);
	}
}

/* ---- events ---- */

static enum xenbus_state state_read(struct xs_handle *xs, const char *directory, bool *there)
{
	uint64_t state;
	int rc = xs_read_number(xs, XBT_NULL, XenbusStateReconfigured, &state, "%s/state",
				directory);

	*there = rc != -ENOENT;
	return rc ? XenbusStateUnknown : (enum xenbus_state)state;
}

static void refresh(struct device *dev)
{
	struct xenbus *xenbus = &dev->xenbus;
	enum xenbus_state state;
	uint64_t online;
	bool there;

	state = state_read(dev->xs, dev->back, &there);
	/* Removed and made anew before we looked: another device, perhaps with another disk. */
	if (state == XenbusStateInitialising && xenbus->own > XenbusStateInitialising)
		there = false;
	if (!there || !xenbus->present) {
		xenbus->present = false;
		return;
	}
	xenbus->online = !xs_read_number(dev->xs, XBT_NULL, 1, &online, "%s/online", dev->back) &&
			 online;
	xenbus_own(xenbus, state);
	if (dev->script) {
		char *status = device_back_string(dev, "hotplug-status");

		xenbus->hotplug_ready = status && !strcmp(status, "connected");
		free(status);
	}
	state = dev->orphan ? XenbusStateUnknown : state_read(dev->xs, dev->front, &there);
	xenbus_front(xenbus, state);
}

void device_update(struct device *dev)
{
	if (dev->released)
		return;
	refresh(dev);
	run(dev);
	if (dev->opened && dev->xenbus.present && dev->class->settle)
		dev->class->settle(dev);
}

void device_tick(struct device *dev)
{
	if (!dev->released && dev->opened && dev->xenbus.present && dev->class->tick)
		dev->class->tick(dev);
}

static void report_up(struct device *dev)
{
	if (dev->xenbus.link != XENBUS_STARTING)
		return;
	xenbus_linked(&dev->xenbus, XENBUS_RUNNING);
	if (dev->recovering && log_now(&dev->chatter))
		log_info("%s: its rings run again", dev->name);
	dev->recovering = false;
}

/* Of another worker's rings, the guest's port or the image may not be free yet. */
static void report_failed(struct device *dev, const struct worker_report *report)
{
	if (dev->xenbus.link != XENBUS_STARTING)
		return;
	if (wait_more(dev)) {
		xenbus_linked(&dev->xenbus, XENBUS_BROKEN);
		return;
	}
	if (dev->class->fall_back && dev->class->fall_back(dev, report->text)) {
		xenbus_linked(&dev->xenbus, XENBUS_BROKEN);
		return;
	}
	device_fail(dev, report->rc, "%s", report->text);
	connect_failed(dev);
}

/* The rings are there to be taken up, as after a worker's death. */
static void rings_left(struct device *dev)
{
	dev->renewing = false;
	dev->recovering = true;
	dev->tries = 0;
	xenbus_linked(&dev->xenbus, XENBUS_BROKEN);
}

static void report_down(struct device *dev)
{
	if (dev->xenbus.link != XENBUS_STOPPING)
		return;
	/* Unless somebody wants it closed by now. */
	if (dev->renewing && dev->xenbus.present && dev->xenbus.own == XenbusStateConnected) {
		dev->class->renew(dev);
		rings_left(dev);
		return;
	}
	let_go(dev);
	xenbus_linked(&dev->xenbus, XENBUS_IDLE);
}

void device_report(struct device *dev, const struct worker_report *report)
{
	if (dev->released || report->serial != dev->serial)
		return;
	switch (report->type) {
	case WORKER_UP:
		report_up(dev);
		break;
	case WORKER_FAILED:
		report_failed(dev, report);
		if (dev->waiting)
			return;
		break;
	case WORKER_DOWN:
		report_down(dev);
		break;
	case WORKER_CHANGED:
		if (dev->class->changed)
			dev->class->changed(dev, report->change, report->rc, report->text);
		break;
	case WORKER_WANT:
		if (dev->class->want)
			dev->class->want(dev, report->change, report->text);
		return;
	case WORKER_TROUBLE:
		device_trouble(dev, report->rc, "%s", report->text);
		return;
	case WORKER_RECOVERED:
		device_recovered(dev, report->text);
		return;
	case WORKER_ERROR:
		device_fail(dev, report->rc, "%s", report->text);
		device_error(dev, false);
		break;
	default:
		return;
	}
	run(dev);
}

/* Has it killed as many workers as it may, without an answer between? Says so in dev->error. */
static bool is_deadly(struct device *dev, const char *how)
{
	char oldest[96] = "";
	uint64_t answered = 0;

	if (!dev->class->progress || !dev->class->progress(dev, &answered, oldest, sizeof(oldest)))
		return false;
	dev->deaths = answered == dev->answered ? dev->deaths + 1 : 1;
	dev->answered = answered;
	dev->careful = true;
	if (dev->deaths < DEATHS_MAX)
		return false;
	device_fail(dev, -EPIPE,
		    "its worker %s, %u times in a row over the same request (%s); "
		    "the guest has to reconnect",
		    how, dev->deaths, oldest);
	return true;
}

void device_worker_died(struct device *dev, const char *how, bool fault)
{
	enum xenbus_link link = dev->xenbus.link;

	if (dev->released || link == XENBUS_IDLE || link == XENBUS_BROKEN)
		return;
	dev->careful = false;
	if ((link == XENBUS_STOPPING && !dev->renewing) || dev->journal.fd < 0) {
		device_fail(dev, -EPIPE, "its worker %s; the guest has to reconnect", how);
		connect_failed(dev);
	} else if (fault && is_deadly(dev, how)) {
		connect_failed(dev);
	} else {
		rings_left(dev);
	}
	run(dev);
}

void device_stop(struct device *dev)
{
	dev->xenbus.stopping = true;
	run(dev);
}

bool device_stopped(const struct device *dev)
{
	return dev->released || dev->xenbus.link == XENBUS_IDLE;
}

/* ---- life ---- */

/* What the supervisor before us had running goes on, if it left word. */
static void resume(struct device *dev)
{
	enum xenbus_state own = dev->xenbus.own;

	if (own < XenbusStateInitWait || own > XenbusStateClosing || journal_find(&dev->journal))
		return;
	dev->recovering = true;
	xenbus_resume(&dev->xenbus);
}

static int identify(struct device *dev)
{
	enum xenbus_state own;
	uint64_t domid;
	char *front;
	bool there;
	int rc = xs_read_number(dev->xs, XBT_NULL, UINT16_MAX, &domid, "%s/frontend-id", dev->back);

	if (rc)
		return rc;
	if (domid != dev->domid)
		return -EINVAL;
	own = state_read(dev->xs, dev->back, &there);
	front = device_back_string(dev, "frontend");
	if (!front || !there) {
		free(front);
		return -ENOENT;
	}
	rc = snprintf(dev->front, sizeof(dev->front), "%s", front) < (int)sizeof(dev->front)
		     ? 0
		     : -EINVAL;
	free(front);
	dev->script = xs_exists(dev->xs, XBT_NULL, "%s/script", dev->back);
	xenbus_init(&dev->xenbus, &dev->class->traits, own);
	if (!rc)
		resume(dev);
	return rc;
}

int device_new(struct device **result, const struct device_class *class, struct xs_handle *xs,
	       struct guest *guest, uint32_t devid)
{
	struct device *dev = calloc(1, class->size);
	int rc;

	if (!dev)
		return -ENOMEM;
	dev->class = class;
	dev->xs = xs;
	dev->guest = guest;
	dev->domid = guest_domid(guest);
	dev->devid = devid;
	snprintf(dev->name, sizeof(dev->name), "%s %u/%u", class->name, dev->domid, devid);
	snprintf(dev->back, sizeof(dev->back), "backend/%s/%u/%u", class->name, dev->domid, devid);
	journal_init(&dev->journal, class->name, dev->domid, devid);
	rc = identify(dev);
	if (rc) {
		journal_close(&dev->journal);
		free(dev);
		return rc;
	}
	*result = dev;
	return 0;
}

void device_free(struct device *dev)
{
	close_class(dev);
	journal_close(&dev->journal);
	free(dev);
}
