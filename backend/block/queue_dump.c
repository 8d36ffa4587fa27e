/* What a look at a queue shows. */
#include <string.h>

#include "backend/block/queue_parts.h"

void queue_oldest(const struct queue *queue, struct queue_oldest *oldest)
{
	for (unsigned n = 0; n < queue->ring.back.nr_ents; n++) {
		const struct slot *slot = &queue->slot[n];

		if (!slot->started || (oldest->started && slot->started >= oldest->started))
			continue;
		*oldest = (struct queue_oldest){
			.started = slot->started,
			.offset = slot->request.offset,
			.length = slot->request.length,
			.operation = slot_operation(slot),
		};
	}
}

struct queue *queue_next(const struct queue *queue)
{
	return queue->next;
}

static void slots_mark(const struct queue *queue, const struct slots *slots, uint8_t *states,
		       uint8_t state)
{
	for (const struct slot *slot = slots->first; slot; slot = slot->next)
		states[slot - queue->slot] = state;
}

static uint32_t flags(const struct queue *queue)
{
	return (queue->stopped ? DUMP_STOPPED : 0u) | (queue->draining ? DUMP_DRAINING : 0u) |
	       (queue->blocked ? DUMP_BLOCKED : 0u) | (queue->waiter.standing ? DUMP_WAITING : 0u) |
	       (queue->disk->barrier == queue ? DUMP_BARRIER : 0u);
}

void queue_dump(const struct queue *queue, struct dump_queue *dump)
{
	const blkif_back_ring_t *back = &queue->ring.back;
	uint8_t states[DUMP_SLOTS];
	struct meter clock;

	meter_look(&clock);
	dump->entries = back->nr_ents;
	dump->port = queue->port;
	dump->flags = flags(queue);
	dump->req_prod = __atomic_load_n(&back->sring->req_prod, __ATOMIC_RELAXED);
	dump->req_event = __atomic_load_n(&back->sring->req_event, __ATOMIC_RELAXED);
	dump->rsp_prod = __atomic_load_n(&back->sring->rsp_prod, __ATOMIC_RELAXED);
	dump->rsp_event = __atomic_load_n(&back->sring->rsp_event, __ATOMIC_RELAXED);
	dump->req_cons = back->req_cons;
	dump->rsp_prod_pvt = back->rsp_prod_pvt;
	dump->count = 0;
	memset(states, DUMP_RUNNING, sizeof(states));
	slots_mark(queue, &queue->free, states, 0);
	slots_mark(queue, &queue->replay, states, DUMP_REPLAY);
	slots_mark(queue, &queue->pending, states, DUMP_PENDING);
	slots_mark(queue, &queue->finished, states, DUMP_FINISHED);
	for (unsigned n = 0; n < back->nr_ents && n < DUMP_SLOTS; n++) {
		const struct blk_request *request = &queue->slot[n].request;

		if (!states[n])
			continue;
		dump->slot[dump->count++] = (struct dump_slot){
			.id = request->id,
			.offset = request->offset,
			.length = request->length,
			.age_ns = clock.now - queue->slot[n].taken,
			.slot = (uint16_t)n,
			.segments = request->segments,
			.operation = request->operation,
			.state = states[n],
		};
	}
}
