/* blkfront against a backend that lies. */

#include "tests/unit/check.h"
#include "tests/unit/front_blk_bench.h"

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

int main(void)
{
	Suite *suite = suite_create("front_blk_hostile");
	TCase *tc = tcase_create("front_blk_hostile");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, hostile_responses, 0, TABLE_SIZE(lies));
	tcase_add_loop_test(tc, absurd_properties, 0, TABLE_SIZE(properties));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
