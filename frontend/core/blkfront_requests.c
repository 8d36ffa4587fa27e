/* Requests of a disk and their answers. */
#include "frontend/core/blkfront_parts.h"

void blkfront_room(struct blkfront *front)
{
	if (!front->wanting)
		return;
	front->wanting = false;
	front->events->room(front->arg);
}

void blkfront_fail(struct blkfront *front, int status)
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
	blkfront_fail(front, -EIO);
	front->events->broken(front->arg, blkring_error(error));
	blkfront_room(front);
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
bool blkfront_event(void *arg)
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

bool blkfront_look(struct blkfront *front)
{
	return responses_take(front);
}

void blkfront_listen(struct blkfront *front)
{
	blkfront_event(front);
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
	blkfront_room(front);
}
