#include "frontend/process/host_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "frontend/core/limbo.h"
#include "frontend/core/throttle.h"
#include "frontend/core/wire.h"

struct host_event {
	struct platform_event platform; /* first */
	struct host *host;
	struct throttle throttle;
	struct event *timer; /* unmasks later */
	LIST_ENTRY(host_event) link;
};

static void *memory_allocate(struct platform *platform, size_t size)
{
	return calloc(1, size);
}

static void lock_release(struct host *host)
{
	pthread_mutex_unlock(&host->lock);
	if (host->released)
		host->released(host->released_arg);
}

static void memory_free(struct platform *platform, void *memory)
{
	free(memory);
}

static int area_share(struct platform *platform, uint16_t domid, uint32_t pages, bool readonly,
		      struct platform_area **shared)
{
	struct platform_area *area;
	int rc = 0;

	area = calloc(1, sizeof(*area) + pages * sizeof(area->gref[0]));
	if (!area)
		return -ENOMEM;
	area->pages = pages;
	area->data = xengntshr_share_pages(host_of(platform)->gntshr, domid, (int)pages, area->gref,
					   !readonly);
	if (!area->data) {
		rc = errno ? -errno : -EIO;
		if (rc == -ENOSPC)
			log_warn("no grants left for %u pages; raise "
				 "/sys/module/xen_gntalloc/parameters/limit",
				 pages);
		free(area);
		return rc;
	}
	memset(area->data, 0, (size_t)pages * WIRE_PAGE_SIZE);
	*shared = area;
	return 0;
}

static void limbo_again(evutil_socket_t fd, short what, void *arg)
{
	struct host *host = arg;
	const struct timeval second = {.tv_sec = 1};

	pthread_mutex_lock(&host->lock);
	if (limbo_retry(&host->platform))
		event_add(host->limbo_timer, &second);
	pthread_mutex_unlock(&host->lock);
}

static int area_revoke(struct platform *platform, struct platform_area *area)
{
	struct host *host = host_of(platform);
	const struct timeval second = {.tv_sec = 1};

	if (xengntshr_unshare(host->gntshr, area->data, area->pages)) {
		if (!event_pending(host->limbo_timer, EV_TIMEOUT, NULL))
			event_add(host->limbo_timer, &second);
		return -EBUSY;
	}
	free(area);
	return 0;
}

static void event_unmask(evutil_socket_t fd, short what, void *arg)
{
	struct host_event *event = arg;

	xenevtchn_unmask(event->host->evtchn, event->platform.port);
}

static int event_open(struct platform *platform, uint16_t domid, bool (*handler)(void *arg),
		      void *arg, struct platform_event **opened)
{
	struct host *host = host_of(platform);
	struct host_event *event = calloc(1, sizeof(*event));
	int port, rc = -ENOMEM;

	if (!event)
		return rc;
	event->timer = evtimer_new(host->base, event_unmask, event);
	if (!event->timer)
		goto out;
	port = xenevtchn_bind_unbound_port(host->evtchn, domid);
	if (port < 0) {
		rc = -errno;
		goto out;
	}
	event->host = host;
	event->platform = (struct platform_event){(uint32_t)port, handler, arg};
	LIST_INSERT_HEAD(&host->events, event, link);
	*opened = &event->platform;
	return 0;
out:
	if (event->timer)
		event_free(event->timer);
	free(event);
	return rc;
}

static void event_close(struct platform *platform, struct platform_event *closed)
{
	struct host_event *event = (struct host_event *)closed;

	LIST_REMOVE(event, link);
	event_free(event->timer);
	xenevtchn_unbind(event->host->evtchn, closed->port);
	free(event);
}

static void event_notify(struct platform *platform, struct platform_event *event)
{
	xenevtchn_notify(host_of(platform)->evtchn, event->port);
}

static struct host_event *event_find(struct host *host, uint32_t port)
{
	struct host_event *event;

	LIST_FOREACH (event, &host->events, link)
		if (event->platform.port == port)
			return event;
	return NULL;
}

static void event_run(struct host *host, uint32_t port)
{
	struct host_event *event = event_find(host, port);
	struct timeval later = {0};
	uint32_t delay;
	bool useful;

	if (!event)
		return;
	useful = event->platform.handler(event->platform.arg);
	event = event_find(host, port);
	if (!event)
		return;
	delay = throttle_delay(&event->throttle, useful);
	if (!delay) {
		xenevtchn_unmask(host->evtchn, port);
		return;
	}
	later.tv_usec = (suseconds_t)delay * 1000;
	event_add(event->timer, &later);
}

static void evtchn_readable(evutil_socket_t fd, short what, void *arg)
{
	struct host *host = arg;
	int port;

	pthread_mutex_lock(&host->lock);
	port = xenevtchn_pending(host->evtchn);
	if (port >= 0)
		event_run(host, (uint32_t)port);
	lock_release(host);
}

static void xs_readable(evutil_socket_t fd, short what, void *arg)
{
	struct host *host = arg;
	char **fired;

	pthread_mutex_lock(&host->lock);
	while ((fired = xs_check_watch(host->xs))) {
		host_watch_run(host, fired[XS_WATCH_TOKEN]);
		free(fired);
	}
	if (errno != EAGAIN) {
		log_error("XenStore: connection lost: %s; restart this program", strerror(errno));
		event_base_loopbreak(host->base);
	}
	lock_release(host);
}

static uint64_t now_ms(struct platform *platform)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void platform_log(struct platform *platform, enum platform_level level, const char *object,
			 const char *text)
{
	static const enum log_level levels[] = {
		[PLATFORM_ERROR] = LOG_LEVEL_ERROR,
		[PLATFORM_WARN] = LOG_LEVEL_WARN,
		[PLATFORM_INFO] = LOG_LEVEL_INFO,
		[PLATFORM_DEBUG] = LOG_LEVEL_DEBUG,
	};

	if (log_allowed(&host_of(platform)->log_limit, now_ms(platform)))
		log_write(levels[level], "%s: %s", object, text);
}

static const struct platform_ops host_ops = {
	.allocate = memory_allocate,
	.free = memory_free,
	.area_share = area_share,
	.area_revoke = area_revoke,
	.event_open = event_open,
	.event_close = event_close,
	.event_notify = event_notify,
	.store_read = host_store_read,
	.store_write = host_store_write,
	.store_remove = host_store_remove,
	.store_begin = host_store_begin,
	.store_end = host_store_end,
	.store_watch = host_store_watch,
	.store_unwatch = host_store_unwatch,
	.log = platform_log,
	.now_ms = now_ms,
};

static int handles_open(struct host *host)
{
	host->xs = xs_open(XS_UNWATCH_FILTER);
	if (!host->xs) {
		log_error("XenStore: cannot open: %s; is this a Xen guest, or XENSTORED_PATH set?",
			  strerror(errno));
		return -errno;
	}
	host->evtchn = xenevtchn_open(NULL, 0);
	if (!host->evtchn) {
		log_error("event channels: cannot open: %s; is xen_evtchn loaded?",
			  strerror(errno));
		return -errno;
	}
	host->gntshr = xengntshr_open(NULL, 0);
	if (!host->gntshr) {
		log_error("grants: cannot open: %s; is xen_gntalloc loaded?", strerror(errno));
		return -errno;
	}
	return 0;
}

static int events_add(struct host *host)
{
	host->evtchn_ready = event_new(host->base, xenevtchn_fd(host->evtchn), EV_READ | EV_PERSIST,
				       evtchn_readable, host);
	host->xs_ready =
		event_new(host->base, xs_fileno(host->xs), EV_READ | EV_PERSIST, xs_readable, host);
	host->limbo_timer = evtimer_new(host->base, limbo_again, host);
	if (!host->evtchn_ready || !host->xs_ready || !host->limbo_timer)
		return -ENOMEM;
	if (event_add(host->evtchn_ready, NULL) || event_add(host->xs_ready, NULL))
		return -EIO;
	return 0;
}

/* It is held for a few microseconds at a time: who waits had better spin than sleep. */
static void lock_make(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

int host_open(struct host *host, struct event_base *base)
{
	int rc;

	host->platform.ops = &host_ops;
	host->base = base;
	lock_make(&host->lock);
	rc = handles_open(host);
	if (!rc)
		rc = events_add(host);
	if (rc)
		host_close(host);
	return rc;
}

void host_close(struct host *host)
{
	struct event *events[] = {host->evtchn_ready, host->xs_ready, host->limbo_timer};

	limbo_retry(&host->platform);
	while (host->platform.limbo) {
		struct platform_area *area = host->platform.limbo;

		host->platform.limbo = area->next;
		free(area);
	}
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i])
			event_free(events[i]);
	if (host->gntshr)
		xengntshr_close(host->gntshr);
	if (host->evtchn)
		xenevtchn_close(host->evtchn);
	xs_close(host->xs);
	pthread_mutex_destroy(&host->lock);
}
