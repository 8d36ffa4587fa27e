/*
 * line.h - the queues of a disk standing in line for what its limits allow.
 *
 * A queue that finds a bucket empty goes to the end of the line; who is first takes what one
 * operation costs, and goes to the end again if it wants more. So queues share the disk's limits
 * evenly, whatever their depth. Without limits nobody stands there.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend/block/bucket.h"

/** A queue's place; zeroed, then again is set. */
struct waiter {
	struct waiter *next;
	bool standing;
	struct event *again; /* made active when it is worth to ask again; the queue's */
};

/** A disk's. */
struct line {
	struct buckets buckets;
	struct waiter *first, **end;
	struct event *timer;
};

/** line_open - without limits. Return: 0 or -ENOMEM. */
int line_open(struct line *line, struct event_base *base);

/** line_close - nobody may stand in it; idempotent on a zeroed one. */
void line_close(struct line *line);

/** line_limit - other limits from now on. */
void line_limit(struct line *line, const struct qos_limits *limits);

/**
 * line_take - may an operation of this queue start now? Arguments of buckets_take.
 * Return: true and its cost is taken; or false, and waiter->again comes when it is worth to ask
 * again. Who does not want to ask any more has to line_leave.
 */
bool line_take(struct line *line, struct waiter *waiter, bool write, uint64_t bytes);

/** line_leave - want nothing any more; also when it does not stand there. */
void line_leave(struct line *line, struct waiter *waiter);
