#include "backend/block/poller.h"

#include <sys/resource.h>
#include <time.h>

/* Looks between two looks at the clock, which can be a system call. */
#define LOOKS 32

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

void poller_open(struct poller *poller)
{
	uint64_t least = UINT64_MAX;

	*poller = (struct poller){.since = clock_now()};
	for (int n = 0; n < 16; n++) {
		uint64_t begin = clock_now(), took;

		(void)taken_from_us(poller);
		took = clock_now() - begin;
		if (took < least)
			least = took;
	}
	poll_init(&poller->poll, least);
}

void poller_woken(struct poller *poller, uint64_t now)
{
	if (poller->slept && now > poller->since)
		poll_woken(&poller->poll, now - poller->since);
	poller->slept = false;
}

/* Look until there is work or the window is over. */
static bool look_for(uint64_t until, bool (*look)(void *arg), void *arg)
{
	do {
		for (int n = 0; n < LOOKS; n++) {
			if (look(arg))
				return true;
			relax();
		}
	} while (clock_now() < until);
	return false;
}

bool poller_run(struct poller *poller, bool (*look)(void *arg), void *arg,
		struct stats_queue *stats)
{
	struct poll *poll = &poller->poll;
	uint64_t begin, now, window;

	if (!poll->enabled)
		return false;
	poller->since = begin = now = clock_now();
	while ((window = poll_window(poll, now))) {
		bool found = look_for(now + window, look, arg);

		now = clock_now();
		stats_add(&stats->poll_ns, now - poller->since);
		if (!found || now - begin > poll->limit) {
			if (taken_from_us(poller))
				poll_wanted(poll, now);
			else if (!found)
				poll_failed(poll, now);
		}
		if (!found)
			break;
		stats_add(&stats->poll_found, 1);
		poll_found(poll, now - poller->since);
		poller->since = now;
		if (now - begin > poll->limit)
			return true;
	}
	poller->slept = true;
	return false;
}
