/* A ring's passes for a guest in order, its limits, and what is counted. */
#include <string.h>

#include "tests/unit/block_queue_bench.h"
#include "tests/unit/check.h"

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
	tcase_add_test(tc, held_by_limits_lets_others_by);
	tcase_add_test(tc, limits_take_their_time);
	tcase_add_test(tc, held_starts_nothing);
	tcase_add_test(tc, held_while_the_disk_changes);
	tcase_add_test(tc, counts);
	tcase_add_test(tc, drains_what_runs);
	tcase_add_test(tc, drains_behind_a_barrier);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
