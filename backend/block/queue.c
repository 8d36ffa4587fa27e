#include <errno.h>
#include <stdlib.h>

#include "backend/block/queue_parts.h"

static int engine_open(struct queue *queue, const struct queue_options *from)
{
	struct engine_options options = {
		.base = queue->dev->worker->base,
		.depth = queue->ring.back.nr_ents,
		.memory = queue->pool.memory,
		.memory_size = POOL_PAGES * BLK_PAGE_SIZE,
		.batch = queue_on_batch,
		.arg = queue,
	};

	struct engine *inner = NULL;
	int rc;

	if (from->remote)
		rc = engine_open_nbd(&inner, from->remote, &options);
	else if (from->fd < 0)
		rc = engine_open_null(&inner, &options);
	else
		rc = engine_open_file(&inner, from->fd, &options);
	if (!rc && from->sectors)
		rc = engine_open_sectors(&inner, from->sectors, inner, &options);
	if (!rc)
		rc = engine_open_inject(&inner, &queue->disk->inject, inner, &options);
	if (!rc)
		queue->engine = inner;
	return rc;
}

/* What the log says is unanswered goes to its slots, the other slots are free. */
static void slots_resume(struct queue *queue)
{
	uint16_t order[INFLIGHT_ENTRIES_MAX];
	unsigned count = inflight_unanswered(&queue->inflight, order);

	for (unsigned i = 0; i < count; i++) {
		struct slot *slot = &queue->slot[order[i]];

		slot->replayed = true;
		/* Until it is parsed it may be anything. */
		slot->request.op = BLK_WRITE;
		slot->request.length = UINT64_MAX;
		slots_append(&queue->replay, slot);
	}
	queue->disk->replayed += count;
	for (unsigned i = 0; i < queue->ring.back.nr_ents; i++)
		if (!queue->slot[i].replayed)
			slots_append(&queue->free, &queue->slot[i]);
}

static int rings_open(struct queue *queue, const struct queue_options *options)
{
	struct blk_ring *ring = &queue->ring;
	struct inflight *inflight = &queue->inflight;
	int rc = ring_attach(ring, options->ring, options->pages, options->abi);

	queue->resumed = inflight_is_begun(options->inflight);
	if (rc && !queue->resumed)
		return rc;
	rc = inflight_attach(inflight, options->inflight, ring->back.nr_ents,
			     ring->back.rsp_prod_pvt);
	if (!rc)
		rc = ring_resume(ring, (uint32_t)inflight->next);
	if (inflight->shared->stopped)
		queue->stopped = true;
	else if (rc)
		queue_ring_stop(queue);
	else
		slots_resume(queue);
	return 0;
}

int queue_open(struct queue **result, const struct queue_options *options)
{
	unsigned entries = request_ring_entries(options->abi, options->pages);
	struct worker *worker = options->dev->worker;
	struct queue *queue = calloc(1, sizeof(*queue) + entries * sizeof(queue->slot[0]));
	int rc = -ENOMEM;

	if (!queue)
		return rc;
	queue->dev = options->dev;
	queue->disk = options->disk;
	queue->meter.stats = options->stats;
	copier_init(&queue->copier, worker->gnttab, worker->domid, options->persistent);
	slots_init(&queue->free);
	slots_init(&queue->replay);
	slots_init(&queue->pending);
	slots_init(&queue->finished);
	batch_init(&queue->batch, entries);
	for (unsigned i = 0; i < entries; i++)
		queue->slot[i].queue = queue;
	rc = rings_open(queue, options);
	if (rc)
		goto fail;
	rc = -ENOMEM;
	queue->again = event_new(worker->base, -1, 0, queue_on_again, queue);
	queue->idle = evtimer_new(worker->base, queue_on_idle, queue);
	if (!queue->again || !queue->idle)
		goto fail;
	queue->waiter.again = queue->again;
	rc = pool_open(&queue->pool);
	if (!rc)
		rc = engine_open(queue, options);
	if (rc)
		goto fail;
	queue->next = queue->disk->queues;
	queue->disk->queues = queue;
	*result = queue;
	return 0;

fail:
	queue_close(queue);
	return rc;
}

void queue_bound(struct queue *queue, evtchn_port_t port)
{
	queue->port = port;
	queue->bound = true;
	if (!queue->resumed)
		return;
	events_notify(queue->dev->worker->events, port);
	event_active(queue->again, EV_TIMEOUT, 0);
}

void queue_keep(struct queue *queue, bool persistent)
{
	queue->copier.kept.enabled = persistent;
	if (!persistent)
		kept_forget(&queue->copier.kept);
}

void queue_drain(struct queue *queue)
{
	struct slot *slot;

	queue->draining = true;
	line_leave(&queue->disk->line, &queue->waiter);
	while ((slot = slots_take(&queue->pending)))
		slots_append(&queue->free, slot);
}

void queue_close(struct queue *queue)
{
	for (struct queue **link = &queue->disk->queues; *link; link = &(*link)->next)
		if (*link == queue) {
			*link = queue->next;
			break;
		}
	line_leave(&queue->disk->line, &queue->waiter);
	engine_close(queue->engine);
	if (queue->again)
		event_free(queue->again);
	if (queue->idle)
		event_free(queue->idle);
	copier_close(&queue->copier);
	pool_close(&queue->pool);
	free(queue);
}
