#include "tests/unit/front_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake *fake_of(struct platform *platform)
{
	return (struct fake *)platform;
}

static struct fake_node *node_find(struct fake *fake, const char *path)
{
	for (int i = 0; i < FAKE_NODES; i++)
		if (!strcmp(fake->node[i].path, path))
			return &fake->node[i];
	return NULL;
}

void fake_put(struct fake *fake, const char *path, const char *value)
{
	struct fake_node *node = node_find(fake, path);

	if (!value) {
		if (node)
			node->path[0] = '\0';
		return;
	}
	if (!node)
		node = node_find(fake, "");
	ck_assert_ptr_nonnull(node);
	snprintf(node->path, sizeof(node->path), "%s", path);
	snprintf(node->value, sizeof(node->value), "%s", value);
}

void fake_set(struct fake *fake, const char *path, const char *value)
{
	fake_put(fake, path, value);
	for (int i = 0; i < FAKE_WATCHES; i++)
		if (fake->watch[i].used && !strcmp(fake->watch[i].path, path))
			fake->watch[i].platform.handler(fake->watch[i].platform.arg);
}

const char *fake_get(struct fake *fake, const char *path)
{
	struct fake_node *node = node_find(fake, path);

	return node ? node->value : "";
}

unsigned fake_number(struct fake *fake, const char *path)
{
	const char *value = fake_get(fake, path);

	ck_assert_msg(*value, "no node %s", path);
	return (unsigned)strtoul(value, NULL, 10);
}

uint8_t *fake_page(struct fake *fake, uint32_t gref)
{
	ck_assert_uint_lt(gref, FAKE_GRANTS);
	ck_assert_msg(fake->page[gref] != NULL, "grant %u is not valid", gref);
	return fake->page[gref];
}

bool fake_fire(struct fake *fake, uint32_t port)
{
	struct fake_event *event = &fake->event[port - 1];

	ck_assert(port && port <= FAKE_EVENTS && event->used);
	return event->platform.handler(event->platform.arg);
}

unsigned fake_notified(struct fake *fake, uint32_t port)
{
	unsigned notified = fake->event[port - 1].notified;

	fake->event[port - 1].notified = 0;
	return notified;
}

void fake_empty(struct fake *fake)
{
	ck_assert_uint_eq(fake->pages_shared, 0);
	ck_assert_uint_eq(fake->allocations, 0);
	ck_assert_uint_eq(fake->transactions, 0);
	ck_assert_ptr_null(fake->platform.limbo);
	for (int i = 0; i < FAKE_EVENTS; i++)
		ck_assert(!fake->event[i].used);
	for (int i = 0; i < FAKE_WATCHES; i++)
		ck_assert(!fake->watch[i].used);
}

static void *memory_allocate(struct platform *platform, size_t size)
{
	fake_of(platform)->allocations++;
	return calloc(1, size);
}

static void memory_free(struct platform *platform, void *memory)
{
	fake_of(platform)->allocations -= memory != NULL;
	free(memory);
}

static int area_share(struct platform *platform, uint16_t domid, uint32_t pages, bool readonly,
		      struct platform_area **shared)
{
	struct fake *fake = fake_of(platform);
	struct platform_area *area;

	if (fake->pages_shared + pages > fake->pages_allowed)
		return -ENOSPC;
	area = calloc(1, sizeof(*area) + pages * sizeof(area->gref[0]));
	area->data = aligned_alloc(4096, (size_t)pages * 4096);
	memset(area->data, 0, (size_t)pages * 4096);
	area->pages = pages;
	for (uint32_t i = 0; i < pages; i++) {
		area->gref[i] = ++fake->grants;
		ck_assert_uint_lt(fake->grants, FAKE_GRANTS);
		fake->page[fake->grants] = area->data + (size_t)i * 4096;
		fake->readonly[fake->grants] = readonly;
	}
	fake->pages_shared += pages;
	*shared = area;
	return 0;
}

static int area_revoke(struct platform *platform, struct platform_area *area)
{
	struct fake *fake = fake_of(platform);

	if (fake->revoke_fails)
		return -EBUSY;
	for (uint32_t i = 0; i < area->pages; i++)
		fake->page[area->gref[i]] = NULL;
	fake->pages_shared -= area->pages;
	free(area->data);
	free(area);
	return 0;
}

static int event_open(struct platform *platform, uint16_t domid, bool (*handler)(void *arg),
		      void *arg, struct platform_event **opened)
{
	struct fake *fake = fake_of(platform);

	for (uint32_t i = 0; i < FAKE_EVENTS; i++) {
		struct fake_event *event = &fake->event[i];

		if (event->used)
			continue;
		*event = (struct fake_event){.platform = {i + 1, handler, arg}, .used = true};
		*opened = &event->platform;
		return 0;
	}
	return -ENOSPC;
}

static void event_close(struct platform *platform, struct platform_event *event)
{
	struct fake_event *closed = (struct fake_event *)event;

	ck_assert(closed->used);
	closed->used = false;
}

static void event_notify(struct platform *platform, struct platform_event *event)
{
	((struct fake_event *)event)->notified++;
}

static bool read_fails(struct fake *fake, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!fake->failures || strcmp(slash ? slash + 1 : path, fake->failing) != 0)
		return false;
	fake->failures--;
	return true;
}

static int store_read(struct platform *platform, uint32_t transaction, const char *path,
		      char *value, size_t size)
{
	struct fake_node *node = node_find(fake_of(platform), path);

	if (fake_of(platform)->store_fails)
		return -EIO;
	if (read_fails(fake_of(platform), path))
		return fake_of(platform)->failure;
	if (!node)
		return -ENOENT;
	if (strlen(node->value) >= size)
		return -E2BIG;
	memcpy(value, node->value, strlen(node->value) + 1);
	return (int)strlen(node->value);
}

static int store_write(struct platform *platform, uint32_t transaction, const char *path,
		       const char *value)
{
	fake_put(fake_of(platform), path, value);
	return 0;
}

static int store_remove(struct platform *platform, uint32_t transaction, const char *path)
{
	if (!node_find(fake_of(platform), path))
		return -ENOENT;
	fake_put(fake_of(platform), path, NULL);
	return 0;
}

static int store_begin(struct platform *platform, uint32_t *transaction)
{
	fake_of(platform)->transactions++;
	*transaction = 1;
	return 0;
}

static int store_end(struct platform *platform, uint32_t transaction, bool commit)
{
	struct fake *fake = fake_of(platform);

	fake->transactions--;
	if (!commit || !fake->conflicts)
		return 0;
	fake->conflicts--;
	return -EAGAIN;
}

static int store_watch(struct platform *platform, const char *path, void (*handler)(void *arg),
		       void *arg, struct platform_watch **made)
{
	struct fake *fake = fake_of(platform);
	int i = 0;

	while (fake->watch[i].used)
		ck_assert_int_lt(++i, FAKE_WATCHES);
	fake->watch[i].used = true;
	fake->watch[i].platform = (struct platform_watch){handler, arg};
	snprintf(fake->watch[i].path, sizeof(fake->watch[i].path), "%s", path);
	*made = &fake->watch[i].platform;
	return 0;
}

static void store_unwatch(struct platform *platform, struct platform_watch *watch)
{
	struct fake *fake = fake_of(platform);

	for (int i = 0; i < FAKE_WATCHES; i++)
		if (&fake->watch[i].platform == watch)
			fake->watch[i].used = false;
}

static void platform_log(struct platform *platform, enum platform_level level, const char *object,
			 const char *text)
{
	fake_of(platform)->logged++;
}

static uint64_t now_ms(struct platform *platform)
{
	return fake_of(platform)->now_ms;
}

void fake_open(struct fake *fake)
{
	static const struct platform_ops ops = {
		.allocate = memory_allocate,
		.free = memory_free,
		.area_share = area_share,
		.area_revoke = area_revoke,
		.event_open = event_open,
		.event_close = event_close,
		.event_notify = event_notify,
		.store_read = store_read,
		.store_write = store_write,
		.store_remove = store_remove,
		.store_begin = store_begin,
		.store_end = store_end,
		.store_watch = store_watch,
		.store_unwatch = store_unwatch,
		.log = platform_log,
		.now_ms = now_ms,
	};

	memset(fake, 0, sizeof(*fake));
	fake->platform.ops = &ops;
	fake->pages_allowed = FAKE_GRANTS;
	fake->now_ms = 100000;
}
