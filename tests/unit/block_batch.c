/* How many answers wait for one another: guests that keep so many requests under way. */
#include "backend/block/batch.h"
#include "tests/unit/check.h"

#define ENTRIES 32

static struct batch batch;

static void set_up(void)
{
	batch_init(&batch, ENTRIES);
}

/** What the guest saw of it. */
struct seen {
	unsigned answers, batches, alone;
};

/* A guest puts a request after the other, as long as it has fewer than @depth under way; the
 * storage is done with each at once, but for @stuck that it never finishes. */
static struct seen guest(unsigned depth, unsigned stuck, unsigned requests)
{
	struct seen seen = {0};
	unsigned under_way = stuck, finished = 0;

	while (seen.answers < requests) {
		bool alone = under_way == depth + stuck;

		if (!alone) {
			under_way++;
			finished++;
		}
		if (!alone && batch_waits(&batch, finished))
			continue;
		if (!batch_waits(&batch, finished))
			alone = false;
		batch_answered(&batch, finished, alone);
		seen.alone += alone;
		seen.answers += finished;
		seen.batches++;
		under_way -= finished;
		finished = 0;
	}
	return seen;
}

static const struct {
	const char *what;
	unsigned depth, stuck, batch; /* at least so many at once in the end */
} guests[] = {
	{"one at a time", 1, 0, 1},
	{"two", 2, 0, 1},
	{"three", 3, 0, 2},
	{"sixteen", 16, 0, 8},
	{"a full ring", 32, 0, 16},
	{"one, while fifteen are stuck", 1, 15, 1},
	{"four, while the rest of the ring is stuck", 4, 28, 2},
};

START_TEST(half_of_what_is_under_way)
{
	struct seen seen;

	guest(guests[_i].depth, guests[_i].stuck, 1000);
	seen = guest(guests[_i].depth, guests[_i].stuck, 4000);
	ck_assert_msg(seen.answers / seen.batches >= guests[_i].batch, "%s: %u at once",
		      guests[_i].what, seen.answers / seen.batches);
	/* Nobody waits in vain but where it is tried. */
	ck_assert_msg(seen.alone <= 4000 / 256 + 1, "%s: %u in vain", guests[_i].what, seen.alone);
}
END_TEST

START_TEST(few_waits_in_vain_are_enough)
{
	guest(16, 0, 1000);
	ck_assert_uint_le(guest(1, 0, 200).alone, 4);
	ck_assert_uint_eq(batch.depth, 1);
}
END_TEST

START_TEST(more_is_noticed)
{
	struct seen seen;

	guest(1, 0, 100000);
	guest(16, 0, 5000);
	seen = guest(16, 0, 5000);
	ck_assert_uint_ge(seen.answers / seen.batches, 8);
}
END_TEST

START_TEST(tries_get_rare)
{
	guest(1, 0, 100000);
	ck_assert_uint_le(guest(1, 0, 8192).alone, 2);
}
END_TEST

START_TEST(a_full_ring_never_waits)
{
	for (unsigned answers = 0; answers < 10000; answers += ENTRIES) {
		ck_assert(!batch_waits(&batch, ENTRIES));
		batch_answered(&batch, ENTRIES, false);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_batch");
	TCase *tc = tcase_create("batch");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_loop_test(tc, half_of_what_is_under_way, 0, TABLE_SIZE(guests));
	tcase_add_test(tc, few_waits_in_vain_are_enough);
	tcase_add_test(tc, more_is_noticed);
	tcase_add_test(tc, tries_get_rare);
	tcase_add_test(tc, a_full_ring_never_waits);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
