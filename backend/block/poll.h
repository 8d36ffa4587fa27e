/*
 * poll.h - how long to look for work before sleeping. Pure: it is told what time it is.
 *
 * To sleep and be woken costs a dozen system calls, so looking at shared memory for as long as a
 * few sleeps would take is worth it where work comes soon: after gaps that were short lately, at
 * most @limit. A gap that we slept in has our waking in it; so where gaps are somewhat longer, one
 * in sixteen looks tells how long they are without. It stops when looking has found nothing several
 * times, as it is when the guest needs the processor that we look with, and when somebody else took
 * the processor meanwhile; then it is tried again after a pause that doubles.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** All times are nanoseconds of one monotonic clock. */
struct poll {
	bool enabled;
	uint64_t limit;  /* of one look */
	uint64_t gap;    /* between two pieces of work: a moving mean */
	uint64_t until;  /* no looks before */
	uint64_t pause;  /* how long the next pause will be */
	unsigned failed; /* looks in a row that found nothing */
	unsigned sleeps; /* that work ended */
};

/** The limits of struct poll's limit. */
#define POLL_LIMIT_MIN 50000u
#define POLL_LIMIT_MAX 2000000u

/** poll_init - enabled. @call: what a cheap system call costs here; the limit follows from it. */
void poll_init(struct poll *poll, uint64_t call);

/** poll_window - how long to look from @now on; 0: sleep at once. */
uint64_t poll_window(const struct poll *poll, uint64_t now);

/** poll_found - a look found work after @gap without. */
void poll_found(struct poll *poll, uint64_t gap);

/** poll_woken - work came after @gap without, part of which we slept. */
void poll_woken(struct poll *poll, uint64_t gap);

/** poll_failed - a look that ended at @now found nothing. */
void poll_failed(struct poll *poll, uint64_t now);

/** poll_wanted - somebody else wanted the processor while we looked. */
void poll_wanted(struct poll *poll, uint64_t now);
