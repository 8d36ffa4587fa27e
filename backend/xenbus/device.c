#include "backend/xenbus/device.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/supervisor/guest.h"
#include "backend/xenbus/device_parts.h"
#include "backend/xenbus/error.h"
#include "lib/hotplug.h"

/* Actions in one update: more would be a loop in the machine. */
#define ACTIONS_MAX 16

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

/* Something of the worker before is in the way: look again in a moment, a bounded number of times.
 */
bool device_wait_more(struct device *dev)
{
	dev->waiting = dev->recovering && ++dev->tries < DEVICE_TRIES_MAX;
	return dev->waiting;
}

int device_prepare(struct device *dev)
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
	if (device_prepare(dev) || device_state_write(dev, XenbusStateInitWait, true))
		return;
	error_clear(dev->xs, dev->back);
}

bool device_running(const struct device *dev)
{
	return dev->xenbus.link == XENBUS_RUNNING && dev->xenbus.own == XenbusStateConnected;
}

bool device_idle(const struct device *dev)
{
	return dev->xenbus.link == XENBUS_IDLE;
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
		device_connect(dev);
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
		device_disconnect(dev);
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
	xenbus_own(xenbus, state);
	if (dev->script) {
		char *status = device_back_string(dev, "hotplug-status");

		xenbus->hotplug_ready = status && !strcmp(status, "connected");
		free(status);
	}
	state = dev->orphan ? XenbusStateUnknown : state_read(dev->xs, dev->front, &there);
	xenbus_front(xenbus, state);
	/* Whether a closed one opens again; who closes it looks then. */
	if (xenbus->own == XenbusStateClosed && state != XenbusStateUnknown)
		xenbus->online = is_online(dev);
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

static bool has_script(struct device *dev)
{
	char *script = device_back_string(dev, "script");
	bool has = hotplug_is_script(script);

	free(script);
	return has;
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
	dev->script = has_script(dev);
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
