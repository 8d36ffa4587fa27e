/* When a worker looks for work instead of sleeping: a story a test, told in microseconds. */
#include "backend/block/poll.h"
#include "tests/unit/check.h"

#define US 1000ull

static struct poll poll;

static void set_up(void)
{
	poll_init(&poll, 1 * US); /* so a look of 100 us at most */
}

static void busy(uint64_t gap)
{
	for (int n = 0; n < 30; n++)
		poll_woken(&poll, gap);
}

static const struct {
	const char *what;
	uint64_t call, limit;
} limits[] = {
	{"a fast processor", 100, POLL_LIMIT_MIN},
	{"a slow one", 1 * US, 100 * US},
	{"an emulated one", 100 * US, POLL_LIMIT_MAX},
};

START_TEST(limit_follows_what_a_call_costs)
{
	poll_init(&poll, limits[_i].call);
	ck_assert_msg(poll.limit == limits[_i].limit, "%s", limits[_i].what);
}
END_TEST

START_TEST(sleeps_until_work_comes_often)
{
	ck_assert_uint_eq(poll_window(&poll, 0), 0);
	busy(20 * US);
	ck_assert_uint_ge(poll_window(&poll, 0), 20 * US);
	ck_assert_uint_le(poll_window(&poll, 0), 100 * US);
	busy(500 * US);
	ck_assert_uint_eq(poll_window(&poll, 0), 0);
}
END_TEST

START_TEST(one_long_gap_is_soon_forgotten)
{
	busy(5 * US);
	poll_woken(&poll, 1000000 * US);
	for (int n = 0; n < 3; n++)
		poll_woken(&poll, 5 * US);
	ck_assert_uint_gt(poll_window(&poll, 0), 0);
}
END_TEST

/* Our waking is in the gap: without it looking would be worth it. */
START_TEST(one_of_several_sleeps_is_tried_without)
{
	unsigned tries = 0;

	for (int n = 0; n < 64; n++) {
		poll_woken(&poll, 250 * US);
		tries += poll_window(&poll, 0) > 0;
	}
	ck_assert_uint_ge(tries, 1);
	ck_assert_uint_le(tries, 4);
	poll_found(&poll, 80 * US);
	ck_assert_uint_ge(poll_window(&poll, 0), 80 * US);
}
END_TEST

/* As on the only processor: the guest cannot ask while we look, and does so at once when we sleep.
 */
static unsigned looks_within(uint64_t time)
{
	unsigned looks = 0;

	for (uint64_t now = 0; now < time;) {
		uint64_t window = poll_window(&poll, now);

		now += window + 5 * US;
		if (window) {
			looks++;
			poll_failed(&poll, now);
		}
		poll_woken(&poll, window + 5 * US);
	}
	return looks;
}

START_TEST(looking_in_vain_ends)
{
	busy(5 * US);
	/* A second, in which there were room for ten thousand looks. */
	ck_assert_uint_le(looks_within(1000000 * US), 8 * 8);
	ck_assert_uint_gt(looks_within(10000000 * US), 0);
}
END_TEST

START_TEST(finding_forgives_failures)
{
	busy(5 * US);
	for (int n = 0; n < 100; n++) {
		for (int i = 0; i < 7; i++)
			poll_failed(&poll, 0);
		poll_found(&poll, 5 * US);
	}
	ck_assert_uint_gt(poll_window(&poll, 0), 0);
}
END_TEST

START_TEST(whoever_wants_the_processor_gets_it)
{
	uint64_t now = 0, pause, before = 0;

	busy(5 * US);
	for (int n = 0; n < 10; n++) {
		poll_wanted(&poll, now);
		ck_assert_uint_eq(poll_window(&poll, now), 0);
		pause = poll.until - now;
		ck_assert_uint_ge(pause, before);
		ck_assert_uint_le(pause, 1000000 * US);
		before = pause;
		now = poll.until;
		ck_assert_uint_gt(poll_window(&poll, now), 0);
	}
	ck_assert_uint_eq(before, 1000000 * US);
	for (int n = 0; n < 1000; n++)
		poll_found(&poll, 5 * US);
	poll_wanted(&poll, now);
	ck_assert_uint_lt(poll.until - now, 100000 * US);
}
END_TEST

START_TEST(never_when_it_is_off)
{
	busy(5 * US);
	poll.enabled = false;
	ck_assert_uint_eq(poll_window(&poll, 0), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_poll");
	TCase *tc = tcase_create("poll");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_loop_test(tc, limit_follows_what_a_call_costs, 0, TABLE_SIZE(limits));
	tcase_add_test(tc, sleeps_until_work_comes_often);
	tcase_add_test(tc, one_long_gap_is_soon_forgotten);
	tcase_add_test(tc, one_of_several_sleeps_is_tried_without);
	tcase_add_test(tc, looking_in_vain_ends);
	tcase_add_test(tc, finding_forgives_failures);
	tcase_add_test(tc, whoever_wants_the_processor_gets_it);
	tcase_add_test(tc, never_when_it_is_off);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
