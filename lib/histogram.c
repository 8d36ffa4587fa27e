#include "lib/histogram.h"

#include <stddef.h>

unsigned histogram_bucket(uint64_t value)
{
	unsigned octave, bucket;

	if (value < 4)
		return (unsigned)value;
	octave = 63u - (unsigned)__builtin_clzll(value);
	bucket = (octave - 1) * 4 + (unsigned)(value >> (octave - 2) & 3);
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

uint64_t histogram_floor(unsigned bucket)
{
	if (bucket < 4)
		return bucket;
	return (uint64_t)(4 + bucket % 4) << (bucket / 4 - 1);
}

static uint64_t load(const uint64_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static void bump(uint64_t *at, uint64_t by)
{
	__atomic_store_n(at, load(at) + by, __ATOMIC_RELAXED);
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	bump(&histogram->sum, value);
	bump(&histogram->count[histogram_bucket(value)], 1);
}

void histogram_copy(struct histogram *copy, const struct histogram *shared)
{
	copy->sum = load(&shared->sum);
	for (size_t n = 0; n < HISTOGRAM_BUCKETS; n++)
		copy->count[n] = load(&shared->count[n]);
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
	histogram->sum += other->sum;
	for (size_t n = 0; n < HISTOGRAM_BUCKETS; n++)
		histogram->count[n] += other->count[n];
}

uint64_t histogram_total(const struct histogram *histogram)
{
	uint64_t total = 0;

	for (size_t n = 0; n < HISTOGRAM_BUCKETS; n++)
		total += histogram->count[n];
	return total;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned permille)
{
	uint64_t total = histogram_total(histogram), seen = 0;
	uint64_t rank = (uint64_t)(((unsigned __int128)total * permille + 999) / 1000);

	if (!total)
		return 0;
	if (!rank)
		rank = 1;
	for (unsigned n = 0; n < HISTOGRAM_BUCKETS - 1; n++) {
		seen += histogram->count[n];
		if (seen >= rank)
			return (histogram_floor(n) + histogram_floor(n + 1)) / 2;
	}
	return histogram_floor(HISTOGRAM_BUCKETS - 1);
}
