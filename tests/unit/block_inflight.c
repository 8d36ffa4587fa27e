/*
 * The in-flight log, killed before every store that it makes.
 *
 * The log and the ring lie in pages that cannot be written: each store faults, what memory looks
 * like right before it is kept (that is what a kill there leaves), and the store alone is let
 * through, a machine instruction at a time. Each of these moments then has to give every request
 * exactly one answer: it was answered, or it is unanswered in the log, or it is still in the ring.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/unit/block_inflight_bench.h"
#include "tests/unit/check.h"

#define MOMENTS 20000u

/* ---- moments ---- */

static uint8_t (*moment)[ALL];
static RING_IDX seen_at[MOMENTS];
static unsigned moments;

static void keep(void)
{
	ck_assert_uint_lt(moments, MOMENTS);
	memcpy(moment[moments], live, ALL);
	seen_at[moments++] = guest.seen;
}

#if defined(__x86_64__)

#define TRAP_FLAG 0x100

static void on_store(int signal, siginfo_t *info, void *context)
{
	ucontext_t *registers = context;
	uint8_t *at = info->si_addr;

	if (at < live || at >= live + ALL) {
		struct sigaction none = {.sa_handler = SIG_DFL};

		sigaction(SIGSEGV, &none, NULL);
		return;
	}
	keep();
	mprotect(live, ALL, PROT_READ | PROT_WRITE);
	registers->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_stored(int signal, siginfo_t *info, void *context)
{
	ucontext_t *registers = context;

	mprotect(live, ALL, PROT_READ);
	registers->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static void watch(bool on)
{
	struct sigaction store = {.sa_sigaction = on_store, .sa_flags = SA_SIGINFO};
	struct sigaction stored = {.sa_sigaction = on_stored, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &store, NULL);
	sigaction(SIGTRAP, &stored, NULL);
	mprotect(live, ALL, on ? PROT_READ : PROT_READ | PROT_WRITE);
}

#else /* the trap is this machine's: elsewhere only whole steps are looked at */

static void watch(bool on)
{
	keep();
}

#endif

static void set_up(void)
{
	bench_set_up();
	moment = calloc(MOMENTS, sizeof(*moment));
	moments = 0;
}

static void tear_down(void)
{
	bench_tear_down();
	free(moment);
}

/* ---- what a moment must be good for ---- */

static void count_one(unsigned *times, uint64_t id)
{
	ck_assert_uint_lt(id, REQUESTS);
	times[id]++;
}

/* @memory is the copy of a moment, and is used up; @seen answers the guest had seen before. */
static void moment_check(uint8_t *memory, RING_IDX seen, const char *when)
{
	static unsigned times[REQUESTS];
	struct hand hand;
	RING_IDX out = sring(memory)->rsp_prod - base;

	memset(times, 0, sizeof(times));
	for (RING_IDX n = 0; n < seen; n++)
		count_one(times, guest.answer[n]);
	for (RING_IDX index = seen; index != out; index++) {
		blkif_response_t response;

		memcpy(&response, slot_of(memory, base + index), sizeof(response));
		count_one(times, response.id);
	}
	ck_assert_msg(!hand_take_up(&hand, memory), "%s: not taken up", when);
	for (unsigned n = 0; n < hand.busies; n++) {
		const struct inflight_entry *entry = &hand.inflight.shared->entry[hand.busy[n]];

		count_one(times, entry->wire.direct.id);
		/* Its own request, and the log in the ring's order. */
		ck_assert_uint_eq((RING_IDX)entry->sequence - base, entry->wire.direct.id);
		ck_assert(!n || entry[0].sequence >
					hand.inflight.shared->entry[hand.busy[n - 1]].sequence);
	}
	for (RING_IDX index = hand.ring.back.req_cons; index != sring(memory)->req_prod; index++) {
		blkif_request_t request;

		memcpy(&request, slot_of(memory, index), sizeof(request));
		count_one(times, request.id);
	}
	for (RING_IDX id = 0; id < sring(memory)->req_prod - base; id++)
		ck_assert_msg(times[id] == 1, "%s: request %u is there %u times", when, id,
			      times[id]);
}

static void moments_check(const char *when)
{
	static uint8_t copy[ALL];

	for (unsigned n = 0; n < moments; n++) {
		memcpy(copy, moment[n], ALL);
		moment_check(copy, seen_at[n], when);
	}
}

/* A life of a ring: posts, takes and answers of any number, in any order. */
static void live_on(struct hand *hand, unsigned steps)
{
	while (steps--) {
		watch(false);
		guest_see();
		guest_post((unsigned)random() % 40);
		watch(true);
		if (random() % 4)
			hand_take(hand);
		if (random() % 4 && hand->busies)
			hand_answer(hand, 1 + (unsigned)random() % 12);
	}
	watch(false);
}

START_TEST(killed_anywhere)
{
	static const RING_IDX bases[] = {0, UINT32_MAX - 40, 0x80000000u - 40};
	struct hand hand;

	srandom((unsigned)_i);
	base = bases[_i % 3];
	sring(live)->req_prod = sring(live)->rsp_prod = base;
	watch(true);
	ck_assert_int_eq(hand_take_up(&hand, live), 0);
	live_on(&hand, 20);
	ck_assert_uint_gt(moments, 60);
	moments_check("killed");
}
END_TEST

/* And whoever takes it up is killed in turn, before each of its stores. */
START_TEST(killed_while_taking_up)
{
	struct hand hand;
	unsigned lives;
	uint8_t(*first)[ALL];

	srandom((unsigned)_i);
	ck_assert_int_eq(hand_take_up(&hand, live), 0);
	live_on(&hand, 5);
	lives = moments;
	first = calloc(lives, sizeof(*first));
	memcpy(first, moment, lives * sizeof(*first));
	for (unsigned n = 0; n < lives; n++) {
		struct hand next;

		moments = lives;
		memcpy(live, first[n], ALL);
		watch(true);
		ck_assert_int_eq(hand_take_up(&next, live), 0);
		watch(false);
		for (unsigned m = lives; m < moments; m++)
			moment_check(moment[m], seen_at[n], "killed twice");
	}
	free(first);
}
END_TEST

/* Kills at random moments of a long life, each time taken up from what was left: every request is
 * answered once, in the end. */
START_TEST(many_lives)
{
	struct hand hand;

	srandom((unsigned)_i);
	ck_assert_int_eq(hand_take_up(&hand, live), 0);
	for (int round = 0; round < 100; round++) {
		guest_see();
		guest_post((unsigned)random() % 12);
		moments = 0;
		watch(true);
		hand_take(&hand);
		hand_answer(&hand, (unsigned)random() % 12);
		watch(false);
		memcpy(live, moment[(unsigned)random() % moments], ALL);
		ck_assert_int_eq(hand_take_up(&hand, live), 0);
	}
	while (hand.busies || ring_requests(&hand.ring)) {
		hand_take(&hand);
		hand_answer(&hand, ENTRIES);
	}
	guest_see();
	moment_check(live, guest.seen, "in the end");
	ck_assert_uint_eq(guest.seen, guest.posted);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("block_inflight");
	TCase *kills = tcase_create("kills");

	tcase_set_timeout(kills, 120);
	tcase_add_checked_fixture(kills, set_up, tear_down);
	tcase_add_loop_test(kills, killed_anywhere, 0, 6);
	tcase_add_loop_test(kills, killed_while_taking_up, 0, 3);
	tcase_add_loop_test(kills, many_lives, 0, 3);
	suite_add_tcase(s, kills);
	return check_main(s);
}
