/*
 * rate.h - how many bytes a guest may send by now: "rate" in the vif's directory, as libxl writes
 * it. Pure.
 *
 * So many bytes in each interval, of all queues of a vif together. Kept as the time at which
 * nothing is owed any more, which needs no refilling: a packet may go while that is less than an
 * interval ahead, and one larger than what is left leaves a debt. So none is held for ever.
 */
#pragma once

#include <stdint.h>

/** Zeroed: no limit. */
struct net_rate {
	uint64_t bytes, interval_ns;
	uint64_t paid_ns; /* of the clock: when nothing is owed */
};

/**
 * net_rate_parse - from "BYTES,MICROSECONDS"; a 0 is no limit.
 * Return: 0, or -EINVAL and *@rate is untouched.
 */
int net_rate_parse(const char *text, struct net_rate *rate);

/** net_rate_wait - may a packet go? Return: 0, or after how many ns. @now: of any monotonic clock
 */
uint64_t net_rate_wait(const struct net_rate *rate, uint64_t now);

/** net_rate_take - a packet of @length bytes goes. */
void net_rate_take(struct net_rate *rate, uint64_t length, uint64_t now);
