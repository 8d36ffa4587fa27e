#include "backend/block/stats.h"

#include <stddef.h>
#include <string.h>

#define WORDS (offsetof(struct stats_queue, copy) / sizeof(uint64_t))

static_assert(offsetof(struct stats_queue, copy) % sizeof(uint64_t) == 0, "words before it");

const struct stats_counter stats_counters[] = {
#define COUNTER(field, text)                                      \
	{                                                         \
#field, text, offsetof(struct stats_queue, field) \
	}
	COUNTER(bytes_read, "Bytes that the guest has read"),
	COUNTER(bytes_written, "Bytes that the guest has written"),
	COUNTER(bytes_discarded, "Bytes that the guest has discarded"),
	COUNTER(errors, "Requests that failed after they had started"),
	COUNTER(refused, "Requests that made no sense or had bad grants"),
	COUNTER(passes, "Passes over the ring that found something"),
	COUNTER(merged, "Requests that went to the storage together with another"),
	COUNTER(limited, "How often the limits of the disk held a request"),
	COUNTER(events, "Events from the guest"),
	COUNTER(notifications, "Events to the guest"),
	COUNTER(copy_calls, "Grant copy calls"),
	COUNTER(copy_segments, "Segments of the grant copy calls"),
	COUNTER(kept_segments, "Segments copied from or to pages that stay mapped"),
	COUNTER(poll_ns, "Nanoseconds spent polling the ring"),
	COUNTER(poll_found, "How often polling found requests"),
#undef COUNTER
	{0},
};

const char *stats_op_name(unsigned op)
{
	static const char *const names[STATS_OPS] = {
		[BLK_READ] = "read",       [BLK_WRITE] = "write",     [BLK_FLUSH] = "flush",
		[BLK_BARRIER] = "barrier", [BLK_DISCARD] = "discard",
	};

	return names[op];
}

uint64_t stats_counter_value(const struct stats_queue *stats, const struct stats_counter *counter)
{
	return *(const uint64_t *)((const char *)stats + counter->offset);
}

void stats_copy(struct stats_queue *copy, const struct stats_queue *shared)
{
	for (size_t n = 0; n < WORDS; n++)
		((uint64_t *)copy)[n] =
			__atomic_load_n((const uint64_t *)shared + n, __ATOMIC_RELAXED);
	histogram_copy(&copy->copy, &shared->copy);
	histogram_copy(&copy->device, &shared->device);
	histogram_copy(&copy->total, &shared->total);
}

void stats_merge(struct stats_queue *stats, const struct stats_queue *other)
{
	for (size_t n = 0; n < WORDS; n++)
		((uint64_t *)stats)[n] += ((const uint64_t *)other)[n];
	histogram_merge(&stats->copy, &other->copy);
	histogram_merge(&stats->device, &other->device);
	histogram_merge(&stats->total, &other->total);
}
