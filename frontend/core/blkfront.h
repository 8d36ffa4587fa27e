/*
 * blkfront.h - a disk: reads, writes, flushes and discards by whoever holds the device's lock.
 *
 * A request goes through four steps, so that data is copied without the lock:
 *
 *   blkfront_begin   (lock)  take a slot and pages
 *   blkfront_fill            a write's data into the pages
 *   blkfront_submit  (lock)  onto the ring
 *   ...completed() is called (under the lock)
 *   blkfront_drain           a read's data out of the pages
 *   blkfront_end     (lock)  slot and pages are free again
 *
 * When the backend goes away, what was submitted completes with -ERESTART and is the owner's to
 * submit again: a new backend may take smaller requests. Reads and writes may be repeated.
 */
#pragma once

#include "frontend/core/blkring.h"
#include "frontend/core/xenbus.h"

struct blkfront;

enum blk_operation { BLK_READ, BLK_WRITE, BLK_FLUSH, BLK_DISCARD };

/** Called under the device's lock; none may call into the device again. */
struct blkfront_events {
	/* Connected (again), or its size or another property changed: see blkfront_info. */
	void (*changed)(void *arg);
	/* A request is done; .status and .owner say how and whose. */
	void (*completed)(void *arg, struct blkslot *slot);
	/* There is room again after -EAGAIN, or the device is connected or has ended. */
	void (*room)(void *arg);
	/* The backend broke the protocol: all fails with -EIO from now on. To be followed by
	 * blkfront_leave(front, reason) where the store may be used. */
	void (*broken)(void *arg, const char *reason);
	/* Closed for ever: to be freed with blkfront_destroy, but not from here. */
	void (*ended)(void *arg);
};

/**
 * blkfront_create - begin to connect to a disk.
 * @path: the device's directory in the store, such as "device/vbd/51712"
 * @arg:  for @events
 *
 * Return: 0, -ENOMEM, -EINVAL (@path does not end in the device's number), or as xenbus_start.
 */
int blkfront_create(struct platform *platform, const char *path,
		    const struct blkfront_events *events, void *arg, struct blkfront **front);

/**
 * blkfront_resume - the domain was restored; as xenbus_resume. What was submitted completes with
 * -ERESTART, changed() tells when there is a backend again.
 */
int blkfront_resume(struct blkfront *front);

/** blkfront_stop - end at once; what is queued completes with -ERESTART. */
void blkfront_stop(struct blkfront *front);

/** blkfront_destroy - the same, and free all; requests not ended yet are forgotten. */
void blkfront_destroy(struct blkfront *front);

/** blkfront_leave - end in order. @reason: what is wrong, or NULL; ended() tells. */
void blkfront_leave(struct blkfront *front, const char *reason);

/** blkfront_info - the disk's properties, or NULL while it is not connected. */
const struct blkinfo *blkfront_info(const struct blkfront *front);

/** blkfront_ended - will there be nothing more? */
bool blkfront_ended(const struct blkfront *front);

/**
 * blkfront_begin - take a slot for one request.
 * @offset: bytes into the disk, a multiple of the sector size; 0 for a flush
 * @length: bytes, a multiple of the sector size; at most request_max unless it is a discard;
 *          0 for a flush
 * @owner:  kept in the slot
 *
 * Return: 0, or
 *   -EAGAIN      no slot or page is free, or the disk is not connected now: room() will tell
 *   -EIO         the backend broke the protocol
 *   -ENODEV      the device has ended
 *   -EROFS       a write or discard on a read-only disk
 *   -EOPNOTSUPP  a flush or discard that the backend does not offer
 *   -EINVAL      not aligned, empty, too long, or beyond the end
 */
int blkfront_begin(struct blkfront *front, enum blk_operation operation, uint64_t offset,
		   uint64_t length, void *owner, struct blkslot **slot);

/** blkfront_fill - copy a write's data, all of it, into the slot's pages. No lock is needed. */
void blkfront_fill(struct blkfront *front, struct blkslot *slot, const void *data);

/** blkfront_drain - copy a read's data out of the slot's pages. No lock is needed. */
void blkfront_drain(struct blkfront *front, const struct blkslot *slot, void *data);

/** blkfront_submit - Return: 0, or -ERESTART when the backend went since blkfront_begin. */
int blkfront_submit(struct blkfront *front, struct blkslot *slot);

/**
 * blkfront_look - complete what has been answered, for who would rather look than be interrupted:
 * until blkfront_listen, an answer that is found so asks for no event. Return: was there any?
 */
bool blkfront_look(struct blkfront *front);

/** blkfront_listen - complete what has been answered; of what comes next an event tells. */
void blkfront_listen(struct blkfront *front);

/** blkfront_end - give the slot back; it is not queued. */
void blkfront_end(struct blkfront *front, struct blkslot *slot);
