#include "backend/block/line.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"

static void first_wake(struct line *line)
{
	if (line->first)
		event_active(line->first->again, EV_TIMEOUT, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	first_wake(arg);
}

int line_open(struct line *line, struct event_base *base)
{
	memset(line, 0, sizeof(*line));
	line->end = &line->first;
	line->timer = evtimer_new(base, on_timer, line);
	return line->timer ? 0 : -ENOMEM;
}

void line_close(struct line *line)
{
	if (line->timer)
		event_free(line->timer);
	line->timer = NULL;
}

void line_limit(struct line *line, const struct qos_limits *limits)
{
	buckets_set(&line->buckets, limits);
	first_wake(line);
}

static void stand(struct line *line, struct waiter *waiter)
{
	if (waiter->standing)
		return;
	waiter->standing = true;
	waiter->next = NULL;
	*line->end = waiter;
	line->end = &waiter->next;
}

void line_leave(struct line *line, struct waiter *waiter)
{
	struct waiter **link = &line->first;
	bool was_first = line->first == waiter;

	if (!waiter->standing)
		return;
	while (*link != waiter)
		link = &(*link)->next;
	*link = waiter->next;
	if (!waiter->next)
		line->end = link;
	waiter->standing = false;
	if (was_first)
		first_wake(line);
}

bool line_take(struct line *line, struct waiter *waiter, bool write, uint64_t bytes)
{
	struct timeval when;
	uint64_t wait;

	if (!line->buckets.limited && !line->first)
		return true;
	if (line->first && line->first != waiter) {
		stand(line, waiter);
		return false;
	}
	wait = buckets_take(&line->buckets, write, bytes, clock_ns());
	if (!wait) {
		line_leave(line, waiter);
		return true;
	}
	stand(line, waiter);
	wait = wait / 1000 + 1;
	when.tv_sec = (time_t)(wait / 1000000);
	when.tv_usec = (suseconds_t)(wait % 1000000);
	event_add(line->timer, &when);
	return false;
}
