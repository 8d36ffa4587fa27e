/*
 * metrics.h - the backend's numbers for Prometheus: HTTP on $XSPLIT_RUNDIR/metrics.sock, for root
 * alone: curl --unix-socket /run/xsplit/metrics.sock http://localhost/metrics
 */
#pragma once

#include <event2/event.h>

#include "backend/supervisor/registry.h"

struct metrics;

/** metrics_open - bind the socket and serve. Return: 0 or a negative errno. */
int metrics_open(struct metrics **metrics, struct event_base *base, struct registry *registry);

/** metrics_close - end that; NULL is allowed. */
void metrics_close(struct metrics *metrics);
