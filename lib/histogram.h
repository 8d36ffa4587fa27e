/*
 * histogram.h - how often values of which size came: log-linear buckets. Pure.
 *
 * Four buckets an octave, so a value is known to an eighth of itself; 160 of them reach 2^41
 * (nanoseconds: 36 minutes), the last takes what is larger. One writes, others may read at the same
 * time and see each number as it was a moment ago.
 */
#pragma once

#include <stdint.h>

#define HISTOGRAM_BUCKETS 160u

struct histogram {
	uint64_t sum; /* of the values */
	uint64_t count[HISTOGRAM_BUCKETS];
};

/** histogram_bucket - the bucket of a value, below HISTOGRAM_BUCKETS. */
unsigned histogram_bucket(uint64_t value);

/** histogram_floor - the smallest value of a bucket. */
uint64_t histogram_floor(unsigned bucket);

/** histogram_add - one more value. */
void histogram_add(struct histogram *histogram, uint64_t value);

/** histogram_copy - read what another process writes. */
void histogram_copy(struct histogram *copy, const struct histogram *shared);

/** histogram_merge - add another's values. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);

/** histogram_total - how many values. */
uint64_t histogram_total(const struct histogram *histogram);

/**
 * histogram_quantile - the value that @permille of 1000 are not above; 0 when there is none.
 * Return: the middle of its bucket.
 */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned permille);
