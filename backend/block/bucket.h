/*
 * bucket.h - how many operations and bytes a disk may move by now: token buckets. Pure.
 *
 * Each limit is a bucket that fills at its rate; an operation starts when no bucket it draws from
 * is empty, and then takes what it costs, so that the last may leave a debt: one larger than the
 * bucket is late, not stuck. A bucket is kept as the time at which it will be full again (GCRA),
 * which needs no refilling. A limit with a burst is two buckets: one that fills at the rate and
 * holds what the burst may take beyond it, one that fills at the burst's rate and holds little.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/qos.h"

/** A bucket holds what its rate gives in this time: the grain of the limits. */
#define BUCKET_GRAIN_NS 100000000ull

struct bucket {
	uint64_t rate;    /* a second; 0: no limit */
	uint64_t room_ns; /* so far may full_at be ahead of now */
	uint64_t full_at; /* ns of the clock */
};

struct buckets {
	struct qos_limits limits;
	struct bucket steady[QOS_LIMITS], peak[QOS_LIMITS];
	bool limited; /* is there any limit? */
};

/**
 * buckets_set - have these limits from now on. What changed starts anew with full buckets, what did
 * not keeps its debt.
 */
void buckets_set(struct buckets *buckets, const struct qos_limits *limits);

/**
 * buckets_take - may an operation start now?
 * @write:  else it is a read
 * @bytes:  that it moves; 0 for one that moves none but counts as an operation
 * @now_ns: of any monotonic clock
 *
 * Return: 0, and its cost is taken; or after how many ns it is worth to ask again, and nothing is.
 */
uint64_t buckets_take(struct buckets *buckets, bool write, uint64_t bytes, uint64_t now_ns);
