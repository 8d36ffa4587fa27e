/*
 * queue_parts.h - inside a queue: what its files share.
 *
 *   slot.c        one request: its memory, its data, the steps of its operation, its end
 *   queue_start.c takes requests off the ring, checks them, starts what may start
 *   queue_pass.c  answers, and when to do all of this
 *   queue_dump.c  what a look at it shows
 *   queue.c       its life
 */
#pragma once

#include "backend/block/batch.h"
#include "backend/block/merge.h"
#include "backend/block/meter.h"
#include "backend/block/queue.h"

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
	struct event *idle;  /* are the pages that are kept mapped still used? */
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

/** A list of slots, in order. slots_take - the first, or NULL; slots_remove - the one at @link. */
void slots_init(struct slots *slots);
void slots_append(struct slots *slots, struct slot *slot);
void slots_remove(struct slots *slots, struct slot **link);
struct slot *slots_take(struct slots *slots);

/** slot_number - of its entry in the in-flight log. */
unsigned slot_number(const struct slot *slot);

/** slot_memory - for its data, at the guest's own offset into a page. Return: false when none is
 * free. */
bool slot_memory(struct slot *slot);

/** slot_copy - gather its segments for the copier, in its one direction. */
void slot_copy(struct slot *slot);

/** slot_begin - start the next step of its operation, or finish it. */
void slot_begin(struct slot *slot);

/** slot_finish - its operation is over with @rc; it waits to be answered. */
void slot_finish(struct slot *slot, int rc);

/** slot_settled - if it was replayed: what waited for it may start. */
void slot_settled(struct slot *slot);

/** slot_refused - say in the log why it was not started. */
void slot_refused(const struct slot *slot);

/** slot_operation - what its engine does, or did last, as a word. */
const char *slot_operation(const struct slot *slot);

/** queue_log_now - may the guest have caused one more line in the log? */
bool queue_log_now(struct queue *queue);

/** queue_ring_stop - the ring holds nonsense: nothing is taken from it any more, and it is
 * reported. */
void queue_ring_stop(struct queue *queue);

/** disk_again - whatever they waited for: all queues run another pass. */
void disk_again(struct blk_disk *disk);

/** queue_copy - do what the copier has gathered, in one call. */
void queue_copy(struct queue *queue);

/** queue_pull - take all requests there are; those that are in order become pending. */
void queue_pull(struct queue *queue);

/** queue_start - start what is pending, in order, as far as memory, barriers and limits allow. */
void queue_start(struct queue *queue);

/** The queue's engine has finished something; its event fired. @arg: the queue */
void queue_on_batch(void *arg);
void queue_on_again(evutil_socket_t fd, short what, void *arg);
void queue_on_idle(evutil_socket_t fd, short what, void *arg);
