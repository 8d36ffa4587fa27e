#include "backend/block/stall.h"

#include <errno.h>
#include <inttypes.h>

#include "backend/block/meter.h"
#include "backend/block/queue.h"

#define SECOND_NS 1000000000ull

static void recovered(struct stall *stall)
{
	if (stall->told)
		worker_recovered(stall->dev, "its storage answers again");
	stall->told = false;
}

static void arm(struct stall *stall)
{
	/* Once it is said, it is to be taken back soon. */
	uint64_t ms = stall->told ? 500 : stall->limit_s * 1000ull / 8;
	struct timeval after = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

	stall->armed = !event_add(stall->timer, &after);
}

static void look(struct stall *stall)
{
	struct queue_oldest oldest = {0};
	struct meter clock;

	for (struct queue *queue = stall->disk->queues; queue; queue = queue_next(queue))
		queue_oldest(queue, &oldest);
	meter_look(&clock);
	if (!oldest.started || clock.now - oldest.started < stall->limit_s * SECOND_NS) {
		recovered(stall);
		return;
	}
	if (stall->told)
		return;
	stall->told = true;
	worker_trouble(stall->dev, -ETIMEDOUT,
		       "its storage has not answered for %" PRIu32 " s (%s of %" PRIu64
		       " bytes at %" PRIu64 "); requests wait for it, look after the storage",
		       stall->limit_s, oldest.operation, oldest.length, oldest.offset);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct stall *stall = arg;

	stall->armed = false;
	look(stall);
	if (stall->disk->running)
		stall_watch(stall);
}

int stall_open(struct stall *stall, struct worker_device *dev, struct blk_disk *disk)
{
	*stall = (struct stall){.dev = dev, .disk = disk};
	stall->timer = event_new(dev->worker->base, -1, 0, on_timer, stall);
	return stall->timer ? 0 : -ENOMEM;
}

void stall_limit(struct stall *stall, uint32_t seconds)
{
	if (stall->limit_s == seconds)
		return;
	stall->limit_s = seconds;
	recovered(stall);
	if (stall->armed)
		event_del(stall->timer);
	stall->armed = false;
	if (stall->disk->running)
		stall_watch(stall);
}

void stall_watch(struct stall *stall)
{
	if (stall->limit_s && !stall->armed)
		arm(stall);
}

void stall_close(struct stall *stall)
{
	if (stall->timer)
		event_free(stall->timer);
	*stall = (struct stall){0};
}
