#include "backend/block/ring.h"

#include <errno.h>
#include <string.h>

/* xen/io/ring.h leaves these to us; the guest runs on other processors. */
#undef xen_mb
#undef xen_wmb
#define xen_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

int ring_attach(struct blk_ring *ring, void *shared, unsigned pages, enum blk_abi abi)
{
	blkif_sring_t *sring = shared;

	ring->abi = abi;
	ring->back.sring = sring;
	ring->back.nr_ents = request_ring_entries(abi, pages);
	ring->back.rsp_prod_pvt = __atomic_load_n(&sring->rsp_prod, __ATOMIC_ACQUIRE);
	ring->back.req_cons = ring->back.rsp_prod_pvt;
	return ring_requests(ring) < 0 ? -EPROTO : 0;
}

int ring_resume(struct blk_ring *ring, uint32_t taken)
{
	ring->back.req_cons = taken;
	return ring_requests(ring) < 0 ? -EPROTO : 0;
}

int ring_requests(const struct blk_ring *ring)
{
	const blkif_back_ring_t *back = &ring->back;
	RING_IDX there = __atomic_load_n(&back->sring->req_prod, __ATOMIC_ACQUIRE) - back->req_cons;
	RING_IDX room = back->nr_ents - (back->req_cons - back->rsp_prod_pvt);

	return there > room ? -EPROTO : (int)there;
}

static uint8_t *slot_at(const struct blk_ring *ring, RING_IDX index)
{
	return (uint8_t *)ring->back.sring->ring +
	       (index & (ring->back.nr_ents - 1)) * request_slot_size(ring->abi);
}

void ring_take(struct blk_ring *ring, union blk_wire *wire)
{
	const volatile uint32_t *from =
		(const volatile uint32_t *)slot_at(ring, ring->back.req_cons);
	uint32_t copy[sizeof(struct blkif_request) / sizeof(uint32_t)];

	for (size_t i = 0; i < request_slot_size(ring->abi) / sizeof(*copy); i++)
		copy[i] = from[i];
	request_widen(copy, ring->abi, wire);
	ring->back.req_cons++;
}

void ring_answer(struct blk_ring *ring, const struct blk_request *request, int rc)
{
	uint8_t response[BLK_RESPONSE_MAX];
	size_t size = request_response(ring->abi, request, rc, response);

	memcpy(slot_at(ring, ring->back.rsp_prod_pvt), response, size);
	ring->back.rsp_prod_pvt++;
}

bool ring_push(struct blk_ring *ring)
{
	int notify;

	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&ring->back, notify);
	return notify;
}

bool ring_sleep(struct blk_ring *ring)
{
	int more;

	RING_FINAL_CHECK_FOR_REQUESTS(&ring->back, more);
	return more;
}
