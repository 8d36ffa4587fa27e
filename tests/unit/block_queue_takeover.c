/* A worker that takes over the rings of one that was killed. */

#include "tests/unit/block_queue_bench.h"
#include "tests/unit/check.h"

/* The worker is killed in the middle of everything, and another opens the ring anew. */
static void another_worker(struct ring *ring)
{
	struct queue_options options = ring_options(ring);

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

/* The other ring's new requests neither keep the replay from going on nor run beside it. */
START_TEST(careful_with_two_rings)
{
	struct ring *ring = &rings[0], *other = &rings[1];
	struct queue_options options;

	ring_make(other, BLK_ABI_64, 1);
	for (unsigned n = 0; n < 2; n++)
		request(ring, BLKIF_OP_WRITE, n, 8ull * n, n);
	kick(ring);
	queue_close(ring->queue);
	disk.running = disk.replayed = 0;
	disk.careful = true;
	op_count = 0;
	options = ring_options(ring);
	ck_assert_int_eq(queue_open(&ring->queue, &options), 0);
	request(other, BLKIF_OP_READ, 9, 800, 9);
	kick(other);
	queue_bound(ring->queue, PORT);
	turn();
	for (unsigned n = 0; n < 3; n++) {
		ck_assert_uint_eq(op_count, n + 1);
		ck_assert_uint_eq(ops[n].offset, n < 2 ? 4096ull * n : 800 * 512);
		finish_one(&ops[n], 0);
		ops[n].engine->batch(ops[n].engine->arg);
		turn();
	}
	ck_assert_uint_eq(responses(ring), 2);
	ck_assert_uint_eq(responses(other), 1);
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
	Suite *suite = suite_create("block_queue_takeover");
	TCase *tc = tcase_create("block_queue_takeover");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, replays_what_is_unanswered);
	tcase_add_test(tc, holds_writes_that_overlap_a_replayed_one);
	tcase_add_test(tc, replays_one_by_one_when_careful);
	tcase_add_test(tc, careful_with_two_rings);
	tcase_add_test(tc, stays_stopped);
	tcase_add_test(tc, nonsense_while_nobody_looked);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
