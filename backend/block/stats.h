/*
 * stats.h - what a disk's queues count, in memory that supervisor and worker share.
 *
 * The supervisor makes it, the worker alone writes, the supervisor copies it when somebody asks and
 * believes nothing: it was written by who may have been taken over, so no value of it indexes or
 * sizes anything. It lives as long as the supervisor has the device, so reading it races neither
 * with a disconnect nor with the worker's death, and the numbers go on after both.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend/block/request.h"
#include "lib/histogram.h"

#define STATS_OPS 5 /* of enum blk_op */

/** A queue's. Times are nanoseconds. */
struct stats_queue {
	uint64_t requests[STATS_OPS]; /* answered, by enum blk_op */
	uint64_t bytes_read, bytes_written, bytes_discarded;
	uint64_t errors;        /* answered with an error after they had started */
	uint64_t refused;       /* answered with an error because they made no sense */
	uint64_t passes;        /* over the ring that found something */
	uint64_t merged;        /* requests that went to the storage together with another */
	uint64_t limited;       /* how often the disk's limits held a request */
	uint64_t events;        /* that came from the guest */
	uint64_t notifications; /* that went to the guest */
	uint64_t copy_calls, copy_segments;
	uint64_t kept_segments;  /* in pages that stay mapped: no call copied them */
	uint64_t poll_ns;        /* spent looking at the ring without being told to */
	uint64_t poll_found;     /* how often that found requests */
	struct histogram copy;   /* one call */
	struct histogram device; /* a request: from the storage's begin to its end */
	struct histogram total;  /* a request: from being taken off the ring to its answer */
};

/** stats_add - only the worker calls it. */
static inline void stats_add(uint64_t *at, uint64_t by)
{
	__atomic_store_n(at, __atomic_load_n(at, __ATOMIC_RELAXED) + by, __ATOMIC_RELAXED);
}

/** stats_copy - what another process writes, as it was a moment ago. */
void stats_copy(struct stats_queue *copy, const struct stats_queue *shared);

/** stats_merge - add another queue's. */
void stats_merge(struct stats_queue *stats, const struct stats_queue *other);

/** The counters by name, for those who print them. */
struct stats_counter {
	const char *name; /* "copy_calls" */
	const char *help;
	uint32_t offset; /* of the uint64_t in struct stats_queue */
};

/** All but requests and the histograms, ended by one without a name. */
extern const struct stats_counter stats_counters[];

/** stats_op_name - "read", "write", ... of an enum blk_op below STATS_OPS. */
const char *stats_op_name(unsigned op);

/** stats_counter_value - of a copy. */
uint64_t stats_counter_value(const struct stats_queue *stats, const struct stats_counter *counter);
