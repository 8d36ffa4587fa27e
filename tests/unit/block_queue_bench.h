/*
 * block_queue_bench.h - a guest that the tests of a ring's passes play: its memory, its grants, up
 * to two rings of one disk, the worker around them, and an engine that finishes when told.
 */
#pragma once

#include "backend/block/queue.h"

#define GRANTS   600
#define OPS      1100
#define DISK     (64ull << 20)
#define PORT     17
#define NO_GRANT 5000

struct op {
	struct engine *engine;
	struct engine_io *io;
	uint64_t offset, length;
	enum engine_op op;
	bool finished;
};

struct ring {
	union {
		blkif_sring_t sring;
		uint8_t page[16 * BLK_PAGE_SIZE];
	} * shared;
	struct queue *queue;
	enum blk_abi abi;
	unsigned pages, entries;
	bool persistent; /* say so before ring_make */
	RING_IDX prod, cons;
	void *inflight;
};

extern uint8_t (*pages)[BLK_PAGE_SIZE]; /* of GRANTS grants */
extern unsigned copy_calls, copy_segments;
extern unsigned mapped;           /* pages, by rings with persistent grants */
extern int copy_errno;            /* the whole call fails */
extern void (*copy_spoils)(void); /* what the guest does meanwhile */
extern unsigned notifications, errors;
extern char last_error[256];
extern struct op ops[OPS];
extern unsigned op_count, submits;
extern struct event_base *base;
extern struct worker worker;
extern struct worker_device dev;
extern struct blk_disk disk;
extern struct ring rings[2];
extern struct stats_queue stats;
extern unsigned drained;

/** finish_one - let an operation end; what it reads is told by its place. */
void finish_one(struct op *op, int rc);

/** turn - let the events come that are due. */
void turn(void);

/** ring_options - what its queue is opened with. */
struct queue_options ring_options(const struct ring *ring);

/** ring_make - another ring of the disk, connected; tear_down ends it. */
void ring_make(struct ring *ring, enum blk_abi abi, unsigned n_pages);

/** set_up, tear_down - a disk with one ring, of each test. */
void set_up(void);

/** finish_all - let all operations end, also those that start meanwhile. */
void finish_all(void);
void tear_down(void);

/** slot - where the guest has a slot. */
uint8_t *slot(struct ring *ring, RING_IDX index);

/** put, request, empty - what the guest puts on the ring; kick shows it. */
void put(struct ring *ring, const union blk_wire *wire);
union blk_wire make(uint8_t operation, uint64_t id, uint64_t sector, uint32_t gref);
void request(struct ring *ring, uint8_t operation, uint64_t id, uint64_t sector, uint32_t gref);
void empty(struct ring *ring, uint8_t operation, uint64_t id);
void kick(struct ring *ring);

/** response - the next response, which must be there: its status; its id in @id if wanted. */
int16_t response(struct ring *ring, uint64_t *id);
unsigned responses(const struct ring *ring);
void put_indirect(struct ring *ring, uint8_t operation, unsigned count, uint32_t descriptors);
void serve_more_than_memory(struct ring *ring);
