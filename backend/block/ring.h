/*
 * ring.h - the backend's end of a blkif ring, of either ABI and any number of pages.
 *
 * Pure but for the shared memory it is given. The guest writes there at any time: indices are read
 * once and checked, slots are copied once (XSA-155). Rules: xen/io/ring.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backend/block/request.h"

struct blk_ring {
	blkif_back_ring_t back; /* indices only: slots have the size of the ABI */
	enum blk_abi abi;
};

/**
 * ring_attach - take the ring up where its responses end: requests behind that are unanswered.
 * @shared: @pages mapped pages in a row
 *
 * Return: 0, or -EPROTO as ring_requests.
 */
int ring_attach(struct blk_ring *ring, void *shared, unsigned pages, enum blk_abi abi);

/** ring_resume - requests before index @taken were taken already, by whoever had the ring before;
 * of these, those behind the responses are unanswered. Return: as ring_attach. */
int ring_resume(struct blk_ring *ring, uint32_t taken);

/**
 * ring_requests - how many requests there are to take.
 * Return: the number, or -EPROTO when the guest claims more than the ring has room for, or takes
 * back what it had claimed.
 */
int ring_requests(const struct blk_ring *ring);

/** ring_take - copy the next request, in our own layout; ring_requests said that there is one. */
void ring_take(struct blk_ring *ring, union blk_wire *wire);

/** ring_answer - put a response; the guest sees it at the next ring_push. */
void ring_answer(struct blk_ring *ring, const struct blk_request *request, int rc);

/** ring_push - show the responses. Return: does the guest want a notification? */
bool ring_push(struct blk_ring *ring);

/** ring_sleep - ask for a notification of the next request. Return: is there one already? */
bool ring_sleep(struct blk_ring *ring);
