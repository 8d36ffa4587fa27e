#include "frontend/core/blkfront.h"

#include "frontend/core/limbo.h"
#include "frontend/core/text.h"
#include "lib/number.h"

#ifndef ERESTART
#define ERESTART 85
#endif

struct blkfront {
	struct xenbus_device device; /* first: the driver's functions get it */
	const struct blkfront_events *events;
	void *arg;
	struct platform_event *event;
	struct blkinfo info;
	bool connected, broken;
	bool wanting;   /* somebody was told -EAGAIN */
	uint32_t order; /* of the ring */
	uint32_t used;  /* slots that are not free */
	uint32_t epoch; /* counts rings */
	uint32_t held_epoch[BLK_SLOTS];
	uint16_t free_slot[BLK_SLOTS];
	struct blkpool pool;
	struct blkring ring;
};

static struct blkfront *front_of(struct xenbus_device *device)
{
	return (struct blkfront *)(void *)device;
}

static void room_tell(struct blkfront *front)
{
	if (!front->wanting)
		return;
	front->wanting = false;
	front->events->room(front->arg);
}

static void requests_fail(struct blkfront *front, int status)
{
	for (uint32_t i = 0; i < BLK_SLOTS; i++) {
		struct blkslot *slot = &front->ring.slot[i];

		if (slot->state != BLKSLOT_QUEUED)
			continue;
		slot->state = BLKSLOT_DONE;
		slot->status = status;
		front->events->completed(front->arg, slot);
	}
}

static void front_break(struct blkfront *front, int error)
{
	front->broken = true;
	front->connected = false;
	requests_fail(front, -EIO);
	front->events->broken(front->arg, blkring_error(error));
	room_tell(front);
}

/* Those that are there. Return: were there any? */
static bool responses_take(struct blkfront *front)
{
	struct blkslot *slot;
	bool any = false;
	int rc;

	if (!front->connected)
		return false;
	while ((rc = blkring_take(&front->ring, &slot)) > 0) {
		any = true;
		front->events->completed(front->arg, slot);
	}
	if (rc < 0)
		front_break(front, rc);
	return any;
}

/* Each round takes one at least, unless the backend takes back what it showed. */
static bool ring_event(void *arg)
{
	struct blkfront *front = arg;
	bool useful = false;

	for (unsigned rounds = 0; rounds <= BLK_SLOTS; rounds++) {
		useful |= responses_take(front);
		if (!front->connected || !blkring_listen(&front->ring))
			break;
	}
	return useful;
}

static int driver_open(struct xenbus_device *device)
{
	struct blkfront *front = front_of(device);
	struct platform *platform = device->platform;
	int rc;

	front->order = blkinfo_ring_order(platform, device->backend);
	if (!front->pool.data) {
		rc = blkpool_make(&front->pool, platform, device->backend_id);
		if (rc)
			return rc;
	}
	rc = blkring_make(&front->ring, platform, device->backend_id, front->order);
	if (rc)
		return rc;
	rc = platform->ops->event_open(platform, device->backend_id, ring_event, front,
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
	int rc;

	rc = blkinfo_read(device->platform, device->backend, &front->info);
	if (rc)
		return rc;
	if (front->info.request_max > front->pool.data->pages * WIRE_PAGE_SIZE)
		front->info.request_max = front->pool.data->pages * WIRE_PAGE_SIZE;
	front->connected = true;
	front->epoch++;
	front->events->changed(front->arg);
	room_tell(front);
	return 0;
}

/* Only what can change while requests run: the size. The rest was negotiated. */
static void driver_refresh(struct xenbus_device *device)
{
	struct blkfront *front = front_of(device);
	struct blkinfo info;

	if (!front->connected || blkinfo_read(device->platform, device->backend, &info) ||
	    info.sector_size != front->info.sector_size || info.size == front->info.size)
		return;
	front->info.size = info.size;
	front->events->changed(front->arg);
}

static void driver_close(struct xenbus_device *device)
{
	struct blkfront *front = front_of(device);

	front->connected = false;
	device->platform->ops->event_close(device->platform, front->event);
	front->event = NULL;
	blkring_drop(&front->ring, device->platform);
	requests_fail(front, -ERESTART);
}

static void driver_ended(struct xenbus_device *device)
{
	struct blkfront *front = front_of(device);

	front->connected = false;
	room_tell(front);
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
	room_tell(front);
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

bool blkfront_look(struct blkfront *front)
{
	return responses_take(front);
}

void blkfront_listen(struct blkfront *front)
{
	ring_event(front);
}

const struct blkinfo *blkfront_info(const struct blkfront *front)
{
	return front->connected ? &front->info : NULL;
}

bool blkfront_ended(const struct blkfront *front)
{
	return front->broken || front->device.phase >= XENBUS_LEAVING;
}

static int range_check(const struct blkinfo *info, enum blk_operation operation, uint64_t offset,
		       uint64_t length)
{
	uint64_t end;

	if (operation == BLK_FLUSH)
		return offset || length ? -EINVAL : 0;
	if (!length || (offset | length) % info->sector_size ||
	    __builtin_add_overflow(offset, length, &end) || end > info->size)
		return -EINVAL;
	return operation != BLK_DISCARD && length > info->request_max ? -EINVAL : 0;
}

static int begin_check(struct blkfront *front, enum blk_operation operation, uint64_t offset,
		       uint64_t length)
{
	const struct blkinfo *info = &front->info;

	if (front->broken)
		return -EIO;
	if (blkfront_ended(front))
		return -ENODEV;
	if (!front->connected)
		return -EAGAIN;
	if (info->read_only && (operation == BLK_WRITE || operation == BLK_DISCARD))
		return -EROFS;
	if ((operation == BLK_FLUSH && !info->can_flush) ||
	    (operation == BLK_DISCARD && !info->can_discard))
		return -EOPNOTSUPP;
	return range_check(info, operation, offset, length);
}

static const uint8_t wire_operation[] = {
	[BLK_READ] = BLKIF_OP_READ,
	[BLK_WRITE] = BLKIF_OP_WRITE,
	[BLK_FLUSH] = BLKIF_OP_FLUSH_DISKCACHE,
	[BLK_DISCARD] = BLKIF_OP_DISCARD,
};

static int slot_take(struct blkfront *front, enum blk_operation operation, uint64_t length,
		     struct blkslot **taken)
{
	bool data = operation == BLK_READ || operation == BLK_WRITE;
	uint32_t pages = data ? (uint32_t)((length + WIRE_PAGE_SIZE - 1) / WIRE_PAGE_SIZE) : 0;
	bool list = pages > BLKIF_MAX_SEGMENTS_PER_REQUEST;
	struct blkslot *slot;
	uint16_t index;
	int rc;

	if (front->used >= blkring_entries(&front->ring))
		return -EAGAIN;
	index = front->free_slot[BLK_SLOTS - 1 - front->used];
	slot = &front->ring.slot[index];
	rc = blkpool_take(&front->pool, pages, slot->page, list, &slot->list);
	if (rc)
		return rc;
	front->used++;
	front->held_epoch[index] = front->epoch;
	slot->pages = (uint16_t)pages;
	slot->list_used = list;
	*taken = slot;
	return 0;
}

int blkfront_begin(struct blkfront *front, enum blk_operation operation, uint64_t offset,
		   uint64_t length, void *owner, struct blkslot **taken)
{
	struct blkslot *slot;
	int rc;

	rc = begin_check(front, operation, offset, length);
	if (!rc)
		rc = slot_take(front, operation, length, &slot);
	if (rc) {
		front->wanting |= rc == -EAGAIN;
		return rc;
	}
	slot->state = BLKSLOT_HELD;
	slot->operation = wire_operation[operation];
	slot->generation++;
	slot->sector = offset / WIRE_SECTOR_SIZE;
	slot->sectors = length / WIRE_SECTOR_SIZE;
	slot->owner = owner;
	*taken = slot;
	return 0;
}

static size_t piece_of(const struct blkslot *slot, uint32_t i)
{
	uint64_t left = slot->sectors * WIRE_SECTOR_SIZE - (uint64_t)i * WIRE_PAGE_SIZE;

	return left < WIRE_PAGE_SIZE ? (size_t)left : WIRE_PAGE_SIZE;
}

static uint8_t *page_of(struct blkfront *front, const struct blkslot *slot, uint32_t i)
{
	return front->pool.data->data + (size_t)slot->page[i] * WIRE_PAGE_SIZE;
}

void blkfront_fill(struct blkfront *front, struct blkslot *slot, const void *data)
{
	const uint8_t *from = data;

	for (uint32_t i = 0; i < slot->pages; i++)
		memcpy(page_of(front, slot, i), from + (size_t)i * WIRE_PAGE_SIZE,
		       piece_of(slot, i));
}

void blkfront_drain(struct blkfront *front, const struct blkslot *slot, void *data)
{
	uint8_t *to = data;

	for (uint32_t i = 0; i < slot->pages; i++)
		memcpy(to + (size_t)i * WIRE_PAGE_SIZE, page_of(front, slot, i), piece_of(slot, i));
}

int blkfront_submit(struct blkfront *front, struct blkslot *slot)
{
	struct platform *platform = front->device.platform;

	if (!front->connected || front->held_epoch[slot - front->ring.slot] != front->epoch)
		return -ERESTART;
	blkring_put(&front->ring, &front->pool, slot);
	if (blkring_push(&front->ring))
		platform->ops->event_notify(platform, front->event);
	return 0;
}

void blkfront_end(struct blkfront *front, struct blkslot *slot)
{
	blkpool_give(&front->pool, slot->pages, slot->page, slot->list_used, slot->list);
	slot->state = BLKSLOT_FREE;
	front->used--;
	front->free_slot[BLK_SLOTS - 1 - front->used] = (uint16_t)(slot - front->ring.slot);
	room_tell(front);
}
