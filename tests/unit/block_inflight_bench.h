/*
 * block_inflight_bench.h - a guest with a ring and a worker with its in-flight log, in memory that
 * tests may look at, copy and spoil.
 */
#pragma once

#include "backend/block/inflight.h"
#include "backend/block/ring.h"

#define ENTRIES  32u
#define RING     4096u
#define LOG      8192u /* inflight_size(ENTRIES) and some */
#define ALL      (RING + LOG)
#define REQUESTS 4096u

/** What the guest knows besides its ring; its ids are the numbers of its requests. */
struct inflight_guest {
	RING_IDX posted, seen;
	uint64_t answer[REQUESTS]; /* the ids, as the answers came */
};

extern struct inflight_guest guest;
extern uint8_t *live; /* the ring, then the log */
extern RING_IDX base; /* index of request 0 */

/** bench_set_up, bench_tear_down - of each test. */
void bench_set_up(void);
void bench_tear_down(void);

/** A worker: what queue.c does around a log. */
struct hand {
	struct blk_ring ring;
	struct inflight inflight;
	uint16_t free[ENTRIES], busy[ENTRIES];
	unsigned frees, busies;
};

/** hand_take_up - a ring and its log, of ALL bytes, as another left them. Return: as
 * inflight_attach. */
int hand_take_up(struct hand *hand, uint8_t *memory);

/** hand_take - all that the guest has posted. */
void hand_take(struct hand *hand);

/** hand_answer - answer some, in any order. */
void hand_answer(struct hand *hand, unsigned count);

/** sring, slot_of - of a ring in @memory: its head, a slot. */
blkif_sring_t *sring(uint8_t *memory);
uint8_t *slot_of(uint8_t *memory, RING_IDX index);

/** guest_post - so many requests, as far as there is room. */
void guest_post(unsigned count);

/** guest_see - what was answered. */
void guest_see(void);
