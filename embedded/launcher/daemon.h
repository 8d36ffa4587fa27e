/*
 * daemon.h - one of the daemons of a host, as process 1 sees it.
 */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "embedded/launcher/options.h"

struct daemon {
	const char *name; /* its program, beside ours */
	pid_t pid;        /* 0: it does not run */
	int ready;  /* descriptor on which it says that it answers; -1 when nobody waits for that */
	int status; /* of wait(2), of its last end */
	bool given_up; /* it died too often, or could not be started again */
	unsigned int starts;
	uint64_t first_ms; /* when the starts were first counted, of CLOCK_MONOTONIC */
};

/**
 * daemon_spawn - start it, in a session of its own, writing to DIR/log/NAME.
 * @told_dir: it gets --dir DIR
 * @unblocked: its signal mask
 *
 * Return: 0, or a negative errno after saying what is wrong: no such program (-ENOENT), or it
 * died too often lately (-EAGAIN).
 */
int daemon_spawn(struct daemon *daemon, const char *dir, bool told_dir, const sigset_t *unblocked);

/** daemon_ended - note its end. */
void daemon_ended(struct daemon *daemon, int status);

/** daemon_died - how it ended, in words: "signal 9", "status 1"; into @text of @size bytes. */
const char *daemon_died(const struct daemon *daemon, char *text, size_t size);

/** daemon_log_show - the last lines that it wrote, to standard error. */
void daemon_log_show(const struct daemon *daemon, const char *dir);
