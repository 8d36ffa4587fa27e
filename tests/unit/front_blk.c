/* blkfront against a backend in the same process: an honest one, and one that lies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/core/blkfront.h"
#include "frontend/core/limbo.h"
#include "tests/unit/check.h"
#include "tests/unit/front_fake.h"

#define FRONT     "device/vbd/51712"
#define BACK      "/local/domain/0/backend/vbd/5/51712"
#define DISK_SIZE (1u << 20)

/* The backend's end, and the frontend's owner. */
struct bench {
	struct fake fake;
	struct blkfront *front;
	struct blkif_sring *shared; /* a private view of the ring's pages, which lie together */
	RING_IDX request_at, response_at;
	unsigned entries;
	uint32_t port;
	uint8_t disk[DISK_SIZE];
	/* what the owner was told */
	unsigned changes, rooms, completed;
	int ended;
	const char *broken;
};

static struct bench bench;

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

static void back_put(const char *name, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), BACK "/%s", name);
	fake_put(&bench.fake, path, value);
}

static void back_state(const char *state)
{
	fake_set(&bench.fake, BACK "/state", state);
}

static void bench_open(void)
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

/* Take up the ring that the frontend offers now. */
static void back_attach(void)
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

static void bench_connect(void)
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

static void bench_close(void)
{
	blkfront_destroy(bench.front);
	fake_empty(&bench.fake);
}

static bool back_has_request(void)
{
	return bench.request_at != bench.shared->req_prod;
}

static struct blkif_request back_request(void)
{
	return bench.shared->ring[bench.request_at++ % bench.entries].req;
}

static void back_respond(uint64_t id, uint8_t operation, int16_t status)
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

static void back_serve(const struct blkif_request *request)
{
	const struct blkif_request_indirect *indirect = (const void *)request;
	const struct blkif_request_discard *discard = (const void *)request;

	switch (request->operation) {
	case BLKIF_OP_INDIRECT:
		ck_assert_uint_gt(indirect->nr_segments, BLKIF_MAX_SEGMENTS_PER_REQUEST);
		ck_assert_uint_eq(indirect->handle, 51712);
		ck_assert(bench.fake.readonly[indirect->indirect_grefs[0]]);
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

static struct blkslot *start(enum blk_operation operation, uint64_t offset, uint64_t length,
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

/* What the backend answers to one read of 4 KiB (or 64 KiB: indirect). */
static void lie_nothing(const struct blkif_request *r)
{
	back_respond(r->id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}
static void lie_inner(const struct blkif_request *r)
{
	back_respond(((const struct blkif_request_indirect *)(const void *)r)->id, BLKIF_OP_READ,
		     BLKIF_RSP_OKAY);
}
static void lie_outer(const struct blkif_request *r)
{
	back_respond(r->id, BLKIF_OP_INDIRECT, BLKIF_RSP_OKAY);
}
static void lie_error(const struct blkif_request *r)
{
	back_respond(r->id, BLKIF_OP_READ, BLKIF_RSP_ERROR);
}
static void lie_unsupported(const struct blkif_request *r)
{
	back_respond(r->id, BLKIF_OP_READ, BLKIF_RSP_EOPNOTSUPP);
}
static void lie_status(const struct blkif_request *r)
{
	back_respond(r->id, BLKIF_OP_READ, 17);
}
static void lie_free_slot(const struct blkif_request *r)
{
	back_respond((r->id & ~0xffffull) | 77, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}
static void lie_beyond(const struct blkif_request *r)
{
	back_respond(r->id | 0xffff, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}
static void lie_just_beyond(const struct blkif_request *r)
{
	back_respond(r->id + BLK_SLOTS, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}
static void lie_huge(const struct blkif_request *r)
{
	back_respond(r->id | 1ull << 63, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}
static void lie_old(const struct blkif_request *r)
{
	back_respond(r->id - 0x10000, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}
static void lie_twice(const struct blkif_request *r)
{
	back_respond(r->id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
	back_respond(r->id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}
static void lie_operation(const struct blkif_request *r)
{
	back_respond(r->id, BLKIF_OP_WRITE, BLKIF_RSP_OKAY);
}
static void lie_as_indirect(const struct blkif_request *r)
{
	back_respond(r->id, BLKIF_OP_INDIRECT, BLKIF_RSP_OKAY);
}
static void lie_too_many(const struct blkif_request *r)
{
	back_respond(r->id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
	bench.shared->rsp_prod += 2;
}
static void lie_far_ahead(const struct blkif_request *r)
{
	bench.shared->rsp_prod = 0x80000000;
}
static void lie_backwards(const struct blkif_request *r)
{
	bench.shared->rsp_prod = (RING_IDX)-1;
}
static void lie_whole_ring(const struct blkif_request *r)
{
	for (unsigned i = 0; i < bench.entries; i++)
		back_respond(r->id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}

static const struct {
	const char *what;
	void (*answer)(const struct blkif_request *request);
	size_t length;
	bool broken;
	int status; /* of the request */
} lies[] = {
	{"the truth", lie_nothing, 4096, false, 0},
	{"an indirect request's own operation", lie_outer, 65536, false, 0},
	{"an indirect request's inner operation", lie_inner, 65536, false, 0},
	{"an error", lie_error, 4096, false, -EIO},
	{"not supported", lie_unsupported, 4096, false, -EOPNOTSUPP},
	{"a status nobody defined", lie_status, 4096, false, -EIO},
	{"a slot that is free", lie_free_slot, 4096, true, -EIO},
	{"an id beyond the table", lie_beyond, 4096, true, -EIO},
	{"an id just beyond the table", lie_just_beyond, 4096, true, -EIO},
	{"an id of 64 bits", lie_huge, 4096, true, -EIO},
	{"the slot's use before this one", lie_old, 4096, true, -EIO},
	{"twice the same id", lie_twice, 4096, true, 0},
	{"another operation", lie_operation, 4096, true, -EIO},
	{"a direct request as an indirect one", lie_as_indirect, 4096, true, -EIO},
	{"more responses than requests", lie_too_many, 4096, true, -EIO},
	{"rsp_prod far ahead", lie_far_ahead, 4096, true, -EIO},
	{"rsp_prod backwards", lie_backwards, 4096, true, -EIO},
	{"a whole ring of responses", lie_whole_ring, 4096, true, -EIO},
};

START_TEST(hostile_responses)
{
	struct blkif_request request;
	struct blkslot *slot, *next;

	bench_connect();
	slot = start(BLK_READ, 0, lies[_i].length, NULL);
	start(BLK_FLUSH, 0, 0, NULL); /* so that more than one answer may come */
	request = back_request();
	lies[_i].answer(&request);
	fake_fire(&bench.fake, bench.port);

	ck_assert_msg(slot->state == BLKSLOT_DONE, "%s", lies[_i].what);
	ck_assert_msg(slot->status == lies[_i].status, "%s: status %d", lies[_i].what,
		      slot->status);
	ck_assert_msg((bench.broken != NULL) == lies[_i].broken, "%s", lies[_i].what);
	blkfront_end(bench.front, slot);
	if (bench.broken) {
		ck_assert_int_eq(blkfront_begin(bench.front, BLK_READ, 0, 512, NULL, &next), -EIO);
		ck_assert(!fake_fire(&bench.fake, bench.port));
		blkfront_leave(bench.front, bench.broken);
		ck_assert_str_eq(fake_get(&bench.fake, FRONT "/state"), "5");
		back_state("6");
		ck_assert_str_eq(fake_get(&bench.fake, FRONT "/state"), "6");
		ck_assert_int_eq(bench.ended, 1);
	}
	bench_close();
}
END_TEST

static const struct {
	const char *what, *name, *value;
	bool connects;
	uint64_t size;
	uint32_t sector_size, request_max;
} properties[] = {
	{"as it was", "info", "0", true, DISK_SIZE, 512, 65536 * 4},
	{"no sectors", "sectors", NULL, false, 0, 0, 0},
	{"sectors that are no number", "sectors", "many", false, 0, 0, 0},
	{"negative sectors", "sectors", "-8", false, 0, 0, 0},
	{"an empty disk", "sectors", "0", true, 0, 512, 65536 * 4},
	{"the largest disk", "sectors", "18014398509481983", true, (1ull << 63) - 512, 512,
	 65536 * 4},
	{"2^63 bytes", "sectors", "18014398509481984", false, 0, 0, 0},
	{"2^64 - 1 sectors", "sectors", "18446744073709551615", false, 0, 0, 0},
	{"2^64 sectors", "sectors", "18446744073709551616", false, 0, 0, 0},
	{"no sector size", "sector-size", NULL, false, 0, 0, 0},
	{"sector size 0", "sector-size", "0", false, 0, 0, 0},
	{"sector size 3", "sector-size", "3", false, 0, 0, 0},
	{"sector size 256", "sector-size", "256", false, 0, 0, 0},
	{"sector size 1536", "sector-size", "1536", false, 0, 0, 0},
	{"sector size 4096", "sector-size", "4096", true, DISK_SIZE, 4096, 65536 * 4},
	{"sector size 8192", "sector-size", "8192", false, 0, 0, 0},
	{"sector size 2^32", "sector-size", "4294967296", false, 0, 0, 0},
	{"no indirect segments", "feature-max-indirect-segments", NULL, true, DISK_SIZE, 512,
	 11 * 4096},
	{"one indirect segment", "feature-max-indirect-segments", "1", true, DISK_SIZE, 512,
	 11 * 4096},
	{"16 indirect segments", "feature-max-indirect-segments", "16", true, DISK_SIZE, 512,
	 16 * 4096},
	{"2^32 - 1 indirect segments", "feature-max-indirect-segments", "4294967295", true,
	 DISK_SIZE, 512, 64 * 4096},
	{"2^32 indirect segments", "feature-max-indirect-segments", "4294967296", true, DISK_SIZE,
	 512, 11 * 4096},
	{"a long word", "physical-sector-size", "00000000000000000000000000000000000000512", true,
	 DISK_SIZE, 512, 65536 * 4},
};

START_TEST(absurd_properties)
{
	const struct blkinfo *info;

	bench_open();
	back_put(properties[_i].name, properties[_i].value);
	back_state("2");
	back_state("4");
	info = blkfront_info(bench.front);
	ck_assert_msg((info != NULL) == properties[_i].connects, "%s", properties[_i].what);
	if (info) {
		ck_assert_uint_eq(info->size, properties[_i].size);
		ck_assert_uint_eq(info->sector_size, properties[_i].sector_size);
		ck_assert_uint_eq(info->physical_sector_size, properties[_i].sector_size);
		ck_assert_uint_eq(info->request_max, properties[_i].request_max);
	} else {
		ck_assert_str_eq(fake_get(&bench.fake, FRONT "/state"), "6");
		ck_assert_str_ne(fake_get(&bench.fake, "error/" FRONT "/error"), "");
	}
	bench_close();
}
END_TEST

static const struct {
	const char *what, *order, *pages, *offered;
} orders[] = {
	{"nothing", NULL, NULL, ""},
	{"order 0", "0", NULL, ""},
	{"order 1", "1", NULL, "1"},
	{"order 31", "31", NULL, "2"},
	{"order 2^32 - 1", "4294967295", NULL, "2"},
	{"order -1", "-1", NULL, ""},
	{"the old way: 1 page", NULL, "1", ""},
	{"the old way: 2 pages", NULL, "2", "1"},
	{"the old way: 3 pages", NULL, "3", "1"},
	{"the old way: 16 pages", NULL, "16", "2"},
	{"the old way: 0 pages", NULL, "0", ""},
};

START_TEST(ring_sizes)
{
	bench_open();
	back_put("max-ring-page-order", orders[_i].order);
	back_put("max-ring-pages", orders[_i].pages);
	back_state("2");
	ck_assert_msg(!strcmp(fake_get(&bench.fake, FRONT "/ring-page-order"), orders[_i].offered),
		      "%s", orders[_i].what);
	ck_assert((*orders[_i].offered == '\0') ==
		  (*fake_get(&bench.fake, FRONT "/ring-ref") != '\0'));
	back_attach();
	bench_close();
}
END_TEST

static const struct {
	const char *what;
	uint64_t operation, offset, length;
	int64_t rc;
} requests[] = {
	{"the first sector", BLK_READ, 0, 512, 0},
	{"the last sector", BLK_WRITE, DISK_SIZE - 512, 512, 0},
	{"the most", BLK_READ, 512, 262144, 0},
	{"more than the most", BLK_READ, 0, 262144 + 512, -EINVAL},
	{"nothing", BLK_READ, 0, 0, -EINVAL},
	{"not aligned", BLK_READ, 1, 512, -EINVAL},
	{"half a sector", BLK_WRITE, 0, 256, -EINVAL},
	{"beyond the end", BLK_READ, DISK_SIZE, 512, -EINVAL},
	{"over the end", BLK_READ, DISK_SIZE - 512, 1024, -EINVAL},
	{"an end that wraps", BLK_READ, UINT64_MAX - 511, 1024, -EINVAL},
	{"a flush", BLK_FLUSH, 0, 0, 0},
	{"a flush of something", BLK_FLUSH, 0, 512, -EINVAL},
	{"a discard of all", BLK_DISCARD, 0, DISK_SIZE, 0},
	{"a discard of more", BLK_DISCARD, 0, DISK_SIZE + 512, -EINVAL},
};

START_TEST(request_bounds)
{
	struct blkslot *slot;
	int rc;

	bench_connect();
	rc = blkfront_begin(bench.front, (enum blk_operation)requests[_i].operation,
			    requests[_i].offset, requests[_i].length, NULL, &slot);
	ck_assert_msg(rc == requests[_i].rc, "%s: %d", requests[_i].what, rc);
	if (!rc)
		blkfront_end(bench.front, slot);
	bench_close();
}
END_TEST

START_TEST(what_is_not_offered)
{
	struct blkslot *slot;

	bench_open();
	back_put("info", "4");
	back_put("feature-flush-cache", "0");
	back_put("feature-discard", NULL);
	back_state("2");
	back_state("4");
	ck_assert(blkfront_info(bench.front)->read_only);
	ck_assert_int_eq(blkfront_begin(bench.front, BLK_WRITE, 0, 512, NULL, &slot), -EROFS);
	ck_assert_int_eq(blkfront_begin(bench.front, BLK_DISCARD, 0, 512, NULL, &slot), -EROFS);
	ck_assert_int_eq(blkfront_begin(bench.front, BLK_FLUSH, 0, 0, NULL, &slot), -EOPNOTSUPP);
	bench_close();
}
END_TEST

START_TEST(the_disk_grows)
{
	bench_connect();
	back_put("sectors", "4096");
	back_state("4");
	ck_assert_uint_eq(blkfront_info(bench.front)->size, 2 * DISK_SIZE);
	ck_assert_uint_eq(bench.changes, 2);
	back_state("4");
	ck_assert_uint_eq(bench.changes, 2);
	back_put("sectors", "nonsense");
	back_state("4");
	ck_assert_uint_eq(blkfront_info(bench.front)->size, 2 * DISK_SIZE);
	bench_close();
}
END_TEST

/* As much as there is room for: the pages run out before the slots do, and come back. */
START_TEST(room)
{
	struct blkslot *slot[BLK_SLOTS], *more;
	unsigned count = 0;

	bench_connect();
	while (!blkfront_begin(bench.front, BLK_READ, 0, 262144, NULL, &slot[count]))
		count++;
	ck_assert_uint_eq(count, 224 / 64);
	while (!blkfront_begin(bench.front, BLK_READ, 0, 4096, NULL, &slot[count]))
		count++;
	ck_assert_uint_eq(count, 3 + 32);
	while (!blkfront_begin(bench.front, BLK_FLUSH, 0, 0, NULL, &slot[count]))
		count++;
	ck_assert_uint_eq(count, BLK_SLOTS);
	ck_assert_int_eq(blkfront_begin(bench.front, BLK_FLUSH, 0, 0, NULL, &more), -EAGAIN);
	ck_assert_uint_eq(bench.rooms, 0);
	while (count)
		blkfront_end(bench.front, slot[--count]);
	ck_assert_uint_eq(bench.rooms, 1);
	ck_assert_int_eq(blkfront_begin(bench.front, BLK_READ, 0, 262144, NULL, &more), 0);
	bench_close();
}
END_TEST

START_TEST(few_grants)
{
	bench_open();
	bench.fake.pages_allowed = 100;
	back_state("2");
	back_state("4");
	ck_assert_uint_eq(blkfront_info(bench.front)->request_max, 56 * 4096);
	bench_close();

	bench_open();
	bench.fake.pages_allowed = 30;
	back_state("2");
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/state"), "6");
	back_state("6");
	ck_assert_int_eq(bench.ended, 1);
	bench_close();
}
END_TEST

START_TEST(a_new_backend)
{
	struct blkslot *queued, *held, *next;

	bench_connect();
	queued = start(BLK_WRITE, 0, 4096, bench.disk);
	ck_assert_int_eq(blkfront_begin(bench.front, BLK_READ, 0, 512, NULL, &held), 0);
	bench.fake.revoke_fails = true; /* the old one still maps the ring */

	back_put("max-ring-page-order", "0");
	back_state("2");
	ck_assert_int_eq(queued->status, -ERESTART);
	ck_assert_int_eq(blkfront_begin(bench.front, BLK_READ, 0, 512, NULL, &next), -EAGAIN);
	ck_assert_uint_eq(bench.fake.platform.limbo_pages, 4);
	back_attach();
	ck_assert_uint_eq(bench.entries, 32);
	back_state("4");
	ck_assert_uint_eq(bench.rooms, 1);
	ck_assert_int_eq(blkfront_submit(bench.front, held), -ERESTART);
	blkfront_end(bench.front, held);
	blkfront_end(bench.front, queued);

	next = start(BLK_READ, 0, 4096, NULL);
	struct blkif_request request = back_request();
	back_serve(&request);
	fake_fire(&bench.fake, bench.port);
	ck_assert_int_eq(next->state, BLKSLOT_DONE);
	blkfront_end(bench.front, next);
	bench.fake.revoke_fails = false;
	ck_assert_uint_eq(limbo_retry(&bench.fake.platform), 0);
	bench_close();
}
END_TEST

START_TEST(notifications_are_few)
{
	bench_connect();
	for (int i = 0; i < 16; i++)
		start(BLK_READ, 0, 512, NULL);
	ck_assert_uint_eq(fake_notified(&bench.fake, bench.port), 1);
	while (back_has_request()) {
		struct blkif_request request = back_request();

		back_serve(&request);
	}
	ck_assert(fake_fire(&bench.fake, bench.port));
	ck_assert_uint_eq(bench.completed, 16);
	ck_assert(!fake_fire(&bench.fake, bench.port));
	ck_assert_uint_eq(bench.shared->rsp_event, 17);
	bench_close();
}
END_TEST

/* Random traffic, answered out of order, against a model of the disk. */
#define MODEL_QUEUE 40

static struct {
	struct blkslot *slot;
	enum blk_operation operation;
	uint64_t offset, length;
	uint8_t *data;
} queue[MODEL_QUEUE];
static unsigned queue_length;
static uint8_t model[DISK_SIZE];

static bool overlaps(uint64_t offset, uint64_t length)
{
	for (unsigned i = 0; i < queue_length; i++)
		if (offset < queue[i].offset + queue[i].length && queue[i].offset < offset + length)
			return true;
	return false;
}

static void model_begin(void)
{
	enum blk_operation operation = (enum blk_operation)fake_random(4);
	uint64_t length = (1 + fake_random(fake_random(4) ? 24 : 512)) * 512ull;
	uint64_t offset = fake_random(2048) * 512ull;
	struct blkslot *slot;

	if (operation == BLK_FLUSH)
		offset = length = 0;
	if (offset + length > DISK_SIZE || overlaps(offset, length) ||
	    blkfront_begin(bench.front, operation, offset, length, NULL, &slot))
		return;
	queue[queue_length].slot = slot;
	queue[queue_length].operation = operation;
	queue[queue_length].offset = offset;
	queue[queue_length].length = length;
	queue[queue_length].data = malloc(length + 1);
	for (uint64_t i = 0; operation == BLK_WRITE && i < length; i++)
		queue[queue_length].data[i] = (uint8_t)random();
	if (operation == BLK_WRITE)
		blkfront_fill(bench.front, slot, queue[queue_length].data);
	ck_assert_int_eq(blkfront_submit(bench.front, slot), 0);
	queue_length++;
}

static void model_end(unsigned i)
{
	ck_assert_int_eq(queue[i].slot->status, 0);
	if (queue[i].operation == BLK_READ) {
		blkfront_drain(bench.front, queue[i].slot, queue[i].data);
		ck_assert(!memcmp(queue[i].data, model + queue[i].offset, queue[i].length));
	} else if (queue[i].operation == BLK_WRITE) {
		memcpy(model + queue[i].offset, queue[i].data, queue[i].length);
	} else {
		memset(model + queue[i].offset, 0, queue[i].length);
	}
	blkfront_end(bench.front, queue[i].slot);
	free(queue[i].data);
	queue[i] = queue[--queue_length];
}

static void back_serve_some(void)
{
	struct blkif_request pulled[BLK_SLOTS];
	unsigned count = 0;

	while (back_has_request())
		pulled[count++] = back_request();
	while (count) {
		unsigned i = fake_random(count);

		back_serve(&pulled[i]);
		pulled[i] = pulled[--count];
	}
}

START_TEST(random_traffic)
{
	bench_connect();
	srandom((unsigned)_i);
	for (int round = 0; round < 4000; round++) {
		if (queue_length < MODEL_QUEUE && fake_random(3))
			model_begin();
		if (fake_random(6) == 0)
			back_serve_some();
		if (fake_random(4) == 0)
			fake_fire(&bench.fake, bench.port);
		for (unsigned i = 0; i < queue_length;)
			if (queue[i].slot->state == BLKSLOT_DONE)
				model_end(i);
			else
				i++;
	}
	back_serve_some();
	fake_fire(&bench.fake, bench.port);
	while (queue_length)
		model_end(0);
	ck_assert(!memcmp(model, bench.disk, DISK_SIZE));
	ck_assert_uint_gt(bench.completed, 500);
	bench_close();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("front_blk");
	TCase *tc = tcase_create("front_blk");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, hostile_responses, 0, TABLE_SIZE(lies));
	tcase_add_loop_test(tc, absurd_properties, 0, TABLE_SIZE(properties));
	tcase_add_loop_test(tc, ring_sizes, 0, TABLE_SIZE(orders));
	tcase_add_loop_test(tc, request_bounds, 0, TABLE_SIZE(requests));
	tcase_add_test(tc, what_is_not_offered);
	tcase_add_test(tc, the_disk_grows);
	tcase_add_test(tc, room);
	tcase_add_test(tc, few_grants);
	tcase_add_test(tc, a_new_backend);
	tcase_add_test(tc, notifications_are_few);
	tcase_add_loop_test(tc, random_traffic, 1, 9);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
