/* What a device writes into its own directory, and its words there and in the log. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backend/xenbus/device.h"
#include "backend/xenbus/device_parts.h"
#include "backend/xenbus/error.h"

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

int device_state_write(struct device *dev, enum xenbus_state state, bool publish)
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

bool device_log_now(struct log_limit *limit)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return log_allowed(limit, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

void device_error(struct device *dev, bool hotplug)
{
	if (device_log_now(&dev->limit))
		log_error("%s: %s", dev->name, dev->error);
	/* However often: its frontend wrote more nodes to come to this. */
	if (dev->xenbus.present)
		error_write(dev->xs, dev->back, dev->error, hotplug && !dev->script);
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
	if (device_log_now(&dev->limit))
		log_info("%s: %s", dev->name, how);
	error_clear(dev->xs, dev->back);
}
