#include "backend/supervisor/registry.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/classes.h"
#include "backend/xenbus/path.h"
#include "lib/number.h"

#define TOKEN_RELEASE "@releaseDomain"

/* ---- guests ---- */

static struct guest *guest_find(const struct registry *registry, uint16_t domid)
{
	for (unsigned n = 0; n < registry->guest_count; n++)
		if (guest_domid(registry->guests[n]) == domid &&
		    !guest_leaving(registry->guests[n]))
			return registry->guests[n];
	return NULL;
}

static struct guest *guest_get(struct registry *registry, uint16_t domid)
{
	struct guest *guest = guest_find(registry, domid), **more;

	if (guest)
		return guest;
	more = realloc(registry->guests, (registry->guest_count + 1) * sizeof(*more));
	if (!more)
		return NULL;
	registry->guests = more;
	guest = guest_new(domid, &registry->guest_options);
	if (guest)
		registry->guests[registry->guest_count++] = guest;
	return guest;
}

static bool guest_in_use(const struct registry *registry, const struct guest *guest)
{
	for (struct device *dev = registry->devices; dev; dev = dev->next)
		if (dev->guest == guest)
			return true;
	return false;
}

/* A guest without devices needs no worker; without a worker it is forgotten. */
static void guests_sweep(struct registry *registry)
{
	unsigned kept = 0;

	for (unsigned n = 0; n < registry->guest_count; n++) {
		struct guest *guest = registry->guests[n];

		if (!guest_in_use(registry, guest) && !guest_leaving(guest))
			guest_leave(guest, false);
		if (guest_leaving(guest) && !guest_has_worker(guest) &&
		    !guest_in_use(registry, guest))
			guest_free(guest);
		else
			registry->guests[kept++] = guest;
	}
	registry->guest_count = kept;
}

/* ---- devices ---- */

static struct device *device_find(const struct registry *registry, const struct device_class *class,
				  uint16_t domid, uint32_t devid)
{
	for (struct device *dev = registry->devices; dev; dev = dev->next)
		if (dev->class == class && dev->domid == domid && dev->devid == devid)
			return dev;
	return NULL;
}

static void front_watch(struct registry *registry, const struct device *dev, bool on)
{
	char path[DEVICE_PATH_SIZE + 8], token[DEVICE_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/state", dev->front);
	snprintf(token, sizeof(token), "%s", dev->back);
	if (on ? !xs_watch(registry->xs, path, token) : !xs_unwatch(registry->xs, path, token))
		log_debug("%s: %s cannot be %s: %s", dev->name, path, on ? "watched" : "unwatched",
			  strerror(errno));
}

static void device_found(struct registry *registry, const struct device_class *class,
			 uint16_t domid, uint32_t devid)
{
	struct device *dev = device_find(registry, class, domid, devid), **link;
	struct guest *guest;
	int rc;

	if (dev || registry->stopping)
		goto mark;
	guest = guest_get(registry, domid);
	rc = guest ? device_new(&dev, class, registry->xs, guest, devid) : -ENOMEM;
	if (rc == -ENOENT)
		return; /* not all written yet, or removed again: another event will come */
	if (rc) {
		log_error("%s %u/%" PRIu32
			  ": its frontend nodes contradict its directory's name: %s",
			  class->name, domid, devid, strerror(-rc));
		return;
	}
	/* Behind the others: one that is gone by now lets go of its image before this one opens it
	 * again. */
	for (link = &registry->devices; *link; link = &(*link)->next)
		;
	*link = dev;
	front_watch(registry, dev, true);
	log_debug("%s: found", dev->name);
mark:
	if (dev)
		dev->dirty = true;
}

static void domain_scan(struct registry *registry, const struct device_class *class, uint16_t domid)
{
	char path[DEVICE_PATH_SIZE], **names;
	unsigned count = 0;
	uint32_t devid;

	snprintf(path, sizeof(path), "backend/%s/%u", class->name, domid);
	names = xs_directory(registry->xs, XBT_NULL, path, &count);
	for (unsigned n = 0; names && n < count; n++)
		if (!number_parse_u32(names[n], &devid))
			device_found(registry, class, domid, devid);
	free(names);
}

static void class_scan(struct registry *registry, const struct device_class *class)
{
	char path[DEVICE_PATH_SIZE], **names;
	unsigned count = 0;
	uint16_t domid;

	snprintf(path, sizeof(path), "backend/%s", class->name);
	names = xs_directory(registry->xs, XBT_NULL, path, &count);
	for (unsigned n = 0; names && n < count; n++)
		if (!number_parse_u16(names[n], &domid))
			domain_scan(registry, class, domid);
	free(names);
}

/* Those we know may be gone, those we do not may be new. */
static void mark_all(struct registry *registry, const struct device_class *class, int domid)
{
	for (struct device *dev = registry->devices; dev; dev = dev->next)
		if (dev->class == class && (domid < 0 || dev->domid == domid))
			dev->dirty = true;
}

/* ---- events ---- */

static bool is_there(void *arg, const char *class, uint16_t domid, uint32_t devid)
{
	struct registry *registry = arg;

	return xs_exists(registry->xs, XBT_NULL, "backend/%s/%u/%" PRIu32 "/state", class, domid,
			 devid);
}

int registry_watch(struct registry *registry)
{
	char path[DEVICE_PATH_SIZE];

	journal_sweep(is_there, registry);
	for (int kind = 0; kind < WORKER_KINDS; kind++) {
		snprintf(path, sizeof(path), "backend/%s", device_classes[kind]->name);
		if (!xs_watch(registry->xs, path, path))
			return -errno;
	}
	return xs_watch(registry->xs, "@releaseDomain", TOKEN_RELEASE) ? 0 : -errno;
}

static void orphans_mark(struct registry *registry, const struct guest *guest)
{
	for (struct device *dev = registry->devices; dev; dev = dev->next)
		if (dev->guest == guest && !dev->orphan) {
			dev->orphan = true;
			dev->dirty = true;
		}
}

static void domains_check(struct registry *registry)
{
	for (unsigned n = 0; n < registry->guest_count; n++) {
		const struct guest *guest = registry->guests[n];

		if (guest_in_use(registry, guest) &&
		    !xs_is_domain_introduced(registry->xs, guest_domid(guest)))
			orphans_mark(registry, guest);
	}
}

void registry_event(struct registry *registry, const char *path, const char *token)
{
	if (!strcmp(token, TOKEN_RELEASE)) {
		domains_check(registry);
		return;
	}
	for (int kind = 0; kind < WORKER_KINDS; kind++) {
		const struct device_class *class = device_classes[kind];
		enum path_scope scope;
		uint16_t domid;
		uint32_t devid;

		/* A frontend's watch has our directory as its token, ours have it as their path. */
		scope = path_parse(path, class->name, &domid, &devid);
		if (scope == PATH_OTHER)
			scope = path_parse(token, class->name, &domid, &devid);
		if (scope == PATH_DEVICE) {
			device_found(registry, class, domid, devid);
		} else if (scope == PATH_DOMAIN) {
			mark_all(registry, class, domid);
			domain_scan(registry, class, domid);
		} else if (scope == PATH_CLASS) {
			mark_all(registry, class, -1);
			class_scan(registry, class);
		}
	}
}

static void device_forget(struct registry *registry, struct device *dev)
{
	const struct device_class *class = dev->class;
	uint16_t domid = dev->domid;
	uint32_t devid = dev->devid;

	front_watch(registry, dev, false);
	log_debug("%s: gone", dev->name);
	device_free(dev);
	device_found(registry, class, domid, devid); /* made anew meanwhile? */
}

void registry_run(struct registry *registry)
{
	static const struct timeval moment = {.tv_usec = 10000};
	struct device **link = &registry->devices, *dev;
	bool waiting = false;

	while ((dev = *link)) {
		if (dev->dirty) {
			dev->dirty = false;
			device_update(dev);
		}
		waiting |= dev->waiting;
		if (!dev->released) {
			link = &dev->next;
			continue;
		}
		*link = dev->next;
		device_forget(registry, dev);
	}
	guests_sweep(registry);
	if (waiting && !evtimer_pending(registry->wait, NULL))
		event_add(registry->wait, &moment);
}

static void on_wait(evutil_socket_t fd, short what, void *arg)
{
	struct registry *registry = arg;

	for (struct device *dev = registry->devices; dev; dev = dev->next)
		dev->dirty |= dev->waiting;
	event_active(registry->turn, EV_TIMEOUT, 0);
}

void registry_tick(struct registry *registry)
{
	for (struct device *dev = registry->devices; dev; dev = dev->next)
		device_tick(dev);
}

static void on_report(void *arg, struct guest *guest, const struct worker_report *report)
{
	struct registry *registry = arg;
	struct device *dev;

	if (report->type == WORKER_READY || report->kind >= WORKER_KINDS)
		return;
	dev = device_find(registry, device_classes[report->kind], guest_domid(guest),
			  report->devid);
	if (dev && dev->guest == guest) {
		device_report(dev, report);
		dev->dirty = true; /* what happened while it was not asked */
	}
	event_active(registry->turn, EV_TIMEOUT, 0);
}

static void on_died(void *arg, struct guest *guest, const char *how, bool fault)
{
	struct registry *registry = arg;

	for (struct device *dev = registry->devices; dev; dev = dev->next)
		if (dev->guest == guest)
			device_worker_died(dev, how, fault);
	event_active(registry->turn, EV_TIMEOUT, 0);
}

int registry_init(struct registry *registry, struct xs_handle *xs,
		  const struct guest_options *options, struct event *turn)
{
	*registry = (struct registry){.xs = xs, .guest_options = *options, .turn = turn};
	registry->guest_options.turn = turn;
	registry->guest_options.handlers =
		(struct guest_handlers){.report = on_report, .died = on_died, .arg = registry};
	registry->wait = evtimer_new(options->base, on_wait, registry);
	return registry->wait ? 0 : -ENOMEM;
}

void registry_reap(struct registry *registry)
{
	for (unsigned n = 0; n < registry->guest_count; n++)
		guest_reap(registry->guests[n]);
}

void registry_stop(struct registry *registry)
{
	registry->stopping = true;
	for (struct device *dev = registry->devices; dev; dev = dev->next)
		device_stop(dev);
}

bool registry_stopped(struct registry *registry)
{
	bool workers = false;

	for (struct device *dev = registry->devices; dev; dev = dev->next)
		if (!device_stopped(dev))
			return false;
	for (unsigned n = 0; n < registry->guest_count; n++) {
		if (!guest_leaving(registry->guests[n]))
			guest_leave(registry->guests[n], false);
		workers |= guest_has_worker(registry->guests[n]);
	}
	return !workers;
}

void registry_free(struct registry *registry)
{
	/* Somebody else may take an image as soon as it is let go of. */
	for (unsigned n = 0; n < registry->guest_count; n++)
		guest_leave(registry->guests[n], true);
	for (unsigned n = 0; n < registry->guest_count; n++)
		guest_wait(registry->guests[n]);
	while (registry->devices) {
		struct device *dev = registry->devices;

		registry->devices = dev->next;
		device_free(dev);
	}
	for (unsigned n = 0; n < registry->guest_count; n++)
		guest_free(registry->guests[n]);
	free(registry->guests);
	if (registry->wait)
		event_free(registry->wait);
}
