/* What a guest does wrong costs it an error or its ring, and nobody else anything. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/block_queue_bench.h"
#include "tests/unit/check.h"

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
	struct queue_options options = ring_options(ring);
	struct queue *queue;

	options.inflight = calloc(1, inflight_size(ring->entries));
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
	struct queue_options options = ring_options(ring);

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

int main(void)
{
	Suite *suite = suite_create("block_queue_hostile");
	TCase *tc = tcase_create("block_queue_hostile");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, hostile_producer, 0, TABLE_SIZE(overflows));
	tcase_add_test(tc, hostile_from_the_start);
	tcase_add_test(tc, taken_up_where_responses_end);
	tcase_add_test(tc, xsa_155_double_fetch);
	tcase_add_loop_test(tc, xsa_365_bad_grant, 0, 2);
	tcase_add_test(tc, bad_indirect_grant);
	tcase_add_test(tc, xsa_362_copy_fails);
	tcase_add_test(tc, xsa_71_refused_requests_leak_nothing);
	tcase_add_test(tc, xsa_392_memory_is_bounded);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
