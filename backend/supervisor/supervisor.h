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

/**
 * supervisor_main - serve until SIGTERM or SIGINT.
 * Return: the process's exit status: 0 after a signal, 1 when XenStore is not there or goes away.
 */
int supervisor_main(const struct supervisor_options *options);
