/*
 * blkring.h - requests put on the ring, responses taken off it and checked.
 *
 * Our own table says what is outstanding; nothing that the backend can write is ever followed
 * without it. A response is copied once. Its id is the index of a slot and the slot's
 * generation, so a response that comes twice is found out even when the slot is used again.
 * Wire format: xen/io/blkif.h, in our own ABI.
 */
#pragma once

#include "frontend/core/blkinfo.h"
#include "frontend/core/blkpool.h"
#include "frontend/core/wire.h"

/** As many as the largest ring has entries. */
#define BLK_SLOTS 128u

enum blkslot_state { BLKSLOT_FREE, BLKSLOT_HELD, BLKSLOT_QUEUED, BLKSLOT_DONE };

/** One request and the pages it carries. */
struct blkslot {
	enum blkslot_state state;
	uint8_t operation;   /* BLKIF_OP_READ, WRITE, FLUSH_DISKCACHE or DISCARD */
	uint8_t list_used;   /* the segments are in a page of their own */
	uint16_t list;       /* which */
	uint16_t pages;      /* of data */
	uint32_t generation; /* the n-th use of this slot */
	uint64_t sector;     /* first, of 512 bytes */
	uint64_t sectors;
	int status; /* when done: 0 or a negative errno */
	void *owner;
	uint16_t page[BLK_SEGMENTS_MAX];
};

struct blkring {
	struct platform_area *area;
	struct blkif_front_ring ring;
	uint16_t handle; /* the device's number */
	uint32_t queued;
	struct blkslot slot[BLK_SLOTS];
};

/** blkring_make - a new, empty ring of 2^@order pages for @domid. Return: 0 or as limbo_share. */
int blkring_make(struct blkring *ring, struct platform *platform, uint16_t domid, uint32_t order);

/** blkring_drop - give the ring's pages up. Slots keep their state. */
void blkring_drop(struct blkring *ring, struct platform *platform);

/** blkring_entries - how many requests may be outstanding, 0 without a ring. */
uint32_t blkring_entries(const struct blkring *ring);

/** blkring_put - queue a slot in state HELD; the caller has seen to it that there is room. */
void blkring_put(struct blkring *ring, const struct blkpool *pool, struct blkslot *slot);

/** blkring_push - show what was queued to the backend. Return: must it be notified? */
bool blkring_push(struct blkring *ring);

/**
 * blkring_take - the next response.
 * @slot: set to the slot that is now DONE, its status set
 *
 * Return: 1, 0 (there is none now), or a negative errno after which the ring must not be used any
 * more:
 *   -EOVERFLOW  the backend answered more than was asked
 *   -ENOENT     no such request is outstanding: unknown id, or answered twice
 *   -EPROTO     the answer is to another operation
 */
int blkring_take(struct blkring *ring, struct blkslot **slot);

/** blkring_listen - an event shall tell of the next response. Return: there is one already. */
bool blkring_listen(struct blkring *ring);

/** blkring_error - what blkring_take found, in words. */
const char *blkring_error(int error);
