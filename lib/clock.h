/*
 * clock.h - the time that only goes forward (CLOCK_MONOTONIC of clock_gettime(2)), as one number.
 */
#pragma once

#include <stdint.h>
#include <time.h>

/** clock_ns - nanoseconds since the machine's start, its sleep left out. */
static inline int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/** clock_ms - the same in milliseconds, rounded down. */
static inline int64_t clock_ms(void)
{
	return clock_ns() / 1000000;
}
