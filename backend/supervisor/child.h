/*
 * child.h - a helper process of the supervisor: ourselves, executed anew with other words.
 */
#pragma once

#include <event2/event.h>
#include <stddef.h>

/** The descriptors given to a child begin here. */
#define CHILD_FD 3

struct child;

struct child_options {
	struct event_base *base;
	const char *const *words; /* argv, ended by NULL; the first is a name only */
	const int *fds;           /* @count of them become CHILD_FD and so on; stay the caller's */
	size_t count;
	int signal; /* that ends it: SIGKILL, or SIGTERM for one that has to do it in order */
	int error;  /* its standard error, or -1 for ours; stays the caller's */
	/** It has ended, all its threads included, with this status of waitpid(2), and is reaped.
	 * child_free may be called from here. */
	void (*ended)(void *arg, int status);
	void *arg;
};

/** child_start - Return: 0 or a negative errno; *@child is freed with child_free. */
int child_start(struct child **child, const struct child_options *options);

/** child_end - by its signal; ended is called later. */
void child_end(struct child *child);

/** child_free - forget it; one that still runs is ended and reaped, and ended is not called. It is
 * killed where its signal has not ended it within half a minute. NULL is allowed. */
void child_free(struct child *child);
