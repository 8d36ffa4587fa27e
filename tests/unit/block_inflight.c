/*
 * The in-flight log, killed before every store that it makes.
 *
 * The log and the ring lie in pages that cannot be written: each store faults, what memory looks
 * like right before it is kept (that is what a kill there leaves), and the store alone is let
 * through, a machine instruction at a time. Each of these moments then has to give every request
 * exactly one answer: it was answered, or it is unanswered in the log, or it is still in the ring.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "backend/block/inflight.h"
#include "backend/block/ring.h"
#include "tests/unit/check.h"

#define ENTRIES  32u
#define RING     4096u
#define LOG      8192u /* inflight_size(ENTRIES) and some */
#define ALL      (RING + LOG)
#define MOMENTS  20000u
#define REQUESTS 4096u

_Static_assert(sizeof(struct inflight_ring) + ENTRIES * sizeof(struct inflight_entry) <= LOG, "");

/* What the guest knows besides its ring; its ids are the numbers of its requests. */
static struct {
	RING_IDX posted, seen;
	uint64_t answer[REQUESTS]; /* the ids, as the answers came */
} guest;

static uint8_t *live; /* the ring, then the log */
static RING_IDX base; /* index of request 0 */

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
	live = mmap(NULL, ALL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moment = calloc(MOMENTS, sizeof(*moment));
	moments = 0;
	memset(&guest, 0, sizeof(guest));
	base = 0;
}

static void tear_down(void)
{
	munmap(live, ALL);
	free(moment);
}

static blkif_sring_t *sring(uint8_t *memory)
{
	return (blkif_sring_t *)memory;
}

/* ---- a worker: what queue.c does around a log ---- */

struct hand {
	struct blk_ring ring;
	struct inflight inflight;
	uint16_t free[ENTRIES], busy[ENTRIES];
	unsigned frees, busies;
};

static int hand_take_up(struct hand *hand, uint8_t *memory)
{
	bool used[ENTRIES] = {false};
	int rc;

	memset(hand, 0, sizeof(*hand));
	ck_assert_int_eq(ring_attach(&hand->ring, memory, 1, BLK_ABI_64), 0);
	rc = inflight_attach(&hand->inflight, memory + RING, ENTRIES, hand->ring.back.rsp_prod_pvt);
	if (!rc)
		rc = ring_resume(&hand->ring, (uint32_t)hand->inflight.next);
	if (rc)
		return rc;
	hand->busies = inflight_unanswered(&hand->inflight, hand->busy);
	for (unsigned n = 0; n < hand->busies; n++)
		used[hand->busy[n]] = true;
	for (uint16_t n = 0; n < ENTRIES; n++)
		if (!used[n])
			hand->free[hand->frees++] = n;
	return 0;
}

static void hand_take(struct hand *hand)
{
	int there = ring_requests(&hand->ring);

	for (; there > 0; there--) {
		uint16_t slot = hand->free[--hand->frees];

		ring_take(&hand->ring, inflight_take(&hand->inflight, slot));
		hand->busy[hand->busies++] = slot;
	}
	inflight_taken(&hand->inflight);
}

/* Answer some, in any order. */
static void hand_answer(struct hand *hand, unsigned count)
{
	for (; count && hand->busies; count--) {
		unsigned n = (unsigned)random() % hand->busies;
		uint16_t slot = hand->busy[n];
		struct blk_request request = {
			.id = inflight_wire(&hand->inflight, slot)->direct.id};

		memmove(&hand->busy[n], &hand->busy[n + 1],
			(--hand->busies - n) * sizeof(hand->busy[0]));
		hand->free[hand->frees++] = slot;
		inflight_answer(&hand->inflight, slot);
		ring_answer(&hand->ring, &request, 0);
	}
	inflight_pushing(&hand->inflight);
	(void)ring_push(&hand->ring);
	inflight_pushed(&hand->inflight);
}

/* ---- the guest ---- */

static uint8_t *slot_of(uint8_t *memory, RING_IDX index)
{
	return memory + offsetof(blkif_sring_t, ring) + index % ENTRIES * 112ul;
}

static void guest_post(unsigned count)
{
	for (; count && guest.posted - guest.seen < ENTRIES; count--) {
		blkif_request_t request = {.id = guest.posted};

		memcpy(slot_of(live, base + guest.posted++), &request, sizeof(request));
	}
	sring(live)->req_prod = base + guest.posted;
}

static void guest_see(void)
{
	for (; base + guest.seen != sring(live)->rsp_prod; guest.seen++) {
		blkif_response_t response;

		memcpy(&response, slot_of(live, base + guest.seen), sizeof(response));
		ck_assert_uint_lt(guest.seen, REQUESTS);
		guest.answer[guest.seen] = response.id;
	}
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

/* ---- what a hostile guest, or a worker that it had taken over, may have left ---- */

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
	Suite *s = suite_create("block_inflight");
	TCase *kills = tcase_create("kills"), *hostile = tcase_create("hostile");

	tcase_set_timeout(kills, 120);
	tcase_add_checked_fixture(kills, set_up, tear_down);
	tcase_add_loop_test(kills, killed_anywhere, 0, 6);
	tcase_add_loop_test(kills, killed_while_taking_up, 0, 3);
	tcase_add_loop_test(kills, many_lives, 0, 3);
	suite_add_tcase(s, kills);
	tcase_add_checked_fixture(hostile, set_up, tear_down);
	tcase_add_loop_test(hostile, nonsense, 0, TABLE_SIZE(spoils));
	suite_add_tcase(s, hostile);
	return check_main(s);
}
