/*
 * poller.h - looks at a disk's rings and storage for a while before its worker sleeps.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backend/block/poll.h"
#include "backend/block/stats.h"

struct poller {
	struct poll poll[2]; /* while the storage has nothing to do, and while it has */
	bool busy;           /* it has; set by look */
	uint64_t since;      /* when there was no work any more */
	bool slept;          /* since then */
	bool waiting;        /* something waits for what the next look finds; set by look */
	bool pauses;         /* this processor has a cheap instruction for that */
	long taken_from_us;  /* how often somebody else took our processor */
	unsigned looks;      /* so far; at some it is asked who took our processor */
};

/** poller_open - measures what a system call costs. */
void poller_open(struct poller *poller);

/** poller_enable - or never look. */
void poller_enable(struct poller *poller, bool enabled);

/** poller_woken - there is work again, at @now (CLOCK_MONOTONIC, ns), that looking did not find. */
void poller_woken(struct poller *poller, uint64_t now);

/**
 * poller_run - look for work as long as that pays, and do it.
 * @look: looks once, does what there is; whether there was any
 * @stats: what the looks cost and found is counted there
 *
 * Return: true when there was work to the end of our share of time: let others have theirs, then
 * call again; false: sleep.
 */
bool poller_run(struct poller *poller, bool (*look)(void *arg), void *arg,
		struct stats_queue *stats);
