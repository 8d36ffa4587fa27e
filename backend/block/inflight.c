#include "backend/block/inflight.h"

#include <errno.h>
#include <stdlib.h>

#define MAGIC 0x31666c69u /* "ilf1" */

_Static_assert(sizeof(struct inflight_entry) == 128, "two cache lines");
_Static_assert(sizeof(struct inflight_ring) == 64, "one cache line");

/* A kill stops a thread between two instructions, so the order of the stores is all that counts. */
static void put64(uint64_t *at, uint64_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

static void put32(uint32_t *at, uint32_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

size_t inflight_size(unsigned entries)
{
	return sizeof(struct inflight_ring) + entries * sizeof(struct inflight_entry);
}

bool inflight_is_begun(const void *memory)
{
	return ((const struct inflight_ring *)memory)->magic == MAGIC;
}

static void begin(struct inflight *inflight, uint32_t produced)
{
	struct inflight_ring *ring = inflight->shared;

	for (unsigned n = 0; n < inflight->entries; n++)
		put32(&ring->entry[n].state, INFLIGHT_FREE);
	put32(&ring->entries, inflight->entries);
	put32(&ring->stopped, 0);
	put64(&ring->taken, produced);
	put64(&ring->answered, produced);
	put64(&ring->pushing, produced);
	put32(&ring->magic, MAGIC);
}

/* Did the guest see the answers that were under way? Then they are done, else they are to be done.
 * Each loop may be stopped anywhere and run again: the deciding counts are written last. */
static int settle(struct inflight *inflight, uint32_t produced)
{
	struct inflight_ring *ring = inflight->shared;
	bool seen = produced == (uint32_t)ring->pushing;

	if (!seen && produced != (uint32_t)ring->answered)
		return -EPROTO;
	if (ring->pushing - ring->answered > inflight->entries)
		return -EPROTO;
	seen = seen && ring->pushing != ring->answered;
	for (unsigned n = 0; n < inflight->entries; n++)
		if (ring->entry[n].state == INFLIGHT_ANSWERING)
			put32(&ring->entry[n].state, seen ? INFLIGHT_FREE : INFLIGHT_TAKEN);
	if (seen)
		put64(&ring->answered, ring->pushing);
	else
		put64(&ring->pushing, ring->answered);
	return 0;
}

/* Entries beyond @taken were copied only: their requests are still in the ring. */
static int check(struct inflight *inflight)
{
	struct inflight_ring *ring = inflight->shared;
	unsigned unanswered = 0;

	for (unsigned n = 0; n < inflight->entries; n++) {
		struct inflight_entry *entry = &ring->entry[n];

		if (entry->state != INFLIGHT_TAKEN || entry->sequence >= ring->taken)
			put32(&entry->state, INFLIGHT_FREE);
		else
			unanswered++;
	}
	return ring->taken - ring->answered == unanswered ? 0 : -EPROTO;
}

int inflight_attach(struct inflight *inflight, void *memory, unsigned entries, uint32_t produced)
{
	struct inflight_ring *ring = memory;
	int rc = 0;

	*inflight = (struct inflight){.shared = ring, .entries = entries};
	if (!inflight_is_begun(ring))
		begin(inflight, produced);
	else if (ring->entries != entries)
		rc = -EPROTO;
	else
		rc = settle(inflight, produced);
	if (!rc)
		rc = check(inflight);
	inflight->next = ring->taken;
	return rc;
}

static int by_sequence(const void *left, const void *right, void *arg)
{
	const struct inflight_ring *ring = arg;
	uint64_t l = ring->entry[*(const uint16_t *)left].sequence;
	uint64_t r = ring->entry[*(const uint16_t *)right].sequence;

	return l < r ? -1 : l > r;
}

unsigned inflight_unanswered(const struct inflight *inflight, uint16_t *slots)
{
	const struct inflight_ring *ring = inflight->shared;
	unsigned count = 0;

	for (unsigned n = 0; n < inflight->entries; n++)
		if (ring->entry[n].state == INFLIGHT_TAKEN)
			slots[count++] = (uint16_t)n;
	qsort_r(slots, count, sizeof(*slots), by_sequence, (void *)ring);
	return count;
}

union blk_wire *inflight_wire(const struct inflight *inflight, unsigned slot)
{
	return &inflight->shared->entry[slot].wire;
}

union blk_wire *inflight_take(struct inflight *inflight, unsigned slot)
{
	struct inflight_entry *entry = &inflight->shared->entry[slot];

	put64(&entry->sequence, inflight->next++);
	put32(&entry->state, INFLIGHT_TAKEN);
	return &entry->wire;
}

void inflight_taken(struct inflight *inflight)
{
	put64(&inflight->shared->taken, inflight->next);
}

void inflight_answer(struct inflight *inflight, unsigned slot)
{
	put32(&inflight->shared->entry[slot].state, INFLIGHT_ANSWERING);
	inflight->slot[inflight->answering++] = (uint16_t)slot;
}

void inflight_pushing(struct inflight *inflight)
{
	struct inflight_ring *ring = inflight->shared;

	put64(&ring->pushing, ring->answered + inflight->answering);
}

void inflight_pushed(struct inflight *inflight)
{
	struct inflight_ring *ring = inflight->shared;

	while (inflight->answering)
		put32(&ring->entry[inflight->slot[--inflight->answering]].state, INFLIGHT_FREE);
	put64(&ring->answered, ring->pushing);
}

void inflight_stop(struct inflight *inflight)
{
	put32(&inflight->shared->stopped, 1);
}

uint64_t inflight_progress(const struct inflight_ring *ring, uint64_t *answered)
{
	*answered = ring->answered;
	return ring->magic == MAGIC ? ring->taken - ring->answered : 0;
}
