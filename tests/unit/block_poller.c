/* Which waits are worth looking: those for the guest and those for the storage are apart. */
#include <string.h>

#include "backend/block/poller.h"
#include "tests/unit/check.h"

#define SHORT_NS 10000u

static struct poller poller;
static struct stats_queue stats;
static unsigned looks, finds;
static bool then_busy; /* what it finds keeps the storage busy */

static void set_up(void)
{
	poller_open(&poller);
	memset(&stats, 0, sizeof(stats));
	looks = finds = 0;
	then_busy = false;
}

static bool look(void *arg)
{
	looks++;
	if (!finds)
		return false;
	finds--;
	poller.busy = then_busy;
	return true;
}

/* It slept, and work came after so long. */
static void slept(bool busy, uint64_t gap)
{
	for (unsigned n = 0; n < 32; n++) {
		poller.busy = busy;
		poller.slept = true;
		poller.since = 0;
		poller_woken(&poller, gap);
	}
}

static void run(bool busy)
{
	looks = 0;
	poller.busy = busy;
	ck_assert(!poller_run(&poller, look, NULL, &stats));
	ck_assert(poller.slept);
}

/* Storage that takes its time is no reason not to look for a guest that does not, nor the other way
 * round. */
START_TEST(each_has_its_own_gap)
{
	bool quick = _i;

	slept(quick, SHORT_NS);
	slept(!quick, 10 * poller.poll[0].limit);
	run(!quick);
	ck_assert_uint_eq(looks, 0);
	run(quick);
	ck_assert_uint_gt(looks, 0);
}
END_TEST

/* What a look finds decides what the next one is for. */
START_TEST(goes_on_for_the_other)
{
	slept(false, SHORT_NS);
	slept(true, 10 * poller.poll[0].limit);
	finds = 1;
	then_busy = true;
	run(false);
	ck_assert_uint_eq(looks, 1);
	ck_assert_uint_eq(stats.poll_found, 1);
}
END_TEST

START_TEST(turned_off)
{
	slept(false, SHORT_NS);
	slept(true, SHORT_NS);
	poller_enable(&poller, false);
	for (int busy = 0; busy < 2; busy++) {
		ck_assert(!poller_run(&poller, look, NULL, &stats));
		ck_assert_uint_eq(looks, 0);
	}
	poller_enable(&poller, true);
	run(_i);
	ck_assert_uint_gt(looks, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_poller");
	TCase *tc = tcase_create("block_poller");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_loop_test(tc, each_has_its_own_gap, 0, 2);
	tcase_add_test(tc, goes_on_for_the_other);
	tcase_add_loop_test(tc, turned_off, 0, 2);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
