#include "frontend/kernel/platform.h"

#include "frontend/kernel/grant.h"
#include "frontend/kernel/kernel.h"
#include "frontend/kernel/store.h"

#define PAGE 4096u

struct host_event {
	struct platform_event event; /* first */
	struct evtchn_channel channel;
};

struct host_watch {
	struct platform_watch watch; /* first */
	unsigned number;
};

static void *host_allocate(struct platform *platform, size_t size)
{
	return memory_allocate(size);
}

static void host_free(struct platform *platform, void *memory)
{
	memory_free(memory);
}

/* Grants that have ended are 0; pages are kept until all have. */
static int area_revoke(struct platform *platform, struct platform_area *area)
{
	bool busy = false;

	for (uint32_t i = 0; i < area->pages; i++) {
		if (!area->gref[i])
			continue;
		if (grant_end(area->gref[i]))
			busy = true;
		else
			area->gref[i] = 0;
	}
	if (busy)
		return -EBUSY;
	memory_pages_free(area->data, area->pages);
	memory_free(area);
	return 0;
}

static int area_share(struct platform *platform, uint16_t domid, uint32_t pages, bool readonly,
		      struct platform_area **shared)
{
	struct platform_area *area = memory_allocate(sizeof(*area) + pages * sizeof(area->gref[0]));
	int rc = -ENOMEM;

	if (!area)
		return rc;
	area->pages = pages;
	area->data = memory_pages(pages);
	if (!area->data)
		goto out;
	for (uint32_t i = 0; i < pages; i++) {
		rc = grant_give(domid, area->data + (size_t)i * PAGE, readonly, &area->gref[i]);
		if (rc)
			goto out;
	}
	*shared = area;
	return 0;
out:
	/* A page whose reference somebody has guessed is his for good. */
	if (area->data)
		area_revoke(platform, area);
	else
		memory_free(area);
	return rc;
}

static bool event_run(void *arg)
{
	struct host_event *event = arg;

	return event->event.handler(event->event.arg);
}

static int event_open(struct platform *platform, uint16_t domid, bool (*handler)(void *arg),
		      void *arg, struct platform_event **opened)
{
	struct host_event *event = memory_allocate(sizeof(*event));
	int rc;

	if (!event)
		return -ENOMEM;
	event->channel = (struct evtchn_channel){.handler = event_run, .arg = event, .priority = 8};
	rc = evtchn_bind_unbound(&kernel.pvh.evtchn, &event->channel, domid);
	if (rc) {
		memory_free(event);
		return rc;
	}
	event->event = (struct platform_event){event->channel.port, handler, arg};
	*opened = &event->event;
	return 0;
}

static void event_close(struct platform *platform, struct platform_event *closed)
{
	struct host_event *event = (struct host_event *)closed;

	evtchn_close(&kernel.pvh.evtchn, &event->channel);
	memory_free(event);
}

static void event_notify(struct platform *platform, struct platform_event *event)
{
	evtchn_send(&kernel.pvh.evtchn, &((struct host_event *)event)->channel);
}

static int host_store_read(struct platform *platform, uint32_t transaction, const char *path,
			   char *value, size_t size)
{
	return store_get(transaction, path, value, size);
}

static int host_store_write(struct platform *platform, uint32_t transaction, const char *path,
			    const char *value)
{
	return store_put(transaction, path, value);
}

static int host_store_remove(struct platform *platform, uint32_t transaction, const char *path)
{
	return store_delete(transaction, path);
}

static int host_store_begin(struct platform *platform, uint32_t *transaction)
{
	return store_transaction_begin(transaction);
}

static int host_store_end(struct platform *platform, uint32_t transaction, bool commit)
{
	return store_transaction_end(transaction, commit);
}

static int host_store_watch(struct platform *platform, const char *path, void (*handler)(void *arg),
			    void *arg, struct platform_watch **added)
{
	struct host_watch *watch = memory_allocate(sizeof(*watch));
	int rc;

	if (!watch)
		return -ENOMEM;
	watch->watch = (struct platform_watch){handler, arg};
	rc = store_watch_add(path, handler, arg, &watch->number);
	if (rc)
		memory_free(watch);
	else
		*added = &watch->watch;
	return rc;
}

static void host_store_unwatch(struct platform *platform, struct platform_watch *removed)
{
	struct host_watch *watch = (struct host_watch *)removed;

	store_watch_remove(watch->number);
	memory_free(watch);
}

static void host_log(struct platform *platform, enum platform_level level, const char *object,
		     const char *text)
{
	print("%s: %s\n", object, text);
}

static uint64_t host_now_ms(struct platform *platform)
{
	return clock_read(&kernel.pvh.clock) / 1000000;
}

static const struct platform_ops platform_table = {
	.allocate = host_allocate,
	.free = host_free,
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
	.log = host_log,
	.now_ms = host_now_ms,
};

struct platform *platform_start(void)
{
	static struct platform platform;

	platform.ops = &platform_table;
	return grant_start() ? NULL : &platform;
}
