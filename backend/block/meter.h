/*
 * meter.h - a queue's clock and what it counts with it.
 *
 * Reading the clock costs as much as the rest of the counting, so it is read once for what happens
 * together: at the begin of a pass, after each copy call, and at the first of a batch of operations
 * that finish.
 */
#pragma once

#include <time.h>

#include "backend/block/stats.h"

struct meter {
	struct stats_queue *stats;
	uint64_t now; /* ns of CLOCK_MONOTONIC, as of the last look */
	bool fresh;   /* looked at since the pass before */
};

static inline void meter_look(struct meter *meter)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	meter->now = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/** meter_pass - a pass begins. */
static inline void meter_pass(struct meter *meter)
{
	if (!meter->fresh)
		meter_look(meter);
	meter->fresh = false;
}

/** meter_copied - copy calls that began at the last look are done. */
static inline void meter_copied(struct meter *meter, uint64_t calls, uint64_t segments)
{
	uint64_t begin = meter->now;

	meter_look(meter);
	stats_add(&meter->stats->copy_calls, calls);
	stats_add(&meter->stats->copy_segments, segments);
	histogram_add(&meter->stats->copy, meter->now - begin);
}

/** meter_finished - the storage is done with a request that it was given at @started. */
static inline void meter_finished(struct meter *meter, uint64_t started)
{
	if (!meter->fresh)
		meter_look(meter);
	meter->fresh = true;
	histogram_add(&meter->stats->device, meter->now - started);
}

/**
 * meter_answered - a request is about to be answered.
 * @taken:   when it was taken off the ring
 * @started: when the storage got it; 0 if it never did
 */
static inline void meter_answered(struct meter *meter, const struct blk_request *request, int rc,
				  uint64_t taken, uint64_t started)
{
	struct stats_queue *stats = meter->stats;

	if (rc) {
		stats_add(started ? &stats->errors : &stats->refused, 1);
		return;
	}
	stats_add(&stats->requests[request->op], 1);
	stats_add(request->op == BLK_READ      ? &stats->bytes_read
		  : request->op == BLK_DISCARD ? &stats->bytes_discarded
					       : &stats->bytes_written,
		  request->length);
	histogram_add(&stats->total, meter->now - taken);
}
