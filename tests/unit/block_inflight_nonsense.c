/* An in-flight log and its ring as a hostile guest, or a worker that it had taken over, may leave
 * them. */
#include <errno.h>

#include "tests/unit/block_inflight_bench.h"
#include "tests/unit/check.h"

static void spoil_produced(struct inflight_ring *log)
{
	sring(live)->rsp_prod += 1;
}

static void spoil_back(struct inflight_ring *log)
{
	sring(live)->rsp_prod -= 1;
}

static void spoil_requests(struct inflight_ring *log)
{
	sring(live)->req_prod = sring(live)->rsp_prod + ENTRIES + 1;
}

static void spoil_requests_back(struct inflight_ring *log)
{
	sring(live)->req_prod = sring(live)->rsp_prod;
}

static void spoil_entries(struct inflight_ring *log)
{
	log->entries *= 2;
}

static void spoil_taken(struct inflight_ring *log)
{
	log->taken += 5;
}

static void spoil_pushing(struct inflight_ring *log)
{
	log->pushing += 1ull << 32;
}

static void spoil_answered(struct inflight_ring *log)
{
	log->answered -= 1ull << 32;
	log->pushing -= 1ull << 32;
}

static void spoil_states(struct inflight_ring *log)
{
	for (unsigned n = 0; n < ENTRIES; n++)
		log->entry[n].state = 0xdeadbeef;
}

static void spoil_all_taken(struct inflight_ring *log)
{
	for (unsigned n = 0; n < ENTRIES; n++)
		log->entry[n].state = INFLIGHT_TAKEN;
}

static const struct {
	const char *what;
	void (*spoil)(struct inflight_ring *log);
} spoils[] = {
	{"rsp_prod ahead of the answers", spoil_produced},
	{"rsp_prod taken back", spoil_back},
	{"more requests than the ring has", spoil_requests},
	{"requests taken back that were taken", spoil_requests_back},
	{"another size", spoil_entries},
	{"more taken than there are", spoil_taken},
	{"answers around the ring's indices", spoil_pushing},
	{"requests around the ring's indices", spoil_answered},
	{"entries in no state", spoil_states},
	{"every entry in use", spoil_all_taken},
};

START_TEST(nonsense)
{
	struct inflight_ring *log = (struct inflight_ring *)(live + RING);
	struct hand hand;

	ck_assert_int_eq(hand_take_up(&hand, live), 0);
	guest_post(10);
	hand_take(&hand);
	hand_answer(&hand, 4);
	spoils[_i].spoil(log);
	/* An index that the guest spoilt may be seen by the ring already. */
	if (ring_attach(&hand.ring, live, 1, BLK_ABI_64))
		return;
	ck_assert_msg(hand_take_up(&hand, live) == -EPROTO, "%s", spoils[_i].what);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("block_inflight_nonsense");
	TCase *hostile = tcase_create("hostile");

	tcase_add_checked_fixture(hostile, bench_set_up, bench_tear_down);
	tcase_add_loop_test(hostile, nonsense, 0, TABLE_SIZE(spoils));
	suite_add_tcase(s, hostile);
	return check_main(s);
}
