/*
 * A ring's passes against a guest that we play: its memory, its grants, and an engine that finishes
 * when told. What the guest does wrong must cost it an error or its ring, and nobody else anything.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/block/queue.h"
#include "tests/unit/check.h"

#define GRANTS   600
#define OPS      1100
#define DISK     (64ull << 20)
#define PORT     17
#define NO_GRANT 5000

/* ---- the guest's memory behind libxengnttab ---- */

static uint8_t (*pages)[BLK_PAGE_SIZE]; /* of GRANTS grants */
static unsigned copy_calls, copy_segments;
static int copy_errno;            /* the whole call fails */
static void (*copy_spoils)(void); /* what the guest does meanwhile */

int xengnttab_grant_copy(xengnttab_handle *gnttab, uint32_t count,
			 xengnttab_grant_copy_segment_t *segment)
{
	copy_calls++;
	copy_segments += count;
	if (copy_errno) {
		errno = copy_errno;
		return -1;
	}
	for (uint32_t n = 0; n < count; n++, segment++) {
		bool to_guest = segment->flags == GNTCOPY_dest_gref;
		uint32_t ref = to_guest ? segment->dest.foreign.ref : segment->source.foreign.ref;
		uint16_t offset = to_guest ? segment->dest.foreign.offset
					   : segment->source.foreign.offset;

		/* gntdev fails the whole call for this. */
		ck_assert_uint_le(offset + segment->len, BLK_PAGE_SIZE);
		segment->status = ref < GRANTS ? GNTST_okay : GNTST_bad_gntref;
		if (ref >= GRANTS)
			continue;
		if (to_guest)
			memcpy(pages[ref] + offset, segment->source.virt, segment->len);
		else
			memcpy(segment->dest.virt, pages[ref] + offset, segment->len);
	}
	if (copy_spoils)
		copy_spoils();
	return 0;
}

/* Only of frontends with feature-persistent, see block_kept.c. */
void *xengnttab_map_domain_grant_refs(xengnttab_handle *gnttab, uint32_t count, uint32_t domid,
				      uint32_t *refs, int prot)
{
	ck_abort_msg("mapped");
}

int xengnttab_unmap(xengnttab_handle *gnttab, void *start_address, uint32_t count)
{
	ck_abort_msg("unmapped");
}

/* ---- the worker around the queue ---- */

static unsigned notifications, errors;
static char last_error[256];

int events_notify(struct events *events, evtchn_port_t port)
{
	ck_assert_uint_eq(port, PORT);
	notifications++;
	return 0;
}

void worker_error(struct worker_device *dev, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last_error, sizeof(last_error), format, args);
	va_end(args);
	errors++;
}

/* Only with a time-out, which no disk here has. */
void worker_trouble(struct worker_device *dev, int rc, const char *format, ...)
{
}

void worker_recovered(struct worker_device *dev, const char *how)
{
}

/* ---- an engine that finishes when told ---- */

struct op {
	struct engine *engine;
	struct engine_io *io;
	uint64_t offset, length;
	enum engine_op op;
	bool finished;
};

static struct op ops[OPS];
static unsigned op_count, submits;

static int fake_start(struct engine *engine, struct engine_io *io)
{
	ck_assert_uint_lt(op_count, OPS);
	ops[op_count++] = (struct op){engine, io, io->offset, io->length, io->op, false};
	return 0;
}

static void fake_submit(struct engine *engine)
{
	submits++;
}

static void fake_close(struct engine *engine)
{
	free(engine);
}

static const struct engine_class fake_class = {
	.name = "fake", .start = fake_start, .submit = fake_submit, .close = fake_close};

int engine_open_null(struct engine **engine, const struct engine_options *options)
{
	*engine = calloc(1, sizeof(**engine));
	**engine = (struct engine){&fake_class, options->batch, options->arg};
	return 0;
}

static void finish_one(struct op *op, int rc)
{
	ck_assert(!op->finished);
	op->finished = true;
	for (uint64_t at = 0; op->op == ENGINE_READ && at < op->length; at += BLK_PAGE_SIZE) {
		uint64_t left = op->length - at;

		memset(op->io->buffer + at, (int)((op->offset + at) >> 12) + 1,
		       left < BLK_PAGE_SIZE ? left : BLK_PAGE_SIZE);
	}
	op->io->done(op->io, rc);
}

/* ---- one disk with up to two rings ---- */

struct ring {
	union {
		blkif_sring_t sring;
		uint8_t page[16 * BLK_PAGE_SIZE];
	} * shared;
	struct queue *queue;
	enum blk_abi abi;
	unsigned entries;
	RING_IDX prod, cons;
	void *inflight;
};

static struct event_base *base;
static struct worker worker;
static struct worker_device dev;
static struct blk_disk disk;
static struct ring rings[2];
static struct stats_queue stats;
static unsigned drained;

static void on_drained(evutil_socket_t fd, short what, void *arg)
{
	drained++;
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void ring_make(struct ring *ring, enum blk_abi abi, unsigned n_pages)
{
	struct queue_options options = {.dev = &dev,
					.disk = &disk,
					.abi = abi,
					.pages = n_pages,
					.stats = &stats,
					.fd = -1};

	ring->shared = aligned_alloc(BLK_PAGE_SIZE, sizeof(*ring->shared));
	memset(ring->shared, 0xee, sizeof(*ring->shared));
	ring->shared->sring.req_prod = ring->shared->sring.rsp_prod = 0;
	ring->shared->sring.req_event = ring->shared->sring.rsp_event = 1;
	ring->abi = abi;
	ring->entries = request_ring_entries(abi, n_pages);
	ring->prod = ring->cons = 0;
	options.ring = ring->shared;
	ring->inflight = calloc(1, inflight_size(ring->entries));
	options.inflight = ring->inflight;
	ck_assert_int_eq(queue_open(&ring->queue, &options), 0);
	queue_bound(ring->queue, PORT);
}

static void set_up(void)
{
	pages = calloc(GRANTS, sizeof(*pages));
	base = event_base_new();
	worker = (struct worker){.base = base, .domid = 5};
	dev = (struct worker_device){.worker = &worker, .name = "vbd 5/51712"};
	disk = (struct blk_disk){.geometry = {.size = DISK, .can_discard = true}};
	disk.drained = event_new(base, -1, 0, on_drained, NULL);
	copy_calls = copy_segments = notifications = errors = op_count = submits = drained = 0;
	copy_errno = 0;
	copy_spoils = NULL;
	memset(&stats, 0, sizeof(stats));
	ring_make(&rings[0], BLK_ABI_64, 1);
	turn();
}

static void finish_all(void)
{
	/* Also what starts meanwhile. */
	for (unsigned n = 0; n < op_count; n++) {
		struct engine *engine = ops[n].engine;

		if (ops[n].finished)
			continue;
		finish_one(&ops[n], 0);
		engine->batch(engine->arg);
		turn();
	}
}

static void tear_down(void)
{
	for (int n = 0; n < 2; n++) {
		if (!rings[n].queue)
			continue;
		queue_drain(rings[n].queue);
	}
	finish_all();
	for (int n = 0; n < 2; n++) {
		if (!rings[n].queue)
			continue;
		queue_close(rings[n].queue);
		free(rings[n].shared);
		free(rings[n].inflight);
		rings[n].queue = NULL;
	}
	event_free(disk.drained);
	event_base_free(base);
	free(pages);
}

static uint8_t *slot(struct ring *ring, RING_IDX index)
{
	return (uint8_t *)ring->shared->sring.ring +
	       (index % ring->entries) * request_slot_size(ring->abi);
}

static void put(struct ring *ring, const union blk_wire *wire)
{
	uint8_t *at = slot(ring, ring->prod++);

	if (ring->abi == BLK_ABI_64) {
		memcpy(at, wire, 112);
	} else {
		memcpy(at, wire, 4);
		memcpy(at + 4, (const uint8_t *)wire + 8, 104);
	}
}

static union blk_wire make(uint8_t operation, uint64_t id, uint64_t sector, uint32_t gref)
{
	union blk_wire wire;

	memset(&wire, 0, sizeof(wire));
	wire.direct.operation = operation;
	wire.direct.nr_segments = 1;
	wire.direct.id = id;
	wire.direct.sector_number = sector;
	wire.direct.seg[0] = (struct blkif_request_segment){gref, 0, 7};
	return wire;
}

static void request(struct ring *ring, uint8_t operation, uint64_t id, uint64_t sector,
		    uint32_t gref)
{
	union blk_wire wire = make(operation, id, sector, gref);

	put(ring, &wire);
}

static void empty(struct ring *ring, uint8_t operation, uint64_t id)
{
	union blk_wire wire = make(operation, id, 0, 0);

	wire.direct.nr_segments = 0;
	put(ring, &wire);
}

static void kick(struct ring *ring)
{
	ring->shared->sring.req_prod = ring->prod;
	queue_kick(ring->queue);
	turn();
}

/* The next response, which must be there: its status; its id in @id if wanted. */
static int16_t response(struct ring *ring, uint64_t *id)
{
	blkif_response_t response;

	ck_assert_msg(ring->cons != ring->shared->sring.rsp_prod, "no response");
	memcpy(&response, slot(ring, ring->cons++), 12);
	if (id)
		*id = response.id;
	return response.status;
}

static unsigned responses(const struct ring *ring)
{
	return ring->shared->sring.rsp_prod - ring->cons;
}

/* ---- a guest in order ---- */

START_TEST(reads_and_writes)
{
	struct ring *ring = &rings[1];
	uint64_t id;

	ring_make(ring, _i ? BLK_ABI_32 : BLK_ABI_64, 1);
	memset(pages[3], 0x5a, BLK_PAGE_SIZE);
	request(ring, BLKIF_OP_WRITE, 77, 8, 3);
	request(ring, BLKIF_OP_READ, 77, 16, 4); /* ids need not differ */
	kick(ring);
	ck_assert_uint_eq(op_count, 2);
	ck_assert_int_eq(ops[0].op, ENGINE_WRITE);
	ck_assert_uint_eq(ops[0].offset, 4096);
	ck_assert_mem_eq(ops[0].io->buffer, pages[3], BLK_PAGE_SIZE);
	ck_assert_uint_eq(responses(ring), 0);
	finish_one(&ops[1], 0);
	ops[1].engine->batch(ops[1].engine->arg);
	ck_assert_uint_eq(responses(ring), 1);
	ck_assert_int_eq(response(ring, &id), BLKIF_RSP_OKAY);
	ck_assert_uint_eq(id, 77);
	ck_assert_uint_eq(pages[4][0], 3);
	ck_assert_uint_eq(pages[4][BLK_PAGE_SIZE - 1], 3);
	finish_all();
	ck_assert_int_eq(response(ring, &id), BLKIF_RSP_OKAY);
}
END_TEST

START_TEST(one_copy_and_one_notification_a_pass)
{
	struct ring *ring = &rings[0];

	for (unsigned n = 0; n < ring->entries; n++)
		request(ring, n % 2 ? BLKIF_OP_READ : BLKIF_OP_WRITE, n, 8ull * n, n);
	kick(ring);
	ck_assert_uint_eq(op_count, 32);
	ck_assert_uint_eq(copy_calls, 1);
	ck_assert_uint_eq(copy_segments, 16);
	ck_assert_uint_le(submits, 2);
	for (unsigned n = 0; n < 32; n++)
		finish_one(&ops[n], 0);
	ops[0].engine->batch(ops[0].engine->arg);
	ck_assert_uint_eq(copy_calls, 2);
	ck_assert_uint_eq(notifications, 1);
	ck_assert_uint_eq(responses(ring), 32);
}
END_TEST

START_TEST(no_notification_unless_asked_for)
{
	struct ring *ring = &rings[0];

	ring->shared->sring.rsp_event = 3;
	request(ring, BLKIF_OP_WRITE, 1, 0, 1);
	kick(ring);
	finish_all();
	ck_assert_uint_eq(notifications, 0);
	request(ring, BLKIF_OP_WRITE, 2, 0, 1);
	request(ring, BLKIF_OP_WRITE, 3, 0, 1);
	kick(ring);
	finish_all();
	ck_assert_uint_eq(notifications, 1);
}
END_TEST

START_TEST(asks_for_the_next_request)
{
	struct ring *ring = &rings[0];

	request(ring, BLKIF_OP_WRITE, 1, 0, 1);
	request(ring, BLKIF_OP_WRITE, 2, 0, 1);
	kick(ring);
	ck_assert_uint_eq(ring->shared->sring.req_event, 3);
}
END_TEST

/* Requests that wrap around the ring's end, many times. */
START_TEST(goes_round)
{
	struct ring *ring = &rings[0];

	for (unsigned n = 0; n < 500; n++) {
		request(ring, BLKIF_OP_WRITE, n, 8ull * n, n);
		kick(ring);
		finish_all();
		ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_OKAY);
	}
	ck_assert_uint_eq(errors, 0);
}
END_TEST

START_TEST(unaligned_data_lies_where_the_guest_has_it)
{
	struct ring *ring = &rings[0];
	union blk_wire wire = make(BLKIF_OP_WRITE, 1, 0, 1);

	wire.direct.nr_segments = 3;
	wire.direct.seg[0] = (struct blkif_request_segment){1, 5, 7};
	wire.direct.seg[1] = (struct blkif_request_segment){2, 0, 7};
	wire.direct.seg[2] = (struct blkif_request_segment){3, 0, 1};
	put(ring, &wire);
	kick(ring);
	ck_assert_uint_eq((uintptr_t)ops[0].io->buffer % BLK_PAGE_SIZE, 5 * 512);
	ck_assert_uint_eq(ops[0].length, 13 * 512);
}
END_TEST

static void put_indirect(struct ring *ring, uint8_t operation, unsigned count, uint32_t descriptors)
{
	struct blkif_request_segment *segment = (void *)pages[descriptors];
	union blk_wire wire;

	memset(&wire, 0, sizeof(wire));
	wire.indirect.operation = BLKIF_OP_INDIRECT;
	wire.indirect.indirect_op = operation;
	wire.indirect.nr_segments = (uint16_t)count;
	wire.indirect.id = 9;
	wire.indirect.indirect_grefs[0] = descriptors;
	for (unsigned n = 0; n < count; n++)
		segment[n] = (struct blkif_request_segment){n, 0, 7};
	put(ring, &wire);
}

START_TEST(indirect)
{
	struct ring *ring = &rings[0];

	put_indirect(ring, BLKIF_OP_READ, 256, 500);
	kick(ring);
	ck_assert_uint_eq(ops[0].length, 1u << 20);
	finish_all();
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_OKAY);
	ck_assert_uint_eq(slot(ring, 0)[8], BLKIF_OP_READ); /* not INDIRECT: blkfront compares */
	ck_assert_uint_eq(pages[254][0], 255);
}
END_TEST

/* Nothing is lost, all are served in turn. */
static void serve_more_than_memory(struct ring *ring)
{
	for (unsigned n = 0; n < 32; n++)
		put_indirect(ring, BLKIF_OP_WRITE, 256, 500);
	kick(ring);
	ck_assert_uint_eq(op_count, POOL_PAGES / 256);
	finish_all();
	ck_assert_uint_eq(op_count, 32);
	ck_assert_uint_eq(responses(ring), 32);
	request(ring, BLKIF_OP_WRITE, 1, 0, 1);
	kick(ring);
	ck_assert_uint_eq(op_count, 33);
}

START_TEST(more_than_memory)
{
	serve_more_than_memory(&rings[0]);
}
END_TEST

/* What runs into a bad grant gives its memory to those that wait for it. */
START_TEST(memory_of_the_refused_is_not_lost)
{
	struct ring *ring = &rings[0];

	for (unsigned n = 0; n < POOL_PAGES / 256; n++) {
		put_indirect(ring, BLKIF_OP_WRITE, 256, 500 + n);
		((struct blkif_request_segment *)pages[500 + n])[7].gref = NO_GRANT;
	}
	request(ring, BLKIF_OP_WRITE, 1, 0, 1);
	kick(ring);
	ck_assert_uint_eq(op_count, 1);
	finish_all();
	ck_assert_uint_eq(responses(ring), POOL_PAGES / 256 + 1);
}
END_TEST

/* ---- neighbours ---- */

START_TEST(neighbours_are_one_operation)
{
	static const struct {
		const char *what;
		uint8_t operation;
		uint64_t sector;
	} behind[] = {
		{"a gap", BLKIF_OP_WRITE, 88},
		{"what was there before", BLKIF_OP_WRITE, 56},
		{"another direction", BLKIF_OP_READ, 64},
		{"a flush with data", BLKIF_OP_FLUSH_DISKCACHE, 64},
	};
	struct ring *ring = &rings[0];

	for (unsigned n = 0; n < 8; n++) {
		memset(pages[n], (int)n + 1, BLK_PAGE_SIZE);
		request(ring, BLKIF_OP_WRITE, n, 8ull * n, n);
	}
	request(ring, behind[_i].operation, 8, behind[_i].sector, 8);
	kick(ring);
	ck_assert_msg(op_count == 2, "%s: %u operations", behind[_i].what, op_count);
	ck_assert_uint_eq(ops[0].length, 8 * BLK_PAGE_SIZE);
	for (unsigned n = 0; n < 8; n++)
		ck_assert_mem_eq(ops[0].io->buffer + (size_t)n * BLK_PAGE_SIZE, pages[n],
				 BLK_PAGE_SIZE);
	ck_assert_uint_eq(stats.merged, 8);
	finish_all();
	ck_assert_uint_eq(responses(ring), 9);
}
END_TEST

START_TEST(a_run_of_neighbours_is_bounded)
{
	struct ring *ring = &rings[0];
	union blk_wire wire;

	for (unsigned n = 0; n < 32; n++) {
		wire = make(BLKIF_OP_READ, n, 88ull * n, 0);
		wire.direct.nr_segments = 11;
		for (unsigned i = 0; i < 11; i++)
			wire.direct.seg[i] = (struct blkif_request_segment){n * 11 + i, 0, 7};
		put(ring, &wire);
	}
	kick(ring);
	ck_assert_uint_eq(op_count, 2);
	ck_assert_uint_eq(ops[0].length, 23 * 11 * BLK_PAGE_SIZE);
	ck_assert_uint_eq(ops[1].length, 9 * 11 * BLK_PAGE_SIZE);
	finish_all();
	ck_assert_uint_eq(responses(ring), 32);
	ck_assert_uint_eq(pages[351][0], (uint8_t)(351 + 1));
}
END_TEST

static bool bad_page[DISK / BLK_PAGE_SIZE];

static int outcome(uint64_t offset, uint64_t length)
{
	for (uint64_t page = offset >> 12; page < (offset + length) >> 12; page++)
		if (bad_page[page])
			return -EIO;
	return 0;
}

/* In any order, each operation failing that touches a bad page, until nothing runs. */
static void storage_works(void)
{
	for (unsigned left = op_count; left;) {
		unsigned n = (unsigned)random() % op_count;
		struct engine *engine;

		while (ops[n].finished)
			n = (n + 1) % op_count;
		engine = ops[n].engine;
		finish_one(&ops[n], outcome(ops[n].offset, ops[n].length));
		if (random() % 2) {
			engine->batch(engine->arg);
			turn();
		}
		left = 0;
		for (unsigned i = 0; i < op_count; i++)
			left += !ops[i].finished;
		if (!left) {
			engine->batch(engine->arg);
			turn();
		}
	}
}

/* Each request has the outcome that it would have had alone, and a read its own bytes. */
START_TEST(each_of_neighbours_has_its_own_outcome)
{
	struct ring *ring = &rings[0];
	unsigned merged = 0, failed = 0;

	srandom(20261125);
	for (unsigned round = 0; round < 400; round++) {
		uint64_t page[32] = {0}, id;
		uint8_t operation[32] = {0};
		unsigned count = (unsigned)random() % 32 + 1;

		op_count = 0;
		for (unsigned n = 0; n < 64; n++)
			bad_page[n] = random() % 12 == 0;
		for (unsigned n = 0; n < count; n++) {
			bool next = n && random() % 4;

			page[n] = next ? (page[n - 1] + 1) % 64 : (uint64_t)random() % 64;
			operation[n] = next ? operation[n - 1] : (uint8_t)(random() % 2);
			memset(pages[n], 0, BLK_PAGE_SIZE);
			request(ring, operation[n], n, 8 * page[n], n);
		}
		kick(ring);
		merged += count > op_count;
		storage_works();
		ck_assert_uint_eq(responses(ring), count);
		for (unsigned n = 0; n < count; n++) {
			int16_t status = response(ring, &id);
			bool good = !bad_page[page[id]];

			ck_assert_int_eq(status, good ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR);
			failed += !good;
			if (good && operation[id] == BLKIF_OP_READ)
				ck_assert_uint_eq(pages[id][4095], page[id] + 1);
		}
	}
	ck_assert_uint_gt(merged, 100);
	ck_assert_uint_gt(failed, 100);
}
END_TEST

/* ---- what blocks the engine's threads ---- */

static void put_discard(struct ring *ring, uint64_t id)
{
	union blk_wire wire = {.discard = {.operation = BLKIF_OP_DISCARD,
					   .id = id,
					   .sector_number = 8 * id,
					   .nr_sectors = 8}};

	put(ring, &wire);
}

START_TEST(discards_and_flushes_leave_threads_for_others)
{
	struct ring *ring = &rings[0];
	unsigned discards = 0, flushes = 0;

	for (unsigned n = 0; n < 12; n++) {
		put_discard(ring, n);
		empty(ring, BLKIF_OP_FLUSH_DISKCACHE, n);
	}
	request(ring, BLKIF_OP_READ, 30, 800, 1);
	kick(ring);
	for (unsigned n = 0; n < op_count; n++) {
		discards += ops[n].op == ENGINE_DISCARD;
		flushes += ops[n].op == ENGINE_FLUSH;
	}
	ck_assert_uint_eq(discards, 2);
	ck_assert_uint_eq(flushes, 4);
	ck_assert_int_eq(ops[op_count - 1].op, ENGINE_READ);
	/* A barrier waits for what is held, too. */
	empty(ring, BLKIF_OP_WRITE_BARRIER, 40);
	request(ring, BLKIF_OP_READ, 31, 800, 1);
	kick(ring);
	ck_assert_uint_eq(op_count, 7);
	finish_all();
	ck_assert_uint_eq(responses(ring), 27);
	ck_assert_int_eq(ops[op_count - 1].op, ENGINE_READ);
}
END_TEST

/* ---- order ---- */

START_TEST(flush_then_write)
{
	struct ring *ring = &rings[0];

	request(ring, BLKIF_OP_FLUSH_DISKCACHE, 1, 0, 1);
	empty(ring, BLKIF_OP_FLUSH_DISKCACHE, 2);
	kick(ring);
	ck_assert_uint_eq(op_count, 2);
	ck_assert_int_eq(ops[0].op, ENGINE_FLUSH);
	ck_assert_int_eq(ops[1].op, ENGINE_FLUSH);
	finish_one(&ops[0], 0);
	ck_assert_int_eq(ops[2].op, ENGINE_WRITE);
	finish_all();
	ck_assert_uint_eq(op_count, 3);
	ck_assert_uint_eq(responses(ring), 2);
}
END_TEST

START_TEST(failed_flush_writes_nothing)
{
	struct ring *ring = &rings[0];

	request(ring, BLKIF_OP_FLUSH_DISKCACHE, 1, 0, 1);
	kick(ring);
	finish_one(&ops[0], -EIO);
	ops[0].engine->batch(ops[0].engine->arg);
	ck_assert_uint_eq(op_count, 1);
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_ERROR);
}
END_TEST

/* A barrier waits for both rings, and both wait for it. */
START_TEST(barrier)
{
	struct ring *one = &rings[0], *two = &rings[1];

	ring_make(two, BLK_ABI_64, 1);
	request(one, BLKIF_OP_WRITE, 1, 0, 1);
	kick(one);
	request(two, BLKIF_OP_WRITE, 2, 8, 2);
	request(two, BLKIF_OP_WRITE_BARRIER, 3, 16, 3);
	request(two, BLKIF_OP_WRITE, 4, 24, 4);
	kick(two);
	request(one, BLKIF_OP_WRITE, 5, 32, 5);
	kick(one);
	ck_assert_uint_eq(op_count, 2); /* 1 and 2 */

	finish_one(&ops[0], 0);
	ops[0].engine->batch(ops[0].engine->arg);
	turn();
	ck_assert_uint_eq(op_count, 2);
	finish_one(&ops[1], 0);
	ops[1].engine->batch(ops[1].engine->arg);
	turn();
	ck_assert_uint_eq(op_count, 3);
	ck_assert_int_eq(ops[2].op, ENGINE_FLUSH);
	finish_one(&ops[2], 0);
	ck_assert_int_eq(ops[3].op, ENGINE_WRITE);
	ck_assert_uint_eq(ops[3].offset, 16 * 512);
	finish_one(&ops[3], 0);
	ck_assert_int_eq(ops[4].op, ENGINE_FLUSH);
	turn();
	ck_assert_uint_eq(op_count, 5);
	finish_one(&ops[4], 0);
	ops[4].engine->batch(ops[4].engine->arg);
	turn();
	ck_assert_uint_eq(op_count, 7); /* 4 and 5 */
	finish_all();
	ck_assert_uint_eq(responses(one), 2);
	ck_assert_uint_eq(responses(two), 3);
}
END_TEST

START_TEST(barriers_in_a_row)
{
	struct ring *ring = &rings[0];

	for (unsigned n = 0; n < 5; n++)
		empty(ring, BLKIF_OP_WRITE_BARRIER, n);
	request(ring, BLKIF_OP_READ, 5, 0, 1);
	kick(ring);
	finish_all();
	ck_assert_uint_eq(responses(ring), 6);
}
END_TEST

START_TEST(barrier_with_a_bad_grant_holds_nobody)
{
	struct ring *ring = &rings[0];

	request(ring, BLKIF_OP_WRITE_BARRIER, 1, 0, NO_GRANT);
	request(ring, BLKIF_OP_WRITE, 2, 0, 1);
	kick(ring);
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_ERROR);
	finish_all();
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_OKAY);
}
END_TEST

/* ---- a guest that is not in order ---- */

static const struct {
	const char *what;
	RING_IDX before, prod; /* honest requests; then the producer index */
} overflows[] = {
	{"one more than the ring", 0, 33},
	{"half of all numbers", 0, 0x80000000},
	{"all numbers", 0, UINT32_MAX},
	{"one more than is free", 3, 33},
	{"takes one back", 3, 2},
	{"takes all back", 3, 0},
	{"one before the beginning", 3, UINT32_MAX},
};

START_TEST(hostile_producer)
{
	struct ring *ring = &rings[0], *other = &rings[1];

	ring_make(other, BLK_ABI_64, 1);
	for (unsigned n = 0; n < overflows[_i].before; n++)
		request(ring, BLKIF_OP_WRITE, n, 0, 1);
	kick(ring);
	ck_assert_uint_eq(errors, 0);
	ck_assert_uint_eq(op_count, overflows[_i].before);
	ring->prod = overflows[_i].prod;
	for (int n = 0; n < 100; n++)
		kick(ring);
	ck_assert_msg(errors == 1, "%s: %u errors", overflows[_i].what, errors);
	ck_assert_uint_eq(op_count, overflows[_i].before);

	/* Stopped: what ran ends without an answer, and nothing is taken ever again. */
	finish_all();
	ring->prod = overflows[_i].before + 1;
	kick(ring);
	ck_assert_uint_eq(responses(ring), 0);
	ck_assert_uint_eq(op_count, overflows[_i].before);
	ck_assert_uint_eq(errors, 1);

	/* The other ring of the disk runs on. */
	request(other, BLKIF_OP_WRITE, 1, 0, 1);
	kick(other);
	finish_all();
	ck_assert_int_eq(response(other, NULL), BLKIF_RSP_OKAY);
}
END_TEST

START_TEST(hostile_from_the_start)
{
	struct ring *ring = &rings[0];
	struct queue_options options = {.dev = &dev,
					.disk = &disk,
					.ring = ring->shared,
					.pages = 1,
					.stats = &stats,
					.fd = -1,
					.inflight = calloc(1, inflight_size(ring->entries))};
	struct queue *queue;

	ring->shared->sring.rsp_prod = 1000;
	ring->shared->sring.req_prod = 1033;
	ck_assert_int_eq(queue_open(&queue, &options), -EPROTO);
	ring->shared->sring.req_prod = 999;
	ck_assert_int_eq(queue_open(&queue, &options), -EPROTO);
	free(options.inflight);
}
END_TEST

/* A ring that somebody left with requests unanswered is taken up there. */
START_TEST(taken_up_where_responses_end)
{
	struct ring *ring = &rings[0];
	struct queue_options options = {.dev = &dev,
					.disk = &disk,
					.ring = ring->shared,
					.pages = 1,
					.stats = &stats,
					.fd = -1,
					.inflight = ring->inflight};

	queue_close(ring->queue);
	memset(ring->inflight, 0, inflight_size(ring->entries));
	ring->prod = ring->cons = UINT32_MAX;
	ring->shared->sring.rsp_prod = ring->prod;
	request(ring, BLKIF_OP_READ, 1, 0, 1);
	request(ring, BLKIF_OP_READ, 2, 0, 1);
	ck_assert_int_eq(queue_open(&ring->queue, &options), 0);
	kick(ring);
	finish_all();
	ck_assert_uint_eq(responses(ring), 2);
}
END_TEST

/* XSA-155: the guest rewrites its slot and its descriptors while we are at it. */
static void spoil(void)
{
	struct ring *ring = &rings[0];
	struct blkif_request_segment bad = {1, 7, 0};

	memset(ring->shared->sring.ring, 0xff, ring->entries * 112);
	for (unsigned n = 0; n < 256; n++)
		memcpy(pages[500] + n * sizeof(bad), &bad, sizeof(bad));
}

START_TEST(xsa_155_double_fetch)
{
	struct ring *ring = &rings[0];
	uint64_t id;

	copy_spoils = spoil;
	request(ring, BLKIF_OP_WRITE, 41, 8, 3);
	put_indirect(ring, BLKIF_OP_WRITE, 100, 500);
	kick(ring);
	copy_spoils = NULL;
	ck_assert_uint_eq(op_count, 2);
	ck_assert_uint_eq(ops[0].offset, 4096);
	ck_assert_uint_eq(ops[0].length, 4096);
	ck_assert_uint_eq(ops[1].length, 100 * 4096);
	finish_all();
	ck_assert_int_eq(response(ring, &id), BLKIF_RSP_OKAY);
	ck_assert_uint_eq(id, 41);
	ck_assert_int_eq(response(ring, &id), BLKIF_RSP_OKAY);
	ck_assert_uint_eq(id, 9);
}
END_TEST

/* XSA-365: one bad grant among good ones fails its own request, in either direction. */
START_TEST(xsa_365_bad_grant)
{
	struct ring *ring = &rings[0];
	uint8_t operation = _i ? BLKIF_OP_READ : BLKIF_OP_WRITE;
	int16_t status[3];
	uint64_t id;

	request(ring, operation, 0, 0, 1);
	request(ring, operation, 1, 8, NO_GRANT);
	request(ring, operation, 2, 16, 2);
	kick(ring);
	finish_all();
	for (int n = 0; n < 3; n++) {
		int16_t one = response(ring, &id);

		ck_assert_uint_le(id, 2);
		status[id] = one;
	}
	ck_assert_int_eq(status[0], BLKIF_RSP_OKAY);
	ck_assert_int_eq(status[1], BLKIF_RSP_ERROR);
	ck_assert_int_eq(status[2], BLKIF_RSP_OKAY);
	ck_assert_uint_eq(errors, 0);
}
END_TEST

START_TEST(bad_indirect_grant)
{
	struct ring *ring = &rings[0];

	put_indirect(ring, BLKIF_OP_WRITE, 3, 500);
	((union blk_wire *)slot(ring, 0))->indirect.indirect_grefs[0] = NO_GRANT;
	kick(ring);
	ck_assert_uint_eq(op_count, 0);
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_ERROR);
}
END_TEST

/* XSA-361, XSA-362: every grant operation may fail as a whole. */
START_TEST(xsa_362_copy_fails)
{
	struct ring *ring = &rings[0];

	copy_errno = ENOMEM;
	request(ring, BLKIF_OP_WRITE, 1, 0, 1);
	put_indirect(ring, BLKIF_OP_READ, 3, 500);
	kick(ring);
	ck_assert_uint_eq(op_count, 0);
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_ERROR);
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_ERROR);
	request(ring, BLKIF_OP_READ, 3, 0, 1);
	kick(ring);
	finish_all();
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_ERROR);
	copy_errno = 0;
	request(ring, BLKIF_OP_READ, 4, 0, 1);
	kick(ring);
	finish_all();
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_OKAY);
}
END_TEST

/* XSA-71: requests that are refused cost nothing that is not given back. */
START_TEST(xsa_71_refused_requests_leak_nothing)
{
	struct ring *ring = &rings[0];

	for (unsigned round = 0; round < 2000; round++) {
		union blk_wire wire = make(BLKIF_OP_WRITE, round, DISK / 512, 1);

		put(ring, &wire);
		request(ring, BLKIF_OP_WRITE, round, 0, NO_GRANT);
		request(ring, 99, round, 0, 0);
		kick(ring);
		ck_assert_uint_eq(responses(ring), 3);
		ring->cons = ring->prod;
	}
	ck_assert_uint_eq(op_count, 0);
	serve_more_than_memory(ring);
}
END_TEST

/* XSA-392: what a guest makes us hold ends at the pool, whatever it posts. */
START_TEST(xsa_392_memory_is_bounded)
{
	struct ring *ring = &rings[1];

	ring_make(ring, BLK_ABI_64, 16);
	for (unsigned n = 0; n < 512; n++)
		put_indirect(ring, BLKIF_OP_WRITE, 256, 500);
	kick(ring);
	ck_assert_uint_eq(op_count, POOL_PAGES / 256);
	finish_all();
	ck_assert_uint_eq(responses(ring), 512);
}
END_TEST

/* ---- the end ---- */

/* ---- limits, holding, another geometry ---- */

static void limit(const char *text)
{
	struct qos_limits limits;
	char why[100];

	ck_assert_int_eq(qos_parse(text, &limits, why, sizeof(why)), 0);
	if (!disk.line.timer)
		ck_assert_int_eq(line_open(&disk.line, base), 0);
	line_limit(&disk.line, &limits);
}

static unsigned count_ops(enum engine_op op)
{
	unsigned count = 0;

	for (unsigned n = 0; n < op_count; n++)
		count += ops[n].op == op;
	return count;
}

/* Held reads stop neither a write nor a flush, nor those that come on the ring later. */
START_TEST(held_by_limits_lets_others_by)
{
	struct ring *ring = &rings[0];

	limit("read-bytes=4096");
	request(ring, BLKIF_OP_READ, 1, 0, 1); /* the bucket holds it, and more than that is gone */
	request(ring, BLKIF_OP_READ, 2, 8, 2);
	request(ring, BLKIF_OP_WRITE, 3, 16, 3);
	empty(ring, BLKIF_OP_FLUSH_DISKCACHE, 4);
	kick(ring);
	ck_assert_uint_eq(count_ops(ENGINE_READ), 1);
	ck_assert_uint_eq(count_ops(ENGINE_WRITE), 1);
	ck_assert_uint_eq(count_ops(ENGINE_FLUSH), 1);
	finish_all();
	ck_assert_uint_eq(responses(ring), 3);
	ck_assert_uint_eq(ring->shared->sring.req_event, ring->prod + 1);
	request(ring, BLKIF_OP_WRITE, 5, 16, 3);
	request(ring, BLKIF_OP_READ, 6, 160, 3);
	kick(ring);
	ck_assert_uint_eq(count_ops(ENGINE_WRITE), 2);
	ck_assert_uint_eq(count_ops(ENGINE_READ), 1);

	/* A barrier does not overtake what is held before it. */
	empty(ring, BLKIF_OP_WRITE_BARRIER, 7);
	request(ring, BLKIF_OP_WRITE, 8, 16, 3);
	kick(ring);
	ck_assert_uint_eq(count_ops(ENGINE_WRITE), 2);
	ck_assert_uint_eq(count_ops(ENGINE_FLUSH), 1);

	limit("");
	turn();
	ck_assert_uint_eq(count_ops(ENGINE_READ), 3);
	finish_all();
	ck_assert_uint_eq(responses(ring), 8);
	ck_assert_uint_eq(count_ops(ENGINE_WRITE), 3);
	line_close(&disk.line);
}
END_TEST

START_TEST(limits_take_their_time)
{
	struct ring *ring = &rings[0];

	limit("iops=100");
	for (unsigned n = 0; n < 32; n++)
		request(ring, BLKIF_OP_WRITE, n, 16ull * n, n);
	kick(ring);
	ck_assert_uint_ge(op_count, 10);
	ck_assert_uint_le(op_count, 12);
	while (op_count < 15)
		event_base_loop(base, EVLOOP_ONCE);
	limit("");
	turn();
	ck_assert_uint_eq(op_count, 32);
	finish_all();
	ck_assert_uint_eq(responses(ring), 32);
	line_close(&disk.line);
}
END_TEST

START_TEST(held_starts_nothing)
{
	struct ring *ring = &rings[0];

	request(ring, BLKIF_OP_WRITE, 1, 0, 1);
	kick(ring);
	disk_hold(&disk, BLK_HELD_PAUSED);
	disk_hold(&disk, BLK_HELD_CHANGE);
	request(ring, BLKIF_OP_READ, 2, 0, 1);
	empty(ring, BLKIF_OP_FLUSH_DISKCACHE, 3);
	kick(ring);
	ck_assert_uint_eq(op_count, 1);
	ck_assert_uint_eq(drained, 0);
	finish_all();
	turn();
	ck_assert_uint_eq(drained, 1);
	ck_assert_uint_eq(responses(ring), 1);
	disk_release(&disk, BLK_HELD_CHANGE);
	turn();
	ck_assert_uint_eq(op_count, 1);
	disk_release(&disk, BLK_HELD_PAUSED);
	turn();
	ck_assert_uint_eq(op_count, 3);
	finish_all();
	ck_assert_uint_eq(responses(ring), 3);
}
END_TEST

/* What was good when it came off the ring is looked at again before it starts. */
START_TEST(held_while_the_disk_changes)
{
	struct ring *ring = &rings[0];
	union blk_wire discard = {.discard = {.operation = BLKIF_OP_DISCARD,
					      .id = 3,
					      .sector_number = 0,
					      .nr_sectors = 8}};

	disk_hold(&disk, BLK_HELD_CHANGE);
	request(ring, BLKIF_OP_READ, 1, DISK / 512 - 8, 1);
	request(ring, BLKIF_OP_WRITE, 2, 0, 1);
	put(ring, &discard);
	request(ring, BLKIF_OP_READ, 4, 0, 1);
	kick(ring);
	disk.geometry = (struct blk_geometry){.size = DISK / 2, .read_only = true};
	disk_release(&disk, BLK_HELD_CHANGE);
	turn();
	finish_all();
	ck_assert_uint_eq(op_count, 1);
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_ERROR);
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_ERROR);
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_EOPNOTSUPP);
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_OKAY);
}
END_TEST

/* ---- what is counted ---- */

START_TEST(counts)
{
	struct ring *ring = &rings[0];
	struct stats_queue seen;

	request(ring, BLKIF_OP_READ, 1, 0, 1);
	request(ring, BLKIF_OP_WRITE, 2, 0, 2);
	request(ring, BLKIF_OP_WRITE, 3, 0, NO_GRANT);   /* a bad grant */
	request(ring, BLKIF_OP_WRITE, 4, DISK / 512, 1); /* beyond the end */
	empty(ring, BLKIF_OP_FLUSH_DISKCACHE, 5);
	request(ring, BLKIF_OP_READ, 6, 8, 1);
	kick(ring);
	finish_one(&ops[3], -EIO);
	finish_all();
	stats_copy(&seen, &stats);
	ck_assert_uint_eq(seen.requests[BLK_READ], 1);
	ck_assert_uint_eq(seen.requests[BLK_WRITE], 1);
	ck_assert_uint_eq(seen.requests[BLK_FLUSH], 1);
	ck_assert_uint_eq(seen.bytes_read, 4096);
	ck_assert_uint_eq(seen.bytes_written, 4096);
	ck_assert_uint_eq(seen.errors, 1);
	ck_assert_uint_eq(seen.refused, 2);
	ck_assert_uint_eq(seen.events, 1);
	ck_assert_uint_eq(seen.passes, 1);
	ck_assert_uint_eq(seen.notifications, notifications);
	ck_assert_uint_eq(seen.copy_calls, copy_calls);
	ck_assert_uint_eq(seen.copy_segments, copy_segments);
	ck_assert_uint_eq(histogram_total(&seen.copy), copy_calls);
	ck_assert_uint_eq(histogram_total(&seen.device), 4);
	ck_assert_uint_eq(histogram_total(&seen.total), 3);
	ck_assert_uint_gt(histogram_quantile(&seen.total, 500), 0);
	ck_assert_uint_lt(histogram_quantile(&seen.total, 1000), 60000000000ull);
}
END_TEST

START_TEST(drains_what_runs)
{
	struct ring *ring = &rings[0];

	request(ring, BLKIF_OP_WRITE, 1, 0, 1);
	kick(ring);
	queue_drain(ring->queue);
	request(ring, BLKIF_OP_WRITE, 2, 0, 1);
	kick(ring);
	ck_assert_uint_eq(op_count, 1);
	ck_assert_uint_eq(drained, 0);
	finish_all();
	ck_assert_uint_eq(drained, 1);
	ck_assert_uint_eq(responses(ring), 1);
}
END_TEST

START_TEST(drains_behind_a_barrier)
{
	struct ring *ring = &rings[0];

	request(ring, BLKIF_OP_WRITE, 1, 0, 1);
	empty(ring, BLKIF_OP_WRITE_BARRIER, 2);
	request(ring, BLKIF_OP_WRITE, 3, 0, 1);
	kick(ring);
	queue_drain(ring->queue);
	finish_all();
	ck_assert_uint_eq(op_count, 1);
	ck_assert_uint_eq(drained, 1);
}
END_TEST

/* ---- a worker that takes over from one that was killed ---- */

/* The worker is killed in the middle of everything, and another opens the ring anew. */
static void another_worker(struct ring *ring)
{
	struct queue_options options = {.dev = &dev,
					.disk = &disk,
					.ring = ring->shared,
					.pages = 1,
					.stats = &stats,
					.fd = -1,
					.inflight = ring->inflight};

	queue_close(ring->queue);
	disk.running = disk.replayed = 0;
	disk.barrier = NULL;
	op_count = notifications = 0;
	ck_assert_int_eq(queue_open(&ring->queue, &options), 0);
	queue_bound(ring->queue, PORT);
	turn();
}

START_TEST(replays_what_is_unanswered)
{
	struct ring *ring = &rings[0];
	bool answered[6] = {false};

	for (unsigned n = 0; n < 5; n++)
		request(ring, BLKIF_OP_WRITE, n, 16ull * n, n);
	kick(ring);
	finish_one(&ops[1], 0);
	finish_one(&ops[3], 0);
	ops[0].engine->batch(ops[0].engine->arg);
	ck_assert_uint_eq(responses(ring), 2);
	request(ring, BLKIF_OP_READ, 5, 800, 1); /* nobody has looked at this one */
	ring->shared->sring.req_prod = ring->prod;
	another_worker(ring);
	ck_assert_uint_eq(notifications, 1);
	ck_assert_uint_eq(op_count, 4);
	ck_assert_uint_eq(ops[0].offset, 0);
	ck_assert_uint_eq(ops[1].offset, 16384);
	ck_assert_uint_eq(ops[2].offset, 32768);
	ck_assert_int_eq(ops[3].op, ENGINE_READ);
	finish_all();
	ck_assert_uint_eq(responses(ring), 6);
	while (responses(ring)) {
		uint64_t id;

		ck_assert_int_eq(response(ring, &id), BLKIF_RSP_OKAY);
		ck_assert_uint_lt(id, 6);
		ck_assert(!answered[id]);
		answered[id] = true;
	}
}
END_TEST

/* The old write may not land on a new one. */
START_TEST(holds_writes_that_overlap_a_replayed_one)
{
	struct ring *ring = &rings[0];

	request(ring, BLKIF_OP_WRITE, 1, 8, 1);
	kick(ring);
	request(ring, BLKIF_OP_READ, 2, 8, 2);
	request(ring, BLKIF_OP_WRITE, 3, 8, 3);
	ring->shared->sring.req_prod = ring->prod;
	another_worker(ring);
	ck_assert_uint_eq(op_count, 2);
	ck_assert_int_eq(ops[1].op, ENGINE_READ);
	finish_one(&ops[0], 0);
	ops[0].engine->batch(ops[0].engine->arg);
	turn();
	ck_assert_uint_eq(op_count, 3);
	finish_all();
	ck_assert_uint_eq(responses(ring), 3);
}
END_TEST

START_TEST(replays_one_by_one_when_careful)
{
	struct ring *ring = &rings[0];

	for (unsigned n = 0; n < 4; n++)
		request(ring, BLKIF_OP_WRITE, n, 8ull * n, n == 2 ? NO_GRANT : n);
	empty(ring, BLKIF_OP_READ, 4); /* refused */
	empty(ring, BLKIF_OP_FLUSH_DISKCACHE, 5);
	ring->shared->sring.req_prod = ring->prod;
	disk.held = BLK_HELD_PAUSED; /* taken, not started */
	kick(ring);
	disk.held = 0;
	disk.careful = true;
	another_worker(ring);
	for (unsigned n = 0; n < 2; n++) {
		ck_assert_uint_eq(op_count, n + 1);
		finish_one(&ops[n], 0);
		ops[n].engine->batch(ops[n].engine->arg);
		turn();
	}
	/* The third has a bad grant, so the fourth runs. */
	ck_assert_uint_eq(op_count, 3);
	ck_assert_uint_eq(ops[2].offset, 3 * 4096);
	finish_all();
	ck_assert_uint_eq(op_count, 4);
	ck_assert_int_eq(ops[3].op, ENGINE_FLUSH);
	ck_assert_uint_eq(responses(ring), 6);
}
END_TEST

START_TEST(stays_stopped)
{
	struct ring *ring = &rings[0];

	request(ring, BLKIF_OP_WRITE, 1, 0, 1);
	kick(ring);
	ring->prod += 100;
	kick(ring);
	ck_assert_uint_eq(errors, 1);
	ring->prod -= 100;
	ring->shared->sring.req_prod = ring->prod;
	another_worker(ring);
	kick(ring);
	ck_assert_uint_eq(errors, 1);
	ck_assert_uint_eq(op_count, 0);
	ck_assert_uint_eq(responses(ring), 0);
}
END_TEST

/* What the guest does to the ring while nobody has it costs it the ring, once, and no more. */
START_TEST(nonsense_while_nobody_looked)
{
	struct ring *ring = &rings[0];

	request(ring, BLKIF_OP_WRITE, 1, 0, 1);
	kick(ring);
	ring->shared->sring.rsp_prod += 7;
	another_worker(ring);
	another_worker(ring);
	ck_assert_uint_eq(errors, 1);
	ck_assert_uint_eq(op_count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_queue");
	TCase *tc = tcase_create("block_queue");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, reads_and_writes, 0, 2);
	tcase_add_test(tc, one_copy_and_one_notification_a_pass);
	tcase_add_test(tc, no_notification_unless_asked_for);
	tcase_add_test(tc, asks_for_the_next_request);
	tcase_add_test(tc, goes_round);
	tcase_add_test(tc, unaligned_data_lies_where_the_guest_has_it);
	tcase_add_test(tc, indirect);
	tcase_add_test(tc, more_than_memory);
	tcase_add_test(tc, memory_of_the_refused_is_not_lost);
	tcase_add_loop_test(tc, neighbours_are_one_operation, 0, 4);
	tcase_add_test(tc, a_run_of_neighbours_is_bounded);
	tcase_add_test(tc, each_of_neighbours_has_its_own_outcome);
	tcase_add_test(tc, discards_and_flushes_leave_threads_for_others);
	tcase_add_test(tc, flush_then_write);
	tcase_add_test(tc, failed_flush_writes_nothing);
	tcase_add_test(tc, barrier);
	tcase_add_test(tc, barriers_in_a_row);
	tcase_add_test(tc, barrier_with_a_bad_grant_holds_nobody);
	tcase_add_loop_test(tc, hostile_producer, 0, TABLE_SIZE(overflows));
	tcase_add_test(tc, hostile_from_the_start);
	tcase_add_test(tc, taken_up_where_responses_end);
	tcase_add_test(tc, xsa_155_double_fetch);
	tcase_add_loop_test(tc, xsa_365_bad_grant, 0, 2);
	tcase_add_test(tc, bad_indirect_grant);
	tcase_add_test(tc, xsa_362_copy_fails);
	tcase_add_test(tc, xsa_71_refused_requests_leak_nothing);
	tcase_add_test(tc, xsa_392_memory_is_bounded);
	tcase_add_test(tc, held_by_limits_lets_others_by);
	tcase_add_test(tc, limits_take_their_time);
	tcase_add_test(tc, held_starts_nothing);
	tcase_add_test(tc, held_while_the_disk_changes);
	tcase_add_test(tc, counts);
	tcase_add_test(tc, drains_what_runs);
	tcase_add_test(tc, drains_behind_a_barrier);
	tcase_add_test(tc, replays_what_is_unanswered);
	tcase_add_test(tc, holds_writes_that_overlap_a_replayed_one);
	tcase_add_test(tc, replays_one_by_one_when_careful);
	tcase_add_test(tc, stays_stopped);
	tcase_add_test(tc, nonsense_while_nobody_looked);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
