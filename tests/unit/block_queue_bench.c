#include "tests/unit/block_queue_bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/check.h"

/* ---- the guest's memory behind libxengnttab ---- */

uint8_t (*pages)[BLK_PAGE_SIZE]; /* of GRANTS grants */
unsigned copy_calls, copy_segments;
unsigned mapped;           /* pages, by rings with persistent grants */
int copy_errno;            /* the whole call fails */
void (*copy_spoils)(void); /* what the guest does meanwhile */

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

/* Only of frontends with feature-persistent, see block_kept.c; here their grants follow one
 * another.
 */
void *xengnttab_map_domain_grant_refs(xengnttab_handle *gnttab, uint32_t count, uint32_t domid,
				      uint32_t *refs, int prot)
{
	ck_assert(rings[0].persistent || rings[1].persistent);
	for (uint32_t n = 0; n < count; n++)
		ck_assert_uint_eq(refs[n], refs[0] + n);
	mapped += count;
	return pages[refs[0]];
}

int xengnttab_unmap(xengnttab_handle *gnttab, void *start_address, uint32_t count)
{
	mapped -= count;
	return 0;
}

/* ---- the worker around the queue ---- */

unsigned notifications, errors;
char last_error[256];

int events_notify(struct events *events, evtchn_port_t port)
{
	ck_assert_uint_eq(port, PORT);
	notifications++;
	return 0;
}

void worker_error(struct worker_device *device, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last_error, sizeof(last_error), format, args);
	va_end(args);
	errors++;
}

/* Only with a time-out, which no disk here has. */
void worker_trouble(struct worker_device *device, int rc, const char *format, ...)
{
}

void worker_recovered(struct worker_device *device, const char *how)
{
}

/* ---- an engine that finishes when told ---- */

struct op ops[OPS];
unsigned op_count, submits;

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

void finish_one(struct op *op, int rc)
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

struct event_base *base;
struct worker worker;
struct worker_device dev;
struct blk_disk disk;
struct ring rings[2];
struct stats_queue stats;
unsigned drained;

static void on_drained(evutil_socket_t fd, short what, void *arg)
{
	drained++;
}

void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

struct queue_options ring_options(const struct ring *ring)
{
	return (struct queue_options){.dev = &dev,
				      .disk = &disk,
				      .abi = ring->abi,
				      .ring = ring->shared,
				      .pages = ring->pages,
				      .stats = &stats,
				      .fd = -1,
				      .inflight = ring->inflight,
				      .persistent = ring->persistent};
}

void ring_make(struct ring *ring, enum blk_abi abi, unsigned n_pages)
{
	struct queue_options options;

	ring->shared = aligned_alloc(BLK_PAGE_SIZE, sizeof(*ring->shared));
	memset(ring->shared, 0xee, sizeof(*ring->shared));
	ring->shared->sring.req_prod = ring->shared->sring.rsp_prod = 0;
	ring->shared->sring.req_event = ring->shared->sring.rsp_event = 1;
	ring->abi = abi;
	ring->entries = request_ring_entries(abi, n_pages);
	ring->prod = ring->cons = 0;
	ring->pages = n_pages;
	ring->inflight = calloc(1, inflight_size(ring->entries));
	options = ring_options(ring);
	ck_assert_int_eq(queue_open(&ring->queue, &options), 0);
	queue_bound(ring->queue, PORT);
}

void set_up(void)
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

void finish_all(void)
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

void tear_down(void)
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
		rings[n].persistent = false;
	}
	ck_assert_uint_eq(mapped, 0);
	event_free(disk.drained);
	event_base_free(base);
	free(pages);
}

uint8_t *slot(struct ring *ring, RING_IDX index)
{
	return (uint8_t *)ring->shared->sring.ring +
	       (index % ring->entries) * request_slot_size(ring->abi);
}

void put(struct ring *ring, const union blk_wire *wire)
{
	uint8_t *at = slot(ring, ring->prod++);

	if (ring->abi == BLK_ABI_64) {
		memcpy(at, wire, 112);
	} else {
		memcpy(at, wire, 4);
		memcpy(at + 4, (const uint8_t *)wire + 8, 104);
	}
}

union blk_wire make(uint8_t operation, uint64_t id, uint64_t sector, uint32_t gref)
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

void request(struct ring *ring, uint8_t operation, uint64_t id, uint64_t sector, uint32_t gref)
{
	union blk_wire wire = make(operation, id, sector, gref);

	put(ring, &wire);
}

void empty(struct ring *ring, uint8_t operation, uint64_t id)
{
	union blk_wire wire = make(operation, id, 0, 0);

	wire.direct.nr_segments = 0;
	put(ring, &wire);
}

void kick(struct ring *ring)
{
	ring->shared->sring.req_prod = ring->prod;
	queue_kick(ring->queue);
	turn();
}

int16_t response(struct ring *ring, uint64_t *id)
{
	blkif_response_t response;

	ck_assert_msg(ring->cons != ring->shared->sring.rsp_prod, "no response");
	memcpy(&response, slot(ring, ring->cons++), 12);
	if (id)
		*id = response.id;
	return response.status;
}

unsigned responses(const struct ring *ring)
{
	return ring->shared->sring.rsp_prod - ring->cons;
}

void put_indirect(struct ring *ring, uint8_t operation, unsigned count, uint32_t descriptors)
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

/* Nothing is lost, all are served in turn. */
void serve_more_than_memory(struct ring *ring)
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
