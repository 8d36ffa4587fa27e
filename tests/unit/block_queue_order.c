/* Which of a ring's requests go to the storage as one, beside others, or one after the other. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/block_queue_bench.h"
#include "tests/unit/check.h"

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

int main(void)
{
	Suite *suite = suite_create("block_queue_order");
	TCase *tc = tcase_create("block_queue_order");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, neighbours_are_one_operation, 0, 4);
	tcase_add_test(tc, a_run_of_neighbours_is_bounded);
	tcase_add_test(tc, each_of_neighbours_has_its_own_outcome);
	tcase_add_test(tc, discards_and_flushes_leave_threads_for_others);
	tcase_add_test(tc, flush_then_write);
	tcase_add_test(tc, failed_flush_writes_nothing);
	tcase_add_test(tc, barrier);
	tcase_add_test(tc, barriers_in_a_row);
	tcase_add_test(tc, barrier_with_a_bad_grant_holds_nobody);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
