/* One request: its memory, its data, the steps of its operation, its end. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "backend/block/queue_parts.h"

enum step { STEP_END, STEP_READ, STEP_WRITE, STEP_FLUSH, STEP_DISCARD };

/*
 * A flush with data is a flush, then the write. A barrier must not get to the disk before what it
 * waited for is stable there, hence the first flush.
 */
static const uint8_t steps[][4] = {
	[BLK_READ] = {STEP_READ},
	[BLK_WRITE] = {STEP_WRITE},
	[BLK_FLUSH] = {STEP_FLUSH, STEP_WRITE},
	[BLK_BARRIER] = {STEP_FLUSH, STEP_WRITE, STEP_FLUSH},
	[BLK_DISCARD] = {STEP_DISCARD},
};

static void slot_failed(struct slot *slot, int rc);

void slots_init(struct slots *slots)
{
	slots->first = NULL;
	slots->end = &slots->first;
	slots->count = 0;
}

void slots_append(struct slots *slots, struct slot *slot)
{
	slot->next = NULL;
	*slots->end = slot;
	slots->end = &slot->next;
	slots->count++;
}

void slots_remove(struct slots *slots, struct slot **link)
{
	struct slot *slot = *link;

	*link = slot->next;
	if (slots->end == &slot->next)
		slots->end = link;
	slots->count--;
}

struct slot *slots_take(struct slots *slots)
{
	struct slot *slot = slots->first;

	if (slot)
		slots_remove(slots, &slots->first);
	return slot;
}

unsigned slot_number(const struct slot *slot)
{
	return (unsigned)(slot - slot->queue->slot);
}

bool queue_log_now(struct queue *queue)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return log_allowed(&queue->dev->limit,
			   (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

void slot_refused(const struct slot *slot)
{
	const struct blk_request *request = &slot->request;

	if (slot->rc != -EOPNOTSUPP && queue_log_now(slot->queue))
		log_warn("%s: request %u of %u segments at sector %" PRIu64 " refused: %s",
			 slot->queue->dev->name, request->operation, request->segments,
			 request->offset / BLK_SECTOR_SIZE, strerror(-slot->rc));
}

/* Whatever they waited for: all queues run another pass. */
void disk_again(struct blk_disk *disk)
{
	for (struct queue *queue = disk->queues; queue; queue = queue->next)
		event_active(queue->again, EV_TIMEOUT, 0);
}

/* A replayed request is over: what waited for it may start. */
void slot_settled(struct slot *slot)
{
	struct blk_disk *disk = slot->queue->disk;

	if (!slot->replayed)
		return;
	slot->replayed = false;
	disk->replayed--;
	disk_again(disk);
}

void slot_finish(struct slot *slot, int rc)
{
	struct queue *queue = slot->queue;
	struct blk_disk *disk = queue->disk;

	slot->rc = rc;
	if (slot->started)
		meter_finished(&queue->meter, slot->started);
	slots_append(&queue->finished, slot);
	disk->running--;
	queue->slow[slot->request.op]--;
	if (slot->request.op == BLK_BARRIER) {
		disk->barrier = NULL;
		disk_again(disk);
	} else if (disk->barrier && !disk->running) {
		event_active(disk->barrier->again, EV_TIMEOUT, 0);
	}
	slot_settled(slot);
	if (!disk->running && (queue->draining || disk->held))
		event_active(disk->drained, EV_TIMEOUT, 0);
}

static void slot_done(struct engine_io *io, int rc)
{
	struct slot *slot = (struct slot *)io, *more = slot->more;

	if (rc) {
		slot_failed(slot, rc);
		return;
	}
	slot->more = NULL;
	slot->step++;
	slot_begin(slot);
	for (; more; more = slot) {
		slot = more->more;
		more->more = NULL;
		slot_finish(more, 0);
	}
}

static const char *const engine_ops[] = {"read", "write", "flush", "discard", "secure discard"};

/* Of several together each is tried again alone, so that each has its own outcome. */
static void slot_failed(struct slot *slot, int rc)
{
	struct engine_io *io = &slot->io;

	if (!slot->more) {
		if (rc != -EOPNOTSUPP && rc != -ENOTCONN && queue_log_now(slot->queue))
			log_warn("%s: %s of %" PRIu64 " bytes at %" PRIu64
				 ": %s; the guest hears of an error",
				 slot->queue->dev->name, engine_ops[io->op], slot->request.length,
				 slot->request.offset, strerror(-rc));
		slot_finish(slot, rc);
		return;
	}
	while (slot) {
		struct slot *more = slot->more;

		slot->more = NULL;
		slot->length = slot->request.length;
		slot_begin(slot);
		slot = more;
	}
}

/* Start the next step of the operation, or finish it. */
void slot_begin(struct slot *slot)
{
	struct engine *engine = slot->queue->engine;
	const struct blk_request *request = &slot->request;
	int rc;

	if (steps[request->op][slot->step] == STEP_WRITE && !request->length)
		slot->step++;
	slot->io.done = slot_done;
	switch ((enum step)steps[request->op][slot->step]) {
	case STEP_READ:
		rc = engine_read(engine, &slot->io, slot->data, request->offset, slot->length);
		break;
	case STEP_WRITE:
		rc = engine_write(engine, &slot->io, slot->data, request->offset, slot->length);
		break;
	case STEP_FLUSH:
		rc = engine_flush(engine, &slot->io);
		break;
	case STEP_DISCARD:
		rc = (request->secure ? engine_erase : engine_discard)(
			engine, &slot->io, request->offset, request->length);
		break;
	default:
		slot_finish(slot, 0);
		return;
	}
	if (rc)
		slot_failed(slot, rc);
}

bool slot_memory(struct slot *slot)
{
	unsigned offset = slot->request.segment[0].offset;

	slot->pages =
		(unsigned)((offset + slot->request.length + BLK_PAGE_SIZE - 1) / BLK_PAGE_SIZE);
	slot->memory = pool_take(&slot->queue->pool, slot->pages);
	slot->data = slot->memory + offset;
	return slot->memory != NULL;
}

/* Gather the request's segments, in one direction. */
void slot_copy(struct slot *slot)
{
	struct copier *copier = &slot->queue->copier;
	const struct blk_request *request = &slot->request;
	uint8_t *data = slot->data;

	for (unsigned i = 0; i < request->segments; i++) {
		const struct blk_segment *segment = &request->segment[i];

		if (request->op == BLK_READ)
			copier_to_guest(copier, segment->gref, segment->offset, data,
					segment->length, &slot->rc);
		else
			copier_from_guest(copier, data, segment->gref, segment->offset,
					  segment->length, &slot->rc);
		data += segment->length;
	}
}

const char *slot_operation(const struct slot *slot)
{
	return engine_ops[slot->io.op];
}
