#include "tests/unit/front_blk_bench.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/check.h"

struct bench bench;

static void owner_changed(void *arg)
{
	((struct bench *)arg)->changes++;
}

static void owner_completed(void *arg, struct blkslot *slot)
{
	((struct bench *)arg)->completed++;
	if (slot->owner)
		*(bool *)slot->owner = true;
}

static void owner_room(void *arg)
{
	((struct bench *)arg)->rooms++;
}

static void owner_broken(void *arg, const char *reason)
{
	((struct bench *)arg)->broken = reason;
}

static void owner_ended(void *arg)
{
	((struct bench *)arg)->ended++;
}

static const struct blkfront_events events = {
	.changed = owner_changed,
	.completed = owner_completed,
	.room = owner_room,
	.broken = owner_broken,
	.ended = owner_ended,
};

void back_put(const char *name, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), BACK "/%s", name);
	fake_put(&bench.fake, path, value);
}

void back_state(const char *state)
{
	fake_set(&bench.fake, BACK "/state", state);
}

void bench_open(void)
{
	memset(&bench, 0, sizeof(bench));
	fake_open(&bench.fake);
	fake_put(&bench.fake, FRONT "/backend", BACK);
	fake_put(&bench.fake, FRONT "/backend-id", "0");
	fake_put(&bench.fake, FRONT "/state", "1");
	back_put("online", "1");
	back_put("state", "2");
	back_put("sectors", "2048");
	back_put("sector-size", "512");
	back_put("info", "0");
	back_put("feature-flush-cache", "1");
	back_put("feature-discard", "1");
	back_put("feature-max-indirect-segments", "256");
	back_put("max-ring-page-order", "4");
	ck_assert_int_eq(
		blkfront_create(&bench.fake.platform, FRONT, &events, &bench, &bench.front), 0);
}

void back_attach(void)
{
	bool several = *fake_get(&bench.fake, FRONT "/ring-page-order") != '\0';
	unsigned pages = several ? 1u << fake_number(&bench.fake, FRONT "/ring-page-order") : 1;
	const char *first = several ? FRONT "/ring-ref0" : FRONT "/ring-ref";

	bench.shared = (void *)fake_page(&bench.fake, fake_number(&bench.fake, first));
	for (unsigned i = 0; several && i < pages; i++) {
		char path[64];

		snprintf(path, sizeof(path), FRONT "/ring-ref%u", i);
		ck_assert_ptr_eq(fake_page(&bench.fake, fake_number(&bench.fake, path)),
				 (uint8_t *)bench.shared + (size_t)i * 4096);
	}
	bench.entries = __RD32((pages * 4096 - 64) / sizeof(bench.shared->ring[0]));
	bench.port = fake_number(&bench.fake, FRONT "/event-channel");
	bench.request_at = bench.response_at = 0;
}

void bench_connect(void)
{
	bench_open();
	back_state("2");
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/state"), "3");
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/protocol"), XEN_IO_PROTO_ABI_NATIVE);
	back_attach();
	back_state("4");
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/state"), "4");
	ck_assert_uint_eq(bench.changes, 1);
}

void bench_close(void)
{
	blkfront_destroy(bench.front);
	fake_empty(&bench.fake);
}

bool back_has_request(void)
{
	return bench.request_at != bench.shared->req_prod;
}

struct blkif_request back_request(void)
{
	return bench.shared->ring[bench.request_at++ % bench.entries].req;
}

void back_respond(uint64_t id, uint8_t operation, int16_t status)
{
	bench.shared->ring[bench.response_at++ % bench.entries].rsp =
		(struct blkif_response){.id = id, .operation = operation, .status = status};
	bench.shared->rsp_prod = bench.response_at;
}

/* Move the data of a read or write whose segments are at @segment. */
static void back_move(uint8_t operation, uint64_t sector, unsigned segments,
		      const struct blkif_request_segment *segment)
{
	uint64_t at = sector * 512;

	for (unsigned i = 0; i < segments; i++) {
		size_t length = (segment[i].last_sect - segment[i].first_sect + 1u) * 512;
		uint8_t *data =
			fake_page(&bench.fake, segment[i].gref) + segment[i].first_sect * 512u;

		ck_assert(segment[i].first_sect <= segment[i].last_sect &&
			  segment[i].last_sect < 8);
		ck_assert_uint_le(at + length, sizeof(bench.disk));
		if (operation == BLKIF_OP_WRITE)
			memcpy(bench.disk + at, data, length);
		else
			memcpy(data, bench.disk + at, length);
		at += length;
	}
}

void back_serve(const struct blkif_request *request)
{
	const struct blkif_request_indirect *indirect = (const void *)request;
	const struct blkif_request_discard *discard = (const void *)request;

	switch (request->operation) {
	case BLKIF_OP_INDIRECT:
		ck_assert_uint_gt(indirect->nr_segments, BLKIF_MAX_SEGMENTS_PER_REQUEST);
		ck_assert_uint_eq(indirect->handle, 51712);
		/* A backend may map it for writing and keep it (feature-persistent). */
		ck_assert(!bench.fake.readonly[indirect->indirect_grefs[0]]);
		back_move(indirect->indirect_op, indirect->sector_number, indirect->nr_segments,
			  (void *)fake_page(&bench.fake, indirect->indirect_grefs[0]));
		back_respond(indirect->id, indirect->indirect_op, BLKIF_RSP_OKAY);
		return;
	case BLKIF_OP_DISCARD:
		memset(bench.disk + discard->sector_number * 512, 0, discard->nr_sectors * 512);
		break;
	case BLKIF_OP_FLUSH_DISKCACHE:
		ck_assert_uint_eq(request->nr_segments, 0);
		break;
	default:
		ck_assert_uint_le(request->nr_segments, BLKIF_MAX_SEGMENTS_PER_REQUEST);
		ck_assert_uint_eq(request->handle, 51712);
		back_move(request->operation, request->sector_number, request->nr_segments,
			  request->seg);
	}
	back_respond(request->id, request->operation, BLKIF_RSP_OKAY);
}

struct blkslot *start(enum blk_operation operation, uint64_t offset, uint64_t length,
		      const void *data)
{
	struct blkslot *slot;
	int rc = blkfront_begin(bench.front, operation, offset, length, NULL, &slot);

	ck_assert_int_eq(rc, 0);
	if (operation == BLK_WRITE)
		blkfront_fill(bench.front, slot, data);
	ck_assert_int_eq(blkfront_submit(bench.front, slot), 0);
	return slot;
}
