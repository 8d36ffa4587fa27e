#include "backend/block/poller.h"

#include <inttypes.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/log.h"

/* To know who took our processor costs system calls, so it is known of one in so many looks: an odd
 * number, as those for the guest and those for the storage take turns. */
#define KNOWN 17

/* Looks between two looks at the clock, which can be a system call. */
#define LOOKS 32

/* How many of the longest looks may follow one another before others have their turn; and when
 * something waits. */
#define SHARE         4
#define SHARE_WAITING 16

/* So many are timed. An emulated processor leaves its loop for each, and stops others meanwhile. */
#define RELAXES   64
#define RELAX_MAX (RELAXES * 100u)

static uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Has the kernel given our processor to somebody else since the last time? */
static bool taken_from_us(struct poller *poller)
{
	struct rusage usage;
	bool taken;

	if (getrusage(RUSAGE_THREAD, &usage))
		return false;
	taken = usage.ru_nivcsw != poller->taken_from_us;
	poller->taken_from_us = usage.ru_nivcsw;
	return taken;
}

static void relax_of(struct poller *poller)
{
	(void)poller;
	for (int n = 0; n < RELAXES; n++)
		relax();
}

static void call_of(struct poller *poller)
{
	(void)taken_from_us(poller);
}

/* What it costs when nobody disturbs it. */
static uint64_t cost(struct poller *poller, void (*what)(struct poller *poller))
{
	uint64_t least = UINT64_MAX;

	for (int n = 0; n < 16; n++) {
		uint64_t begin = clock_now(), took;

		what(poller);
		took = clock_now() - begin;
		if (took < least)
			least = took;
	}
	return least;
}

void poller_open(struct poller *poller)
{
	*poller = (struct poller){.since = clock_now()};
	poll_init(&poller->poll[0], cost(poller, call_of));
	poller->poll[1] = poller->poll[0];
	poller->pauses = cost(poller, relax_of) <= RELAX_MAX;
	log_debug("looks for work for %" PRIu64 " ns at most, %s pauses", poller->poll[0].limit,
		  poller->pauses ? "with" : "without");
}

void poller_enable(struct poller *poller, bool enabled)
{
	poller->poll[0].enabled = poller->poll[1].enabled = enabled;
}

void poller_woken(struct poller *poller, uint64_t now)
{
	if (poller->slept && now > poller->since)
		poll_woken(&poller->poll[poller->busy], now - poller->since);
	poller->slept = false;
}

/*
 * Look until there is work or the window is over. @taken: did somebody else get our processor
 * meanwhile? What our own work gave it to at first, like the kernel's threads that finish our I/O,
 * does not count.
 */
static bool look_for(struct poller *poller, uint64_t until, bool (*look)(void *arg), void *arg,
		     bool *taken)
{
	bool first = true, found = false, known = poller->looks++ % KNOWN == 0;

	*taken = false;
	do {
		for (int n = 0; n < LOOKS && !found; n++) {
			found = look(arg);
			if (poller->pauses && !found)
				relax();
		}
		if (first && found)
			return true;
		if (first && known)
			(void)taken_from_us(poller);
		first = false;
	} while (!found && clock_now() < until);
	*taken = known && taken_from_us(poller);
	return found;
}

bool poller_run(struct poller *poller, bool (*look)(void *arg), void *arg,
		struct stats_queue *stats)
{
	struct poll *poll = &poller->poll[poller->busy];
	uint64_t begin, now, window;

	if (!poll->enabled)
		return false;
	poller->since = begin = now = clock_now();
	for (; (window = poll_window(poll, now)); poll = &poller->poll[poller->busy]) {
		bool found, taken;

		if (poller->waiting)
			window = poll->limit;
		found = look_for(poller, now + window, look, arg, &taken);
		now = clock_now();
		stats_add(&stats->poll_ns, now - poller->since);
		if (taken) {
			poll_wanted(&poller->poll[0], now);
			poll_wanted(&poller->poll[1], now);
		} else if (!found) {
			poll_failed(poll, now);
		}
		if (!found)
			break;
		stats_add(&stats->poll_found, 1);
		poll_found(poll, now - poller->since);
		poller->since = now;
		if (now - begin > (poller->waiting ? SHARE_WAITING : SHARE) * poll->limit)
			return true;
	}
	poller->slept = true;
	return false;
}
