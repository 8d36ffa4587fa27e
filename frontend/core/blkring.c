#include "frontend/core/blkring.h"

#include "frontend/core/limbo.h"

#define SECTORS_PER_PAGE (WIRE_PAGE_SIZE / WIRE_SECTOR_SIZE)
#define ID_INDEX_BITS    16

int blkring_make(struct blkring *ring, struct platform *platform, uint16_t domid, uint32_t order)
{
	uint32_t pages = 1u << order;
	struct blkif_sring *shared;
	int rc;

	rc = limbo_share(platform, domid, pages, false, &ring->area);
	if (rc)
		return rc;
	shared = (struct blkif_sring *)(void *)ring->area->data;
	XEN_FRONT_RING_INIT(&ring->ring, shared, (size_t)pages * WIRE_PAGE_SIZE);
	ring->queued = 0;
	return 0;
}

void blkring_drop(struct blkring *ring, struct platform *platform)
{
	limbo_drop(platform, &ring->area);
	memset(&ring->ring, 0, sizeof(ring->ring));
	ring->queued = 0;
}

uint32_t blkring_entries(const struct blkring *ring)
{
	return RING_SIZE(&ring->ring);
}

static uint64_t slot_id(const struct blkring *ring, const struct blkslot *slot)
{
	return (uint64_t)slot->generation << ID_INDEX_BITS | (uint64_t)(slot - ring->slot);
}

/* Our pages are our own from the first byte, so only the last segment can be short. */
static struct blkif_request_segment segment_make(const struct blkpool *pool,
						 const struct blkslot *slot, uint32_t i)
{
	uint64_t left = slot->sectors - (uint64_t)i * SECTORS_PER_PAGE;

	return (struct blkif_request_segment){
		.gref = pool->data->gref[slot->page[i]],
		.last_sect = (uint8_t)((left < SECTORS_PER_PAGE ? left : SECTORS_PER_PAGE) - 1),
	};
}

static void indirect_make(const struct blkring *ring, const struct blkpool *pool,
			  const struct blkslot *slot, struct blkif_request_indirect *wire)
{
	struct blkif_request_segment *list =
		(void *)(pool->list->data + (size_t)slot->list * WIRE_PAGE_SIZE);

	for (uint32_t i = 0; i < slot->pages; i++)
		list[i] = segment_make(pool, slot, i);
	wire->operation = BLKIF_OP_INDIRECT;
	wire->indirect_op = slot->operation;
	wire->nr_segments = slot->pages;
	wire->id = slot_id(ring, slot);
	wire->sector_number = slot->sector;
	wire->handle = ring->handle;
	wire->indirect_grefs[0] = pool->list->gref[slot->list];
}

static void direct_make(const struct blkring *ring, const struct blkpool *pool,
			const struct blkslot *slot, struct blkif_request *wire)
{
	wire->operation = slot->operation;
	wire->nr_segments = (uint8_t)slot->pages;
	wire->handle = ring->handle;
	wire->id = slot_id(ring, slot);
	wire->sector_number = slot->sector;
	for (uint32_t i = 0; i < slot->pages; i++)
		wire->seg[i] = segment_make(pool, slot, i);
}

static void discard_make(const struct blkring *ring, const struct blkslot *slot,
			 struct blkif_request_discard *wire)
{
	wire->operation = BLKIF_OP_DISCARD;
	wire->handle = ring->handle;
	wire->id = slot_id(ring, slot);
	wire->sector_number = slot->sector;
	wire->nr_sectors = slot->sectors;
}

void blkring_put(struct blkring *ring, const struct blkpool *pool, struct blkslot *slot)
{
	struct blkif_request *wire = RING_GET_REQUEST(&ring->ring, ring->ring.req_prod_pvt);

	memset(wire, 0, sizeof(*wire));
	if (slot->list_used)
		indirect_make(ring, pool, slot, (void *)wire);
	else if (slot->operation == BLKIF_OP_DISCARD)
		discard_make(ring, slot, (void *)wire);
	else
		direct_make(ring, pool, slot, wire);
	slot->state = BLKSLOT_QUEUED;
	ring->queued++;
	ring->ring.req_prod_pvt++;
}

bool blkring_push(struct blkring *ring)
{
	bool notify;

	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&ring->ring, notify);
	return notify;
}

static int status_errno(int16_t status)
{
	switch (status) {
	case BLKIF_RSP_OKAY:
		return 0;
	case BLKIF_RSP_EOPNOTSUPP:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

/* The header says the operation is copied from the request; Linux copies an indirect
 * request's inner one. */
static bool operation_fits(const struct blkslot *slot, uint8_t operation)
{
	return operation == slot->operation || (slot->list_used && operation == BLKIF_OP_INDIRECT);
}

static int response_check(struct blkring *ring, const struct blkif_response *response,
			  struct blkslot **slot)
{
	uint64_t index = response->id & ((1u << ID_INDEX_BITS) - 1);
	struct blkslot *found;

	if (index >= BLK_SLOTS)
		return -ENOENT;
	found = &ring->slot[index];
	if (found->state != BLKSLOT_QUEUED || response->id != slot_id(ring, found))
		return -ENOENT;
	if (!operation_fits(found, response->operation))
		return -EPROTO;
	*slot = found;
	return 0;
}

int blkring_take(struct blkring *ring, struct blkslot **slot)
{
	struct blkif_front_ring *front = &ring->ring;
	struct blkif_response response;
	RING_IDX produced = __atomic_load_n(&front->sring->rsp_prod, __ATOMIC_ACQUIRE);
	int rc;

	if (produced == front->rsp_cons)
		return 0;
	if (produced - front->rsp_cons > front->req_prod_pvt - front->rsp_cons)
		return -EOVERFLOW;

	RING_COPY_RESPONSE(front, front->rsp_cons, &response);
	rc = response_check(ring, &response, slot);
	if (rc)
		return rc;
	front->rsp_cons++;
	ring->queued--;
	(*slot)->state = BLKSLOT_DONE;
	(*slot)->status = status_errno(response.status);
	return 1;
}

bool blkring_listen(struct blkring *ring)
{
	int more;

	RING_FINAL_CHECK_FOR_RESPONSES(&ring->ring, more);
	return more;
}

const char *blkring_error(int error)
{
	switch (error) {
	case -EOVERFLOW:
		return "the backend answered more requests than there were";
	case -ENOENT:
		return "the backend answered a request that is not outstanding";
	default:
		return "the backend answered with another operation than was asked";
	}
}
