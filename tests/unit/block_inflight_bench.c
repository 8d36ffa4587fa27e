#include "tests/unit/block_inflight_bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/check.h"

_Static_assert(sizeof(struct inflight_ring) + ENTRIES * sizeof(struct inflight_entry) <= LOG, "");

struct inflight_guest guest;
uint8_t *live;
RING_IDX base;

void bench_set_up(void)
{
	live = mmap(NULL, ALL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(&guest, 0, sizeof(guest));
	base = 0;
}

void bench_tear_down(void)
{
	munmap(live, ALL);
}

blkif_sring_t *sring(uint8_t *memory)
{
	return (blkif_sring_t *)memory;
}

/* ---- the worker ---- */

int hand_take_up(struct hand *hand, uint8_t *memory)
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

void hand_take(struct hand *hand)
{
	int there = ring_requests(&hand->ring);

	for (; there > 0; there--) {
		uint16_t slot = hand->free[--hand->frees];

		ring_take(&hand->ring, inflight_take(&hand->inflight, slot));
		hand->busy[hand->busies++] = slot;
	}
	inflight_taken(&hand->inflight);
}

void hand_answer(struct hand *hand, unsigned count)
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

uint8_t *slot_of(uint8_t *memory, RING_IDX index)
{
	return memory + offsetof(blkif_sring_t, ring) + index % ENTRIES * 112ul;
}

void guest_post(unsigned count)
{
	for (; count && guest.posted - guest.seen < ENTRIES; count--) {
		blkif_request_t request = {.id = guest.posted};

		memcpy(slot_of(live, base + guest.posted++), &request, sizeof(request));
	}
	sring(live)->req_prod = base + guest.posted;
}

void guest_see(void)
{
	for (; base + guest.seen != sring(live)->rsp_prod; guest.seen++) {
		blkif_response_t response;

		memcpy(&response, slot_of(live, base + guest.seen), sizeof(response));
		ck_assert_uint_lt(guest.seen, REQUESTS);
		guest.answer[guest.seen] = response.id;
	}
}
