/* Answers, and when to look for what. */
#include <errno.h>

#include "backend/block/queue_parts.h"

/* Passes in a row while the storage is faster than us. */
#define TURNS_MAX 16

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
	queue_copy(queue);
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
	return takes(queue) && !queue->disk->running && !queue->pending.first &&
	       !queue->disk->held &&
	       poll_window(&queue->disk->poller.poll[false], queue->meter.now) &&
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
		queue_start(queue);
		if (!queue->stopped && !queue->blocked) {
			queue_pull(queue);
			queue_start(queue);
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
	disk->poller.busy = disk->running;
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

void queue_on_batch(void *arg)
{
	run(arg);
}

void queue_on_again(evutil_socket_t fd, short what, void *arg)
{
	run(arg);
}
