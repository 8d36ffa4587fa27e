/*
 * observer.h - tells subscribers what happens to domains, and to the backend that serves them.
 */
#pragma once

#include <event2/event.h>

#include "toolstack/toolstack.h"
#include "toolstack/xsplitd/agenda.h"

struct observer;

/** observer_open - Return: 0 or a negative errno, which is logged; xsplitd does without then. */
int observer_open(struct observer **observer, struct toolstack *ts, struct event_base *base);

/** observer_close - NULL is nothing. */
void observer_close(struct observer *observer);

/**
 * observer_look - what has changed since the last time?
 * @list: all of Xen's, ascending
 * @agenda: the names of those that are not on it are taken to be as before; the backend is on it
 * with all
 */
void observer_look(struct observer *observer, const struct xen_domain *list, size_t count,
		   const struct agenda *agenda);

/** observer_say - an event that is about none of them, or one's work. @domid: 0 for none */
void observer_say(struct observer *observer, const char *event, uint16_t domid, const char *what);
