/*
 * feed.h - those who want to hear what happens, at $XSPLIT_RUNDIR/events.sock.
 *
 * A line of JSON for each event. What a subscriber sends is thrown away; one that does not read
 * is let go when FEED_BACKLOG bytes wait for it.
 */
#pragma once

#include <event2/event.h>
#include <stddef.h>

#define FEED_SOCKET      "events.sock"
#define FEED_BACKLOG     65536
#define FEED_SUBSCRIBERS 64

struct feed;
struct subscriber;

/**
 * feed_open - listen.
 * @greet: called for each who comes; may feed_tell() them
 * Return: 0 or a negative errno, which is logged.
 */
int feed_open(struct feed **feed, struct event_base *base,
	      void (*greet)(void *arg, struct subscriber *subscriber), void *arg);

/** feed_close - NULL is nothing. */
void feed_close(struct feed *feed);

/** feed_tell - one line to one of them, feed_say - to all. @line: without newline */
void feed_tell(struct subscriber *subscriber, const char *line, size_t length);
void feed_say(struct feed *feed, const char *line, size_t length);
