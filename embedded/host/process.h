/*
 * process.h - the program of a process guest, and everything that it starts.
 *
 * It runs below bin/xsplit-embedded-init, which is process 1 of a process namespace: killing that
 * one leaves no process of the guest, whatever they did. A NULL process does nothing and does not
 * run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "embedded/host/domain.h"

/**
 * process_create - the program of a domain, which has none that runs.
 * @text: @count strings with their NULs, @length bytes in all: an absolute path, arguments
 *
 * Return: 0, -EBUSY (it runs), -EINVAL (@text is not of that form), -ENOMEM.
 */
int process_create(struct domain *domain, const char *text, size_t length, size_t count);

/** process_free - kill it, and forget it. Its remains are reaped by process 1 of the host. */
void process_free(struct process *process);

/**
 * process_run - start it, or let it go on.
 * domain_ended() is called when it ends. Return: 0 or a negative errno.
 */
int process_run(struct process *process);

/** process_pause - stop all its processes before returning. */
void process_pause(struct process *process);

/** process_kill - kill all its processes; domain_ended() follows. */
void process_kill(struct process *process);

/** process_runs - was it started, and has not ended? Paused, it runs. */
bool process_runs(const struct process *process);
