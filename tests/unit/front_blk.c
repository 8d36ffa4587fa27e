/* blkfront against an honest backend in the same process. */
#include <stdlib.h>
#include <string.h>

#include "frontend/core/limbo.h"
#include "tests/unit/check.h"
#include "tests/unit/front_blk_bench.h"

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

/* A read of any node fails so often, before the backend has said what it takes or after. */
static const struct {
	const char *what, *node;
	unsigned failures;
	int failure;
	bool connects;
} failures[] = {
	{"how large a ring", "max-ring-page-order", 1, -EIO, true},
	{"how large it is", "sectors", 1, -EIO, true},
	{"whether it flushes", "feature-flush-cache", 1, -EIO, true},
	{"no memory is no answer either", "feature-flush-cache", 1, -ENOMEM, true},
	{"whether it is read-only", "info", 3, -EIO, true},
	{"its state", "state", 3, -EIO, true},
	{"for ever", "feature-flush-cache", 1000, -EIO, false},
	{"for ever, the ring's", "max-ring-page-order", 1000, -EIO, false},
};

START_TEST(a_store_that_fails_for_a_moment)
{
	const struct blkinfo *info;

	bench_open();
	back_put("info", "4");
	bench.fake.failing = failures[_i].node;
	bench.fake.failures = failures[_i].failures;
	bench.fake.failure = failures[_i].failure;
	back_state("2");
	back_state("4");
	info = blkfront_info(bench.front);
	ck_assert_msg(!info == !failures[_i].connects, "%s", failures[_i].what);
	if (info) {
		ck_assert_msg(info->can_flush && info->read_only, "%s", failures[_i].what);
		ck_assert_uint_eq(fake_number(&bench.fake, FRONT "/ring-page-order"), 2);
	}
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
	back_put("sectors", "8192");
	bench.fake.failing = "sectors";
	bench.fake.failures = 1;
	bench.fake.failure = -EIO;
	back_state("4");
	ck_assert_msg(blkfront_info(bench.front)->size == 4 * DISK_SIZE,
		      "nobody tells a second time that it grew");
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

static void back_serve_one(void)
{
	struct blkif_request request = back_request();

	back_serve(&request);
}

/* An event is asked for by rsp_event, which the backend compares with what it shows. */
START_TEST(who_looks_is_not_interrupted)
{
	struct blkslot *slot;

	bench_connect();
	ck_assert(!blkfront_look(bench.front));
	for (unsigned i = 1; i <= 3; i++) {
		slot = start(BLK_READ, 0, 512, NULL);
		ck_assert(!blkfront_look(bench.front));
		back_serve_one();
		ck_assert(blkfront_look(bench.front));
		ck_assert_uint_eq(bench.completed, i);
		ck_assert_uint_eq(bench.shared->rsp_event, 1);
		blkfront_end(bench.front, slot);
	}
	start(BLK_READ, 0, 512, NULL);
	start(BLK_READ, 0, 512, NULL);
	back_serve_one();
	blkfront_listen(bench.front);
	ck_assert_uint_eq(bench.completed, 4);
	ck_assert_uint_eq(bench.shared->rsp_event, 5);
	back_serve_one();
	ck_assert(fake_fire(&bench.fake, bench.port));
	ck_assert_uint_eq(bench.completed, 5);
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
		else if (fake_random(4) == 0)
			blkfront_look(bench.front);
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
	tcase_add_loop_test(tc, ring_sizes, 0, TABLE_SIZE(orders));
	tcase_add_loop_test(tc, request_bounds, 0, TABLE_SIZE(requests));
	tcase_add_test(tc, what_is_not_offered);
	tcase_add_loop_test(tc, a_store_that_fails_for_a_moment, 0, TABLE_SIZE(failures));
	tcase_add_test(tc, the_disk_grows);
	tcase_add_test(tc, room);
	tcase_add_test(tc, few_grants);
	tcase_add_test(tc, a_new_backend);
	tcase_add_test(tc, notifications_are_few);
	tcase_add_test(tc, who_looks_is_not_interrupted);
	tcase_add_loop_test(tc, random_traffic, 1, 9);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
