/*
 * fault.h - what went wrong, in the words that the user reads.
 *
 * A negative errno tells the caller what to do; the fault tells the user which object it was,
 * what is wrong with it and what to do, in one line. The deepest function that knows writes it.
 */
#pragma once

#include <stddef.h>

struct fault {
	char text[1024]; /* "" until something went wrong */
};

/**
 * fault_set - write the one line, cut at its room; control bytes become '?'.
 * Return: @rc, so that an error path reads "return fault_set(fault, -EINVAL, ...)".
 */
int fault_set(struct fault *fault, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** fault_memory - the line for a failed allocation. Return: -ENOMEM. */
int fault_memory(struct fault *fault);
