#include "backend/block/queue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/block/batch.h"
#include "backend/block/merge.h"
#include "backend/block/meter.h"

/* Of a queue, at a time: they block threads of the engine's, and reads must find some. */
#define DISCARDS_MAX 2
#define FLUSHES_MAX  4

/* Passes in a row while the storage is faster than us. */
#define TURNS_MAX 16

/** A request on its way; a queue has as many as its ring has slots. */
struct slot {
	struct engine_io io; /* first: engine_done gets it */
	struct queue *queue;
	struct slot *next;
	uint8_t *memory; /* the pool's, pages of it */
	uint8_t *data;   /* in there, at the guest's own offset into a page */
	unsigned pages;
	struct slot *more;       /* part of this one's operation: the next, and the next's */
	uint64_t length;         /* bytes of the operation */
	unsigned step;           /* of the operation, see steps[] */
	bool charged;            /* the disk's limits have let it by */
	uint64_t taken, started; /* when; 0: never */
	int rc;
	bool replayed; /* and not finished */
	struct blk_request request;
};

struct slots {
	struct slot *first, **end;
	unsigned count;
};

struct queue {
	struct worker_device *dev;
	struct blk_disk *disk;
	struct queue *next; /* of the disk */
	struct blk_ring ring;
	evtchn_port_t port;
	bool bound, stopped, draining;
	bool blocked;             /* nothing can start now: take no more from the ring */
	unsigned slow[STATS_OPS]; /* discards and flushes that run, by enum blk_op */
	struct waiter waiter;
	struct inflight inflight; /* entry n is slot n's */
	bool resumed;             /* a worker had it before us */
	struct engine *engine;
	struct event *again; /* run another pass */
	struct slots free;
	struct slots replay;   /* taken by the worker before: in the ring's order */
	struct slots pending;  /* checked, not started: in the ring's order */
	struct slots finished; /* to be answered */
	struct batch batch;
	struct pool pool;
	struct copier copier;
	struct meter meter;
	struct slot slot[];
};

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

static void slots_init(struct slots *slots)
{
	slots->first = NULL;
	slots->end = &slots->first;
	slots->count = 0;
}

static void slots_append(struct slots *slots, struct slot *slot)
{
	slot->next = NULL;
	*slots->end = slot;
	slots->end = &slot->next;
	slots->count++;
}

static void slots_remove(struct slots *slots, struct slot **link)
{
	struct slot *slot = *link;

	*link = slot->next;
	if (slots->end == &slot->next)
		slots->end = link;
	slots->count--;
}

static struct slot *slots_take(struct slots *slots)
{
	struct slot *slot = slots->first;

	if (slot)
		slots_remove(slots, &slots->first);
	return slot;
}

static unsigned slot_number(const struct slot *slot)
{
	return (unsigned)(slot - slot->queue->slot);
}

static bool log_now(struct queue *queue)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return log_allowed(&queue->dev->limit,
			   (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

static void ring_stop(struct queue *queue)
{
	queue->stopped = true;
	inflight_stop(&queue->inflight);
	worker_error(queue->dev, -EPROTO,
		     "the request producer index is not within %u of %" PRIu32
		     ", ring stopped; the guest must reconnect",
		     queue->ring.back.nr_ents, queue->ring.back.req_cons);
}

/* ---- one request ---- */

static void log_refused(const struct slot *slot)
{
	const struct blk_request *request = &slot->request;

	if (slot->rc != -EOPNOTSUPP && log_now(slot->queue))
		log_warn("%s: request %u of %u segments at sector %" PRIu64 " refused: %s",
			 slot->queue->dev->name, request->operation, request->segments,
			 request->offset / BLK_SECTOR_SIZE, strerror(-slot->rc));
}

static void slot_begin(struct slot *slot);

/* Whatever they waited for: all queues run another pass. */
static void disk_again(struct blk_disk *disk)
{
	for (struct queue *queue = disk->queues; queue; queue = queue->next)
		event_active(queue->again, EV_TIMEOUT, 0);
}

/* A replayed request is over: what waited for it may start. */
static void slot_settled(struct slot *slot)
{
	struct blk_disk *disk = slot->queue->disk;

	if (!slot->replayed)
		return;
	slot->replayed = false;
	disk->replayed--;
	disk_again(disk);
}

static void slot_finish(struct slot *slot, int rc)
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

static void slot_failed(struct slot *slot, int rc);

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
		if (rc != -EOPNOTSUPP && rc != -ENOTCONN && log_now(slot->queue))
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
static void slot_begin(struct slot *slot)
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

static bool slot_memory(struct slot *slot)
{
	unsigned offset = slot->request.segment[0].offset;

	slot->pages =
		(unsigned)((offset + slot->request.length + BLK_PAGE_SIZE - 1) / BLK_PAGE_SIZE);
	slot->memory = pool_take(&slot->queue->pool, slot->pages);
	slot->data = slot->memory + offset;
	return slot->memory != NULL;
}

/* Gather the request's segments, in one direction. */
static void slot_copy(struct slot *slot)
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

/* ---- a pass ---- */

static void copy(struct queue *queue)
{
	struct copier *copier = &queue->copier;
	uint64_t calls = copier->calls, segments = copier->segments;

	copier_run(copier);
	if (copier->calls > calls)
		meter_copied(&queue->meter, copier->calls - calls, copier->segments - segments);
}

/* Take all requests off the ring, into the log before anything looks at them. */
static void take(struct queue *queue, struct slots *pulled)
{
	int there = ring_requests(&queue->ring);

	if (there < 0)
		ring_stop(queue);
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
	copy(queue);
	while ((slot = slots_take(pulled))) {
		if (!slot->rc && slot->request.indirect)
			slot->rc =
				request_indirect(slot->request.segment, geometry, &slot->request);
		if (!slot->rc) {
			slots_append(&queue->pending, slot);
			continue;
		}
		log_refused(slot);
		slot_settled(slot);
		slots_append(&queue->finished, slot);
	}
}

static void pull(struct queue *queue)
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

/* What a look at the pending requests has held; a barrier stays behind it. */
struct holding {
	bool limited[2]; /* by the disk's limits: [write] */
	bool slow;
};

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
static void start(struct queue *queue)
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
	copy(queue);
	while ((slot = starting.first)) {
		if (slot->rc) {
			slots_take(&starting);
			log_refused(slot);
			slot_finish(slot, slot->rc);
		} else {
			run_begin(&starting);
		}
	}
	engine_submit(queue->engine);
	if (queue->disk->running)
		stall_watch(&queue->disk->stall);
}

/* Its storage is away and its disk being closed: whether it was done nobody knows, so nobody says.
 */
static bool abandoned(const struct slot *slot)
{
	return slot->queue->draining && slot->rc == -ENOTCONN;
}

/* Give the guest its data and its answers, all that are finished in one go. Were there any? */
static bool answer(struct queue *queue)
{
	struct slot *slot;
	bool notify;

	if (!queue->finished.first)
		return false;
	for (slot = queue->finished.first; slot; slot = slot->next)
		if (!slot->rc && slot->request.op == BLK_READ)
			slot_copy(slot);
	copy(queue);
	while ((slot = slots_take(&queue->finished))) {
		if (slot->memory)
			pool_give(&queue->pool, slot->memory, slot->pages);
		meter_answered(&queue->meter, &slot->request, slot->rc, slot->taken, slot->started);
		slot->started = 0;
		if (!queue->stopped && !abandoned(slot)) {
			inflight_answer(&queue->inflight, slot_number(slot));
			ring_answer(&queue->ring, &slot->request, slot->rc);
		}
		slots_append(&queue->free, slot);
	}
	if (queue->stopped)
		return true;
	inflight_pushing(&queue->inflight);
	notify = ring_push(&queue->ring);
	inflight_pushed(&queue->inflight);
	if (notify && queue->bound) {
		stats_add(&queue->meter.stats->notifications, 1);
		events_notify(queue->dev->worker->events, queue->port);
	}
	return true;
}

static bool takes(const struct queue *queue)
{
	return !queue->stopped && !queue->draining && !queue->blocked && !queue->replay.first;
}

/*
 * May what has finished wait for more? Not when something else waits for the answers; nor while the
 * storage is busy, which would then have less to do at a time.
 */
static bool waits(const struct queue *queue)
{
	return takes(queue) && !queue->disk->running && !queue->pending.first && !queue->disk->held &&
	       poll_window(&queue->disk->poller.poll, queue->meter.now) &&
	       batch_waits(&queue->batch, queue->finished.count);
}

/* @alone: they have waited, in vain. Were there any? */
static bool answer_batch(struct queue *queue, bool alone)
{
	unsigned finished = queue->finished.count;

	if (!answer(queue))
		return false;
	batch_answered(&queue->batch, finished, alone);
	return true;
}

/*
 * Everything that can be done now, also what the storage finishes meanwhile. Answers may be left
 * that wait for more.
 */
static void pass(struct queue *queue)
{
	unsigned turns = 0;

	do {
		meter_pass(&queue->meter);
		if (!waits(queue))
			answer_batch(queue, false);
		if (queue->draining)
			continue;
		start(queue);
		if (!queue->stopped && !queue->blocked) {
			pull(queue);
			start(queue);
		}
	} while (++turns < TURNS_MAX && engine_look(queue->engine));
	/* What was answered may have held the memory that others wait for. */
	if ((!waits(queue) && answer_batch(queue, false) && queue->blocked) || turns == TURNS_MAX)
		event_active(queue->again, EV_TIMEOUT, 0);
}

/* No answer waits any longer. Did one? */
static bool disk_answer(struct blk_disk *disk, bool alone)
{
	bool waited = false;

	for (struct queue *queue = disk->queues; queue; queue = queue->next) {
		if (!queue->finished.first)
			continue;
		meter_pass(&queue->meter);
		answer_batch(queue, alone);
		waited = true;
	}
	return waited;
}

/* The poller looks longer while answers wait. */
static void disk_wait(struct blk_disk *disk)
{
	disk->poller.waiting = false;
	for (struct queue *queue = disk->queues; queue; queue = queue->next)
		if (queue->finished.first)
			disk->poller.waiting = true;
}

/* A pass for each of the disk's queues that has something to do. Was there one? */
static bool disk_look(void *arg)
{
	struct blk_disk *disk = arg;
	bool found = false;

	for (struct queue *queue = disk->queues; queue; queue = queue->next) {
		if (!engine_look(queue->engine) && (!takes(queue) || !ring_requests(&queue->ring)))
			continue;
		pass(queue);
		found = true;
	}
	if (found)
		disk_wait(disk);
	return found;
}

/* There is something to do; then look for more, or else ask the guest to notify us of it. */
static void run(struct queue *queue)
{
	struct blk_disk *disk = queue->disk;
	bool more;

	pass(queue);
	poller_woken(&disk->poller, queue->meter.now);
	do {
		disk_wait(disk);
		more = poller_run(&disk->poller, disk_look, disk, queue->meter.stats);
	} while (disk_answer(disk, !more) && !more);
	if (more) {
		event_active(queue->again, EV_TIMEOUT, 0);
		return;
	}
	for (queue = disk->queues; queue; queue = queue->next)
		if (takes(queue) && ring_sleep(&queue->ring))
			event_active(queue->again, EV_TIMEOUT, 0);
}

void disk_hold(struct blk_disk *disk, enum blk_held why)
{
	disk->held |= why;
}

void disk_release(struct blk_disk *disk, enum blk_held why)
{
	disk->held &= ~(unsigned)why;
	if (!disk->held)
		disk_again(disk);
}

void queue_kick(void *arg)
{
	struct queue *queue = arg;

	stats_add(&queue->meter.stats->events, 1);
	run(queue);
}

static void on_batch(void *arg)
{
	run(arg);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	run(arg);
}

/* ---- life ---- */

static int engine_open(struct queue *queue, const struct queue_options *from)
{
	struct engine_options options = {
		.base = queue->dev->worker->base,
		.depth = queue->ring.back.nr_ents,
		.batch = on_batch,
		.arg = queue,
	};

	struct engine *inner = NULL;
	int rc;

	if (from->remote)
		rc = engine_open_nbd(&inner, from->remote, &options);
	else if (from->fd < 0)
		rc = engine_open_null(&inner, &options);
	else
		rc = engine_open_file(&inner, from->fd, &options);
	if (!rc && from->sectors)
		rc = engine_open_sectors(&inner, from->sectors, inner, &options);
	if (!rc)
		rc = engine_open_inject(&inner, &queue->disk->inject, inner, &options);
	if (!rc)
		queue->engine = inner;
	return rc;
}

/* What the log says is unanswered goes to its slots, the other slots are free. */
static void slots_resume(struct queue *queue)
{
	uint16_t order[INFLIGHT_ENTRIES_MAX];
	unsigned count = inflight_unanswered(&queue->inflight, order);

	for (unsigned i = 0; i < count; i++) {
		struct slot *slot = &queue->slot[order[i]];

		slot->replayed = true;
		/* Until it is parsed it may be anything. */
		slot->request.op = BLK_WRITE;
		slot->request.length = UINT64_MAX;
		slots_append(&queue->replay, slot);
	}
	queue->disk->replayed += count;
	for (unsigned i = 0; i < queue->ring.back.nr_ents; i++)
		if (!queue->slot[i].replayed)
			slots_append(&queue->free, &queue->slot[i]);
}

static int rings_open(struct queue *queue, const struct queue_options *options)
{
	struct blk_ring *ring = &queue->ring;
	struct inflight *inflight = &queue->inflight;
	int rc = ring_attach(ring, options->ring, options->pages, options->abi);

	queue->resumed = inflight_is_begun(options->inflight);
	if (rc && !queue->resumed)
		return rc;
	rc = inflight_attach(inflight, options->inflight, ring->back.nr_ents,
			     ring->back.rsp_prod_pvt);
	if (!rc)
		rc = ring_resume(ring, (uint32_t)inflight->next);
	if (inflight->shared->stopped)
		queue->stopped = true;
	else if (rc)
		ring_stop(queue);
	else
		slots_resume(queue);
	return 0;
}

int queue_open(struct queue **result, const struct queue_options *options)
{
	unsigned entries = request_ring_entries(options->abi, options->pages);
	struct worker *worker = options->dev->worker;
	struct queue *queue = calloc(1, sizeof(*queue) + entries * sizeof(queue->slot[0]));
	int rc = -ENOMEM;

	if (!queue)
		return rc;
	queue->dev = options->dev;
	queue->disk = options->disk;
	queue->meter.stats = options->stats;
	copier_init(&queue->copier, worker->gnttab, worker->domid);
	slots_init(&queue->free);
	slots_init(&queue->replay);
	slots_init(&queue->pending);
	slots_init(&queue->finished);
	batch_init(&queue->batch, entries);
	for (unsigned i = 0; i < entries; i++)
		queue->slot[i].queue = queue;
	rc = rings_open(queue, options);
	if (rc)
		goto fail;
	rc = -ENOMEM;
	queue->again = event_new(worker->base, -1, 0, on_again, queue);
	if (!queue->again)
		goto fail;
	queue->waiter.again = queue->again;
	rc = pool_open(&queue->pool);
	if (!rc)
		rc = engine_open(queue, options);
	if (rc)
		goto fail;
	queue->next = queue->disk->queues;
	queue->disk->queues = queue;
	*result = queue;
	return 0;

fail:
	queue_close(queue);
	return rc;
}

void queue_bound(struct queue *queue, evtchn_port_t port)
{
	queue->port = port;
	queue->bound = true;
	if (!queue->resumed)
		return;
	events_notify(queue->dev->worker->events, port);
	event_active(queue->again, EV_TIMEOUT, 0);
}

void queue_drain(struct queue *queue)
{
	struct slot *slot;

	queue->draining = true;
	line_leave(&queue->disk->line, &queue->waiter);
	while ((slot = slots_take(&queue->pending)))
		slots_append(&queue->free, slot);
}

void queue_oldest(const struct queue *queue, struct queue_oldest *oldest)
{
	for (unsigned n = 0; n < queue->ring.back.nr_ents; n++) {
		const struct slot *slot = &queue->slot[n];

		if (!slot->started || (oldest->started && slot->started >= oldest->started))
			continue;
		*oldest = (struct queue_oldest){
			.started = slot->started,
			.offset = slot->request.offset,
			.length = slot->request.length,
			.operation = engine_ops[slot->io.op],
		};
	}
}

struct queue *queue_next(const struct queue *queue)
{
	return queue->next;
}

static void slots_mark(const struct queue *queue, const struct slots *slots, uint8_t *states,
		       uint8_t state)
{
	for (const struct slot *slot = slots->first; slot; slot = slot->next)
		states[slot - queue->slot] = state;
}

static uint32_t flags(const struct queue *queue)
{
	return (queue->stopped ? DUMP_STOPPED : 0u) | (queue->draining ? DUMP_DRAINING : 0u) |
	       (queue->blocked ? DUMP_BLOCKED : 0u) | (queue->waiter.standing ? DUMP_WAITING : 0u) |
	       (queue->disk->barrier == queue ? DUMP_BARRIER : 0u);
}

void queue_dump(const struct queue *queue, struct dump_queue *dump)
{
	const blkif_back_ring_t *back = &queue->ring.back;
	uint8_t states[DUMP_SLOTS];
	struct meter clock;

	meter_look(&clock);
	dump->entries = back->nr_ents;
	dump->port = queue->port;
	dump->flags = flags(queue);
	dump->req_prod = __atomic_load_n(&back->sring->req_prod, __ATOMIC_RELAXED);
	dump->req_event = __atomic_load_n(&back->sring->req_event, __ATOMIC_RELAXED);
	dump->rsp_prod = __atomic_load_n(&back->sring->rsp_prod, __ATOMIC_RELAXED);
	dump->rsp_event = __atomic_load_n(&back->sring->rsp_event, __ATOMIC_RELAXED);
	dump->req_cons = back->req_cons;
	dump->rsp_prod_pvt = back->rsp_prod_pvt;
	dump->count = 0;
	memset(states, DUMP_RUNNING, sizeof(states));
	slots_mark(queue, &queue->free, states, 0);
	slots_mark(queue, &queue->replay, states, DUMP_REPLAY);
	slots_mark(queue, &queue->pending, states, DUMP_PENDING);
	slots_mark(queue, &queue->finished, states, DUMP_FINISHED);
	for (unsigned n = 0; n < back->nr_ents && n < DUMP_SLOTS; n++) {
		const struct blk_request *request = &queue->slot[n].request;

		if (!states[n])
			continue;
		dump->slot[dump->count++] = (struct dump_slot){
			.id = request->id,
			.offset = request->offset,
			.length = request->length,
			.age_ns = clock.now - queue->slot[n].taken,
			.slot = (uint16_t)n,
			.segments = request->segments,
			.operation = request->operation,
			.state = states[n],
		};
	}
}

void queue_close(struct queue *queue)
{
	for (struct queue **link = &queue->disk->queues; *link; link = &(*link)->next)
		if (*link == queue) {
			*link = queue->next;
			break;
		}
	line_leave(&queue->disk->line, &queue->waiter);
	engine_close(queue->engine);
	if (queue->again)
		event_free(queue->again);
	pool_close(&queue->pool);
	free(queue);
}
