/*
 * throttle.h - a backend that sends events for nothing is listened to less often (XSA-391).
 *
 * Pure. The host calls it after each run of an event's handler and keeps the event masked for
 * as long as it says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** So many events in a row may be for nothing: they happen when work is found by other means. */
#define THROTTLE_FREE   64u
/** The longest that an event stays masked. */
#define THROTTLE_MAX_MS 32u

struct throttle {
	uint32_t idle; /* events for nothing in a row */
};

/**
 * throttle_delay - how many milliseconds the event should stay masked.
 * @useful: the handler found something to do
 */
static inline uint32_t throttle_delay(struct throttle *throttle, bool useful)
{
	uint32_t over;

	if (useful) {
		throttle->idle = 0;
		return 0;
	}
	if (throttle->idle < THROTTLE_FREE + 5)
		throttle->idle++;
	if (throttle->idle <= THROTTLE_FREE)
		return 0;
	over = throttle->idle - THROTTLE_FREE;
	return over > 5 ? THROTTLE_MAX_MS : 1u << over;
}
