/* When a ring gives the guest back the pages that it keeps mapped. */
#include <time.h>

#include "backend/block/queue_parts.h"
#include "tests/unit/block_queue_bench.h"
#include "tests/unit/check.h"

#define IDLE_NS 20000000u

static struct ring *ring;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void set_up_kept(void)
{
	set_up();
	ring = &rings[1];
	ring->persistent = true;
	ring_make(ring, BLK_ABI_64, 1);
	ring->queue->copier.kept.idle_ns = IDLE_NS;
}

static void served(uint8_t operation, uint32_t gref)
{
	request(ring, operation, 1, 0, gref);
	kick(ring);
	finish_all();
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_OKAY);
}

/* The next event must be there: a timer. */
static void until_given_back(void)
{
	while (mapped)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

START_TEST(after_the_time)
{
	uint64_t first, last;

	ck_assert_uint_eq(rings[0].queue->copier.kept.idle_ns, KEPT_IDLE_NS);
	for (unsigned n = 0; n < 3; n++) {
		served(BLKIF_OP_WRITE, 3);
		for (first = last = now(); last - first < IDLE_NS / 2;)
			last = now();
		served(_i ? BLKIF_OP_READ : BLKIF_OP_WRITE, 4);
		until_given_back();
		ck_assert_uint_ge(now() - last, IDLE_NS);
	}
	ck_assert_uint_eq(copy_calls, 0);
}
END_TEST

/* However long it takes. */
START_TEST(not_while_a_request_is_under_way)
{
	unsigned kept;
	uint64_t begin;

	served(BLKIF_OP_WRITE, 4);
	request(ring, _i ? BLKIF_OP_READ : BLKIF_OP_WRITE, 1, 0, 4);
	kick(ring);
	kept = mapped;
	for (begin = now(); now() - begin < 5 * IDLE_NS;)
		turn();
	ck_assert_uint_eq(mapped, kept);
	finish_all();
	ck_assert_int_eq(response(ring, NULL), BLKIF_RSP_OKAY);
	ck_assert_uint_eq(copy_calls, 0);
	until_given_back();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_queue_kept");
	TCase *tc = tcase_create("block_queue_kept");

	tcase_add_checked_fixture(tc, set_up_kept, tear_down);
	tcase_add_loop_test(tc, after_the_time, 0, 2);
	tcase_add_loop_test(tc, not_while_a_request_is_under_way, 0, 2);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
