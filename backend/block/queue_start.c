/* Requests off the ring, checked, and started. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backend/block/queue_parts.h"

/* Of a queue, at a time: they block threads of the engine's, and reads must find some. */
#define DISCARDS_MAX 2
#define FLUSHES_MAX  4

/* What a look at the pending requests has held; a barrier stays behind it. */
struct holding {
	bool limited[2]; /* by the disk's limits: [write] */
	bool slow;
};

void queue_ring_stop(struct queue *queue)
{
	queue->stopped = true;
	inflight_stop(&queue->inflight);
	worker_error(queue->dev, -EPROTO,
		     "the request producer index is not within %u of %" PRIu32
		     ", ring stopped; the guest must reconnect",
		     queue->ring.back.nr_ents, queue->ring.back.req_cons);
}

/* Look whether the kept pages are still used, in @ns; 0: there are none. */
static void idle_look(struct queue *queue, uint64_t ns)
{
	uint64_t us = ns / 1000 + 1;
	struct timeval after = {(time_t)(us / 1000000), (suseconds_t)(us % 1000000)};

	if (ns)
		evtimer_add(queue->idle, &after);
}

/* While requests are under way their pages are used. */
void queue_on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct queue *queue = arg;
	struct kept *kept = &queue->copier.kept;

	meter_look(&queue->meter);
	if (queue->free.count < queue->ring.back.nr_ents)
		kept->used = queue->meter.now;
	idle_look(queue, kept_idle(kept, queue->meter.now));
}

void queue_copy(struct queue *queue)
{
	struct copier *copier = &queue->copier;
	uint64_t calls = copier->calls, segments = copier->segments;

	copier_run(copier);
	if (copier->near) {
		stats_add(&queue->meter.stats->kept_segments, copier->near);
		copier->near = 0;
		copier->kept.used = queue->meter.now;
		if (!evtimer_pending(queue->idle, NULL))
			idle_look(queue, copier->kept.idle_ns);
	}
	if (copier->calls > calls)
		meter_copied(&queue->meter, copier->calls - calls, copier->segments - segments);
}

/* Take all requests off the ring, into the log before anything looks at them. */
static void take(struct queue *queue, struct slots *pulled)
{
	int there = ring_requests(&queue->ring);

	if (there < 0)
		queue_ring_stop(queue);
	if (there > 0)
		stats_add(&queue->meter.stats->passes, 1);
	for (; there > 0; there--) {
		struct slot *slot = slots_take(&queue->free);

		ring_take(&queue->ring, inflight_take(&queue->inflight, slot_number(slot)));
		slots_append(pulled, slot);
	}
	inflight_taken(&queue->inflight);
}

/* Take what the worker before left unanswered: all of it, or one when nothing else runs. */
static void replay(struct queue *queue, struct slots *pulled)
{
	struct blk_disk *disk = queue->disk;
	struct slot *slot;

	while (!(disk->careful && (disk->running || pulled->first)) &&
	       (slot = slots_take(&queue->replay)))
		slots_append(pulled, slot);
}

/* Those that are in order become pending. */
static void parse(struct queue *queue, struct slots *pulled)
{
	const struct blk_geometry *geometry = &queue->disk->geometry;
	struct slot *slot;

	for (slot = pulled->first; slot; slot = slot->next) {
		slot->memory = NULL;
		slot->step = 0;
		slot->charged = false;
		slot->taken = queue->meter.now;
		slot->started = 0;
		slot->request.segments = 0;
		slot->request.offset = 0;
		slot->rc = request_parse(inflight_wire(&queue->inflight, slot_number(slot)),
					 geometry, &slot->request);
		if (!slot->rc && slot->request.indirect)
			copier_from_guest(
				&queue->copier, slot->request.segment, slot->request.indirect_ref,
				0, (uint16_t)(slot->request.segments * sizeof(struct blk_segment)),
				&slot->rc);
	}
	queue_copy(queue);
	while ((slot = slots_take(pulled))) {
		if (!slot->rc && slot->request.indirect)
			slot->rc =
				request_indirect(slot->request.segment, geometry, &slot->request);
		if (!slot->rc) {
			slots_append(&queue->pending, slot);
			continue;
		}
		slot_refused(slot);
		slot_settled(slot);
		slots_append(&queue->finished, slot);
	}
}

void queue_pull(struct queue *queue)
{
	struct slots pulled;

	slots_init(&pulled);
	if (queue->replay.first)
		replay(queue, &pulled);
	else
		take(queue, &pulled);
	parse(queue, &pulled);
}

static bool changes(const struct blk_request *request)
{
	return request->op != BLK_READ && request->length;
}

/* Would it write where a replayed request may write once more? */
static bool overlaps_replayed(const struct slot *slot)
{
	const struct blk_disk *disk = slot->queue->disk;
	const struct blk_request *one = &slot->request;

	if (!disk->replayed || slot->replayed || !changes(one))
		return false;
	for (struct queue *queue = disk->queues; queue; queue = queue->next) {
		for (unsigned n = 0; n < queue->ring.back.nr_ents; n++) {
			const struct blk_request *other = &queue->slot[n].request;

			if (queue->slot[n].replayed && changes(other) &&
			    one->offset < other->offset + other->length &&
			    other->offset < one->offset + one->length)
				return true;
		}
	}
	return false;
}

enum verdict { START, HOLD, STOP };

static bool is_slow(const struct queue *queue, enum blk_op op)
{
	return (op == BLK_DISCARD && queue->slow[op] >= DISCARDS_MAX) ||
	       (op == BLK_FLUSH && queue->slow[op] >= FLUSHES_MAX);
}

/*
 * May a pending request start? A barrier waits for all, all wait for a barrier. What the disk's
 * limits hold lets others by, but for those of its own direction;
 * a discard or flush too many lets all by.
 */
static enum verdict judge(struct queue *queue, struct slot *slot, struct holding *holding)
{
	bool *held = holding->limited;
	struct blk_disk *disk = queue->disk;
	const struct blk_request *request = &slot->request;
	bool write = request->op != BLK_READ, barrier = request->op == BLK_BARRIER;

	if (overlaps_replayed(slot))
		return STOP;
	/* One at a time is of the disk: slot_settled() wakes all its queues. */
	if (disk->careful && disk->replayed && (!slot->replayed || disk->running))
		return STOP;
	if (disk->held || (disk->barrier && (disk->barrier != queue || !barrier)))
		return STOP;
	if (barrier && (held[0] || held[1] || holding->slow))
		return STOP;
	if (is_slow(queue, request->op)) {
		holding->slow = true;
		return HOLD;
	}
	if (request->length && !slot->charged) {
		uint64_t bytes = request->op == BLK_DISCARD ? 0 : request->length;

		slot->charged = !held[write] &&
				line_take(&disk->line, &queue->waiter, write, bytes);
		held[write] = !slot->charged;
		if (held[write]) {
			stats_add(&queue->meter.stats->limited, 1);
			return barrier ? STOP : HOLD;
		}
	}
	if (!barrier)
		return START;
	disk->barrier = queue;
	return disk->running ? STOP : START;
}

/* Its data's place in memory, and what it writes on the way there. */
static bool slot_fetch(struct slot *slot)
{
	slot->rc = request_allowed(&slot->request, &slot->queue->disk->geometry);
	if (slot->rc || !slot->request.segments)
		return true;
	if (!slot_memory(slot))
		return false;
	if (slot->request.op != BLK_READ)
		slot_copy(slot);
	return true;
}

/* Begin the first of them, together with those behind it that go on where it ends. */
static void run_begin(struct slots *starting)
{
	struct slot *first = slots_take(starting), *last = first;
	struct queue *queue = first->queue;
	struct merge run = merge_begin(&first->request, first->data);
	bool alone = queue->disk->inject.rules.count; /* rules are for the guest's requests */
	unsigned joined = 0;

	first->more = NULL;
	first->started = queue->meter.now;
	while (!alone && starting->first && !starting->first->rc &&
	       merge_join(&run, &starting->first->request, starting->first->data)) {
		last->more = slots_take(starting);
		last = last->more;
		last->more = NULL;
		last->started = queue->meter.now;
		joined++;
	}
	if (joined)
		stats_add(&queue->meter.stats->merged, joined + 1);
	first->length = run.length;
	slot_begin(first);
}

/* Start what is pending, in order, as far as memory, barriers and limits allow. */
void queue_start(struct queue *queue)
{
	struct slot **link = &queue->pending.first, *slot;
	struct slots starting;
	struct holding holding = {0};

	slots_init(&starting);
	while ((slot = *link)) {
		enum verdict verdict = judge(queue, slot, &holding);

		if (verdict == HOLD) {
			link = &slot->next;
			continue;
		}
		if (verdict == STOP || !slot_fetch(slot))
			break;
		slots_remove(&queue->pending, link);
		slots_append(&starting, slot);
		queue->disk->running++;
		queue->slow[slot->request.op]++;
	}
	queue->blocked = slot != NULL;
	if (!holding.limited[0] && !holding.limited[1])
		line_leave(&queue->disk->line, &queue->waiter);
	queue_copy(queue);
	while ((slot = starting.first)) {
		if (slot->rc) {
			slots_take(&starting);
			slot_refused(slot);
			slot_finish(slot, slot->rc);
		} else {
			run_begin(&starting);
		}
	}
	engine_submit(queue->engine);
	if (queue->disk->running)
		stall_watch(&queue->disk->stall);
}
