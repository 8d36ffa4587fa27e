/* The rings of a device: its worker asked to connect and to disconnect them, and their log. */
#include <errno.h>
#include <string.h>

#include "backend/supervisor/guest.h"
#include "backend/xenbus/device.h"
#include "backend/xenbus/device_parts.h"
#include "lib/fdpass.h"

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
	if (++dev->held == DEVICE_TRIES_MAX)
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

void device_connect(struct device *dev)
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
	if (device_prepare(dev)) /* what a hotplug script has just made ready */
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

void device_disconnect(struct device *dev)
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

	/* No reason to start a worker, which would not know the device. */
	if (dev->xenbus.link == XENBUS_IDLE || dev->xenbus.link == XENBUS_BROKEN ||
	    !guest_has_worker(dev->guest))
		return -ENOTCONN;
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
	device_disconnect(dev);
	return 0;
}
