#include "backend/block/bucket.h"

#include <string.h>

#define SECOND_NS   1000000000ull
#define ROOM_MAX_NS (1ull << 62)

static uint64_t time_of(uint64_t units, uint64_t rate)
{
	return (uint64_t)((unsigned __int128)units * SECOND_NS / rate);
}

/* At the burst's rate for so long empties it; meanwhile it fills at its own. */
static uint64_t burst_room(const struct qos_limit *limit)
{
	uint64_t seconds = limit->seconds ? limit->seconds : 1;
	unsigned __int128 room =
		(unsigned __int128)(limit->burst - limit->rate) * seconds * SECOND_NS / limit->rate;

	return room > ROOM_MAX_NS ? ROOM_MAX_NS : (uint64_t)room;
}

static void set(struct buckets *buckets, int n, const struct qos_limit *limit)
{
	buckets->steady[n] = (struct bucket){limit->rate, BUCKET_GRAIN_NS, 0};
	buckets->peak[n] = (struct bucket){limit->burst, BUCKET_GRAIN_NS, 0};
	if (limit->burst && limit->rate && burst_room(limit) > BUCKET_GRAIN_NS)
		buckets->steady[n].room_ns = burst_room(limit);
}

void buckets_set(struct buckets *buckets, const struct qos_limits *limits)
{
	buckets->limited = false;
	for (int n = 0; n < QOS_LIMITS; n++) {
		if (memcmp(&buckets->limits.limit[n], &limits->limit[n],
			   sizeof(limits->limit[n])) != 0)
			set(buckets, n, &limits->limit[n]);
		buckets->limited |= limits->limit[n].rate != 0;
	}
	buckets->limits = *limits;
}

static void later(uint64_t *wait, const struct bucket *bucket, uint64_t now)
{
	uint64_t ahead = bucket->rate && bucket->full_at > now ? bucket->full_at - now : 0;

	if (ahead > bucket->room_ns && ahead - bucket->room_ns > *wait)
		*wait = ahead - bucket->room_ns;
}

static void charge(struct bucket *bucket, uint64_t units, uint64_t now)
{
	if (!bucket->rate)
		return;
	if (bucket->full_at < now)
		bucket->full_at = now;
	bucket->full_at += time_of(units, bucket->rate);
}

uint64_t buckets_take(struct buckets *buckets, bool write, uint64_t bytes, uint64_t now)
{
	const struct {
		enum qos_what what;
		uint64_t units;
	} taken[] = {
		{QOS_IOPS, 1},
		{write ? QOS_WRITE_IOPS : QOS_READ_IOPS, 1},
		{QOS_BYTES, bytes},
		{write ? QOS_WRITE_BYTES : QOS_READ_BYTES, bytes},
	};
	uint64_t wait = 0;

	for (int n = 0; n < 4; n++) {
		if (!taken[n].units)
			continue;
		later(&wait, &buckets->steady[taken[n].what], now);
		later(&wait, &buckets->peak[taken[n].what], now);
	}
	for (int n = 0; !wait && n < 4; n++) {
		charge(&buckets->steady[taken[n].what], taken[n].units, now);
		charge(&buckets->peak[taken[n].what], taken[n].units, now);
	}
	return wait;
}
