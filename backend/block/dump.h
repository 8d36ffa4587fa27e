/*
 * dump.h - the rings of a live disk at a moment, as its worker writes it into memory that the
 * supervisor made for it. No value of it indexes or sizes anything unchecked: who wrote it may have
 * been taken over.
 */
#pragma once

#include <stdint.h>

/** As many as the largest ring has. */
#define DUMP_SLOTS 512u

enum dump_state {
	DUMP_REPLAY = 1, /* a worker before left it, and it is not looked at yet */
	DUMP_PENDING,    /* off the ring, not started */
	DUMP_RUNNING,    /* with the storage */
	DUMP_FINISHED,   /* to be answered */
	DUMP_STATES
};

enum dump_flag {
	DUMP_STOPPED = 1 << 0,  /* the guest broke the protocol */
	DUMP_DRAINING = 1 << 1, /* it is being closed */
	DUMP_BLOCKED = 1 << 2,  /* nothing can start: paused, a barrier, or no memory */
	DUMP_WAITING = 1 << 3,  /* for what the disk's limits allow */
	DUMP_BARRIER = 1 << 4,  /* its barrier holds all */
};

/** A request that has no answer. */
struct dump_slot {
	uint64_t id;             /* the guest's */
	uint64_t offset, length; /* bytes */
	uint64_t age_ns;         /* since it was taken off the ring */
	uint16_t slot, segments;
	uint8_t operation; /* BLKIF_OP_* */
	uint8_t state;     /* enum dump_state */
};

struct dump_queue {
	uint32_t entries, port, flags;
	uint32_t req_prod, req_event, rsp_prod, rsp_event; /* as the ring has them */
	uint32_t req_cons, rsp_prod_pvt;                   /* as we have them */
	uint32_t count;                                    /* of slot[] */
	struct dump_slot slot[DUMP_SLOTS];
};

struct dump {
	uint32_t running, held; /* of the disk; enum blk_held */
	struct dump_queue queue[];
};
