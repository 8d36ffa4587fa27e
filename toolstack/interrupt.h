/*
 * interrupt.h - SIGINT, SIGTERM and SIGHUP as something to look at between two steps.
 *
 * An operation that makes things holds the signals back and asks after each step, so that it
 * can undo what it made; one that undoes does not ask.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

struct interrupt {
	int fd; /* readable when a signal came; -1: signals are not held back */
	sigset_t before;
};

#define INTERRUPT_NONE     \
	(struct interrupt) \
	{                  \
		.fd = -1   \
	}

/** interrupt_hold - hold the signals back. Return: 0 or a negative errno. */
int interrupt_hold(struct interrupt *interrupt);

/** interrupt_came - did one come since? It is kept. */
bool interrupt_came(const struct interrupt *interrupt);

/** interrupt_release - let the signals be as they were; what came meanwhile is forgotten. */
void interrupt_release(struct interrupt *interrupt);
