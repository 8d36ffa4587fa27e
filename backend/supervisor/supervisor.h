/*
 * supervisor.h - the root half of the backend: watches XenStore, opens what devices need, and keeps
 * one worker process a guest.
 */
#pragma once

#include <stdbool.h>

struct supervisor_options {
	int ready_fd;     /* see lib/ready.h; -1: none */
	const char *user; /* for the workers; NULL: the default */
	bool sandboxed;
};

/** See supervisor_main. */
#define SUPERVISOR_RELOAD (-1)

/**
 * supervisor_main - serve until SIGTERM or SIGINT, which close all devices, or SIGHUP, which leaves
 * them as they are to another supervisor.
 *
 * Return: the process's exit status: 0 after a signal, 1 when XenStore is not there or goes away;
 * or SUPERVISOR_RELOAD: all is let go, and the program is to be executed anew.
 */
int supervisor_main(const struct supervisor_options *options);
