/*
 * helper.h - work that blocks, in a process of its own: it can be ended at any moment, and it tells
 * how far it is.
 *
 * libxc saves and restores without ever looking up, so a signal could not interrupt it otherwise.
 */
#pragma once

#include <stdint.h>

#include "toolstack/toolstack.h"

/** What goes with work in both processes. */
struct helper {
	const char *what;   /* "Saving guest", in front of the progress */
	unsigned stage;     /* the last of helper_stage(), also after a helper that was ended */
	uint64_t result[2]; /* of helper_result() */
	int fd;             /* in the helper: to the parent */
	int64_t shown;      /* when progress was told last, ms */
	enum progress_shown progress; /* toolstack.progress of who waits */
};

/**
 * helper_run - run @work in another process and wait for its end.
 * @work: gets a toolstack of its own; what it changes in memory is lost, but for the helper's
 *        stage and result
 *
 * On a terminal the progress is shown on standard error, or as ts->progress says. When a signal
 * comes (ts->interrupt) the process is killed.
 *
 * Return: what @work returned, with its fault; -EINTR when it was killed.
 */
int helper_run(struct toolstack *ts, struct helper *helper,
	       int (*work)(struct toolstack *ts, struct helper *helper, void *arg,
			   struct fault *fault),
	       void *arg, struct fault *fault);

/** In the helper: say how far the work is, what it gives. */
void helper_stage(struct helper *helper, unsigned stage);
void helper_result(struct helper *helper, unsigned index, uint64_t value);

/** helper_progress - a xen_progress; @arg is the helper. */
void helper_progress(const char *doing, unsigned long done, unsigned long total, void *arg);
