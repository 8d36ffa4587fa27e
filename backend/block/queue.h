/*
 * queue.h - one ring of a disk: requests in, one grant copy, one submission, answers out.
 *
 * A pass takes every request that is there, checks the private copies, fetches all data to write
 * in one grant copy, and starts the engine once. When operations finish, the data read goes to the
 * guest in one grant copy, and all answers with one notification. What finds no memory or has to
 * wait for a barrier stays pending, and no more is taken from the ring until it has started.
 * Neighbours become one operation of the engine (merge.h), and a few discards and flushes at a time
 * leave it threads for the others. When nothing is left, the disk's rings are looked at for a while
 * before they ask for notifications again (poller.h).
 *
 * What is taken is in the in-flight log first (inflight.h). A queue that is opened on a log with
 * unanswered requests replays them in the ring's order before it takes new ones, and lets no new
 * one write where a replayed one still does.
 *
 * Ring rules: xen/io/ring.h. A ring whose indices are nonsense is stopped and reported once; the
 * other rings and the process run on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backend/block/copier.h"
#include "backend/block/dump.h"
#include "backend/block/engine.h"
#include "backend/block/engine_inject.h"
#include "backend/block/inflight.h"
#include "backend/block/line.h"
#include "backend/block/poller.h"
#include "backend/block/pool.h"
#include "backend/block/ring.h"
#include "backend/block/sectors.h"
#include "backend/block/stall.h"
#include "backend/block/stats.h"
#include "backend/worker/worker.h"

struct queue;

/** Why the requests of a disk do not start; bits. */
enum blk_held {
	BLK_HELD_PAUSED = 1 << 0, /* the user wants it */
	BLK_HELD_CHANGE = 1 << 1, /* another image is put behind it */
};

/** What the queues of one disk share: a barrier concerns them all. */
struct blk_disk {
	struct blk_geometry geometry;
	unsigned running;      /* requests that have started and not finished */
	unsigned replayed;     /* of the replayed ones, those that have not finished */
	bool careful;          /* replay one at a time: one of them may be our death */
	struct queue *barrier; /* waits until nothing runs, or is running it: the others hold */
	struct queue *queues;  /* all of them */
	unsigned held;         /* enum blk_held */
	struct line line;      /* for what its limits allow; opened by the owner */
	struct poller poller;  /* before the worker sleeps; opened by the owner */
	struct stall stall;    /* what its storage does not answer; opened by the owner */
	struct inject inject;  /* faults that it is to have */
	struct event *drained; /* made active when nothing runs any more, while draining or held */
};

/** disk_hold - start no more requests; disk->drained tells when none runs any more. */
void disk_hold(struct blk_disk *disk, enum blk_held why);

/** disk_release - go on when there is no other reason to hold. */
void disk_release(struct blk_disk *disk, enum blk_held why);

struct queue_options {
	struct worker_device *dev; /* for its worker, its name and its errors */
	struct blk_disk *disk;
	enum blk_abi abi;
	void *ring; /* mapped, stays the caller's */
	unsigned pages;
	int fd;                    /* the image, stays the caller's; -1 for the null engine */
	struct remote *remote;     /* instead, an NBD client, stays the caller's; or NULL */
	struct sectors *sectors;   /* of the disk, if its storage has larger ones, or NULL */
	void *inflight;            /* inflight_size() bytes for this ring, stay the caller's */
	struct stats_queue *stats; /* what it counts; stays the caller's */
	bool persistent;           /* the guest uses the same grants again: keep them mapped */
};

/**
 * queue_open - take up a ring where its responses end, and its log says.
 *
 * A ring that a worker before us had is open in any case, but stopped and reported when its indices
 * or the log are nonsense by now.
 *
 * Return: 0, -EPROTO (the indices of a new ring are nonsense), -ENOMEM, or what the engine says.
 * *@queue joins the disk and is freed with queue_close.
 */
int queue_open(struct queue **queue, const struct queue_options *options);

/** queue_bound - the ring's event channel, for notifications. A worker before us may have answered
 * without notifying, so the guest is notified once. */
void queue_bound(struct queue *queue, evtchn_port_t port);

/** queue_kick - the guest has (perhaps) put requests onto the ring; an events_handler. */
void queue_kick(void *queue);

/** queue_keep - the guest's pages that are used again shall stay mapped, or shall not. */
void queue_keep(struct queue *queue, bool persistent);

/** queue_drain - take no more requests and forget those that have not started; disk->drained tells
 * when the running ones have been answered. */
void queue_drain(struct queue *queue);

/** What the storage was given first, of what it has. */
struct queue_oldest {
	uint64_t started; /* ns of CLOCK_MONOTONIC; 0: nothing */
	uint64_t offset, length;
	const char *operation;
};

/** queue_oldest - is there something older in this queue? */
void queue_oldest(const struct queue *queue, struct queue_oldest *oldest);

/** queue_next - the disk's next queue, or NULL. */
struct queue *queue_next(const struct queue *queue);

/** queue_dump - its indices and the requests that have no answer. */
void queue_dump(const struct queue *queue, struct dump_queue *dump);

/** queue_close - leave the disk and free all; nothing may be running. */
void queue_close(struct queue *queue);
