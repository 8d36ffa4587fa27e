#include "backend/xenbus/device.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/supervisor/guest.h"
#include "backend/xenbus/device_parts.h"
#include "backend/xenbus/error.h"
#include "lib/fdpass.h"

/* Actions in one update: more would be a loop in the machine. */
#define ACTIONS_MAX 16

/* Looks, 10 ms apart, before what hinders the recovery of a device is taken for lasting. */
#define TRIES_MAX 500

void device_wake(struct device *dev)
{
	dev->dirty = true;
	event_active(guest_options(dev->guest)->turn, EV_TIMEOUT, 0);
}

static void close_class(struct device *dev)
{
	if (dev->probed)
		dev->class->close(dev);
	dev->probed = false;
	dev->opened = false;
	dev->trouble = false;
	dev->xenbus.hotplug_ready = false;
}

void device_let_go(struct device *dev)
{
	if (dev->probed && dev->class->disconnected)
		dev->class->disconnected(dev);
	journal_remove(&dev->journal);
	dev->recovering = dev->careful = dev->renewing = false;
	dev->deaths = 0;
	dev->answered = 0;
}

void device_connect_failed(struct device *dev)
{
	device_let_go(dev);
	device_error(dev, false);
	xenbus_fail(&dev->xenbus);
}

/* Something of the worker before is in the way: look again in a moment, a bounded number of times.
 */
bool device_wait_more(struct device *dev)
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
		if (rc == -EBUSY && device_wait_more(dev))
			return rc;
		device_let_go(dev);
		device_error(dev, true);
		xenbus_fail(&dev->xenbus);
	} else if (!dev->script) {
		dev->xenbus.hotplug_ready = true;
	}
	return rc;
}

static void announce(struct device *dev)
{
	if (prepare(dev) || device_state_write(dev, XenbusStateInitWait, true))
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
	if (rc && device_log_now(&dev->chatter))
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
		device_connect_failed(dev);
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
		device_let_go(dev);
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
	return device_state_write(dev, state, true);
}

static bool is_online(struct device *dev)
{
	uint64_t online;

	return !xs_read_number(dev->xs, XBT_NULL, 1, &online, "%s/online", dev->back) && online;
}

/*
 * Who took it offline goes on once it is Closed: its TAP or image has to be free by then for the
 * next. What made it close may be younger than the last look at online. A script has still to undo
 * what it did with them.
 */
static void close_for_good(struct device *dev)
{
	dev->xenbus.online = is_online(dev);
	if (!dev->xenbus.online && !dev->script)
		close_class(dev);
}

static void release(struct device *dev)
{
	close_class(dev);
	device_let_go(dev);
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
		if (!device_state_write(dev, XenbusStateConnected, true) &&
		    device_log_now(&dev->chatter))
			log_info("%s: connected", dev->name);
		break;
	case XENBUS_RECONFIGURE:
		(void)device_state_write(dev, XenbusStateReconfigured, false);
		break;
	case XENBUS_WRITE_CLOSING:
		(void)device_state_write(dev, XenbusStateClosing, false);
		break;
	case XENBUS_DISCONNECT:
		disconnect_rings(dev);
		break;
	case XENBUS_WRITE_CLOSED:
		close_for_good(dev);
		if (!device_state_write(dev, XenbusStateClosed, false) &&
		    device_log_now(&dev->chatter))
			log_info("%s: closed", dev->name);
		break;
	case XENBUS_RELEASE:
		release(dev);
		break;
	case XENBUS_NOTHING:
		break;
	}
}

void device_run(struct device *dev)
{
	dev->waiting = false;
	for (int n = 0; n < ACTIONS_MAX && !dev->released && !dev->waiting; n++) {
		enum xenbus_action action = xenbus_next(&dev->xenbus);

		if (action == XENBUS_NOTHING)
			return;
		carry_out(dev, action);
	}
}

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
	bool there;

	state = state_read(dev->xs, dev->back, &there);
	/* Removed and made anew before we looked: another device, perhaps with another disk. */
	if (state == XenbusStateInitialising && xenbus->own > XenbusStateInitialising)
		there = false;
	if (!there || !xenbus->present) {
		xenbus->present = false;
		return;
	}
	xenbus->online = is_online(dev);
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
	device_run(dev);
	if (dev->opened && dev->xenbus.present && dev->class->settle)
		dev->class->settle(dev);
}

void device_tick(struct device *dev)
{
	if (!dev->released && dev->opened && dev->xenbus.present && dev->class->tick)
		dev->class->tick(dev);
}

void device_stop(struct device *dev)
{
	dev->xenbus.stopping = true;
	device_run(dev);
}

bool device_stopped(const struct device *dev)
{
	return dev->released || dev->xenbus.link == XENBUS_IDLE;
}

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
