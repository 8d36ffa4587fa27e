/* What a worker says of a device's rings, and what its death means for them. */
#include <errno.h>

#include "backend/xenbus/device.h"
#include "backend/xenbus/device_parts.h"

/* Workers that die in a row over the same request before its device is given up. */
#define DEATHS_MAX 5

static void report_up(struct device *dev)
{
	if (dev->xenbus.link != XENBUS_STARTING)
		return;
	xenbus_linked(&dev->xenbus, XENBUS_RUNNING);
	if (dev->recovering && device_log_now(&dev->chatter))
		log_info("%s: its rings run again", dev->name);
	dev->recovering = false;
}

/* Of another worker's rings, the guest's port or the image may not be free yet. */
static void report_failed(struct device *dev, const struct worker_report *report)
{
	if (dev->xenbus.link != XENBUS_STARTING)
		return;
	if (device_wait_more(dev)) {
		xenbus_linked(&dev->xenbus, XENBUS_BROKEN);
		return;
	}
	if (dev->class->fall_back && dev->class->fall_back(dev, report->text)) {
		dev->tries = 0;
		xenbus_linked(&dev->xenbus, XENBUS_BROKEN);
		return;
	}
	device_fail(dev, report->rc, "%s", report->text);
	device_connect_failed(dev);
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
	device_let_go(dev);
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
	device_run(dev);
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
		device_connect_failed(dev);
	} else if (fault && is_deadly(dev, how)) {
		device_connect_failed(dev);
	} else {
		rings_left(dev);
	}
	device_run(dev);
}
