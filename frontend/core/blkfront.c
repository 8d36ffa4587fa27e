#include "frontend/core/blkfront_parts.h"
#include "frontend/core/text.h"
#include "lib/number.h"

static struct blkfront *front_of(struct xenbus_device *device)
{
	return (struct blkfront *)(void *)device;
}

static int driver_open(struct xenbus_device *device)
{
	struct blkfront *front = front_of(device);
	struct platform *platform = device->platform;
	int rc;

	rc = blkinfo_ring_order(platform, device->backend, &front->order);
	if (rc)
		return rc;
	if (!front->pool.data) {
		rc = blkpool_make(&front->pool, platform, device->backend_id);
		if (rc)
			return rc;
	}
	rc = blkring_make(&front->ring, platform, device->backend_id, front->order);
	if (rc)
		return rc;
	rc = platform->ops->event_open(platform, device->backend_id, blkfront_event, front,
				       &front->event);
	if (rc)
		blkring_drop(&front->ring, platform);
	return rc;
}

static int ring_ref_write(struct xenbus_device *device, uint32_t transaction, uint32_t i)
{
	char name[32];
	struct text text = text_on(name, sizeof(name));

	text_add(&text, "ring-ref");
	text_add_number(&text, i);
	return store_write_number(device->platform, transaction, device->path, name,
				  front_of(device)->ring.area->gref[i]);
}

/* Some backends take ring-ref only, others look at ring-page-order first: a ring of one page
 * is offered in the old way alone. */
static int rings_offer(struct xenbus_device *device, uint32_t transaction)
{
	struct blkfront *front = front_of(device);
	struct platform *platform = device->platform;
	int rc;

	if (!front->order)
		return store_write_number(platform, transaction, device->path, "ring-ref",
					  front->ring.area->gref[0]);
	rc = store_write_number(platform, transaction, device->path, "ring-page-order",
				front->order);
	if (!rc)
		rc = store_write_number(platform, transaction, device->path, "num-ring-pages",
					1u << front->order);
	for (uint32_t i = 0; !rc && i < 1u << front->order; i++)
		rc = ring_ref_write(device, transaction, i);
	return rc;
}

/* Of an earlier offer, perhaps with another size of ring. */
static int offer_clear(struct xenbus_device *device, uint32_t transaction)
{
	static const char *const names[] = {"ring-ref", "ring-page-order", "num-ring-pages"};
	char path[STORE_PATH_SIZE];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int rc = text_path(path, sizeof(path), device->path, names[i]);

		if (!rc)
			rc = device->platform->ops->store_remove(device->platform, transaction,
								 path);
		if (rc && rc != -ENOENT)
			return rc;
	}
	return 0;
}

static int driver_offer(struct xenbus_device *device, uint32_t transaction)
{
	struct blkfront *front = front_of(device);
	struct platform *platform = device->platform;
	int rc;

	rc = offer_clear(device, transaction);
	if (!rc)
		rc = rings_offer(device, transaction);
	if (!rc)
		rc = store_write_number(platform, transaction, device->path, "event-channel",
					front->event->port);
	if (!rc)
		rc = store_write_text(platform, transaction, device->path, "protocol",
				      XEN_IO_PROTO_ABI_NATIVE);
	if (!rc)
		rc = store_write_number(platform, transaction, device->path, "feature-persistent",
					1);
	return rc;
}

static int driver_connect(struct xenbus_device *device)
{
	struct blkfront *front = front_of(device);
	struct blkinfo info;
	int rc;

	rc = blkinfo_read(device->platform, device->backend, &info);
	if (rc)
		return rc;
	front->info = info;
	if (front->info.request_max > front->pool.data->pages * WIRE_PAGE_SIZE)
		front->info.request_max = front->pool.data->pages * WIRE_PAGE_SIZE;
	front->connected = true;
	front->epoch++;
	front->events->changed(front->arg);
	blkfront_room(front);
	return 0;
}

/* Only what can change while requests run: the size. The rest was negotiated. */
static int driver_refresh(struct xenbus_device *device)
{
	struct blkfront *front = front_of(device);
	struct blkinfo info;
	int rc;

	if (!front->connected)
		return 0;
	rc = blkinfo_read(device->platform, device->backend, &info);
	if (rc || info.sector_size != front->info.sector_size || info.size == front->info.size)
		return rc;
	front->info.size = info.size;
	front->events->changed(front->arg);
	return 0;
}

static void driver_close(struct xenbus_device *device)
{
	struct blkfront *front = front_of(device);

	front->connected = false;
	device->platform->ops->event_close(device->platform, front->event);
	front->event = NULL;
	blkring_drop(&front->ring, device->platform);
	blkfront_fail(front, -ERESTART);
}

static void driver_ended(struct xenbus_device *device)
{
	struct blkfront *front = front_of(device);

	front->connected = false;
	blkfront_room(front);
	front->events->ended(front->arg);
}

static const struct xenbus_driver blk_driver = {
	.published = XenbusStateInitialised,
	.open = driver_open,
	.offer = driver_offer,
	.connect = driver_connect,
	.refresh = driver_refresh,
	.close = driver_close,
	.ended = driver_ended,
};

/* The last word of device/vbd/NUMBER; requests carry its lower half. */
static int handle_parse(const char *path, uint16_t *handle)
{
	const char *number = path;
	uint32_t device;
	int rc;

	for (const char *c = path; *c; c++)
		if (*c == '/')
			number = c + 1;
	rc = number_parse_u32(number, &device);
	if (!rc)
		*handle = (uint16_t)device;
	return rc ? -EINVAL : 0;
}

int blkfront_create(struct platform *platform, const char *path,
		    const struct blkfront_events *events, void *arg, struct blkfront **created)
{
	struct blkfront *front;
	int rc;

	front = platform->ops->allocate(platform, sizeof(*front));
	if (!front)
		return -ENOMEM;
	front->device.platform = platform;
	front->device.driver = &blk_driver;
	front->events = events;
	front->arg = arg;
	for (uint32_t i = 0; i < BLK_SLOTS; i++)
		front->free_slot[i] = (uint16_t)(BLK_SLOTS - 1 - i);

	rc = handle_parse(path, &front->ring.handle);
	if (!rc)
		rc = xenbus_start(&front->device, path);
	if (rc)
		platform->ops->free(platform, front);
	else
		*created = front;
	return rc;
}

int blkfront_resume(struct blkfront *front)
{
	return xenbus_resume(&front->device);
}

void blkfront_stop(struct blkfront *front)
{
	xenbus_stop(&front->device);
	blkfront_room(front);
}

void blkfront_destroy(struct blkfront *front)
{
	struct platform *platform = front->device.platform;

	blkfront_stop(front);
	blkpool_drop(&front->pool, platform);
	platform->ops->free(platform, front);
}

void blkfront_leave(struct blkfront *front, const char *reason)
{
	front->connected = false;
	xenbus_leave(&front->device, reason);
}

const struct blkinfo *blkfront_info(const struct blkfront *front)
{
	return front->connected ? &front->info : NULL;
}

bool blkfront_ended(const struct blkfront *front)
{
	return front->broken || front->device.phase >= XENBUS_LEAVING;
}
