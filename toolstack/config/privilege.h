/*
 * privilege.h - what of the machine a guest may use: the texts of ioports=, iomem= and irqs= of
 * xl.cfg(5).
 *
 * Pure.
 */
#pragma once

#include "toolstack/config/options.h"

/** One text's: ports, page frames or interrupts from @first on. */
struct privilege {
	uint64_t first, count;
	uint64_t guest; /* where the guest finds the frames; PRIVILEGE_SAME: at their own numbers */
};

#define PRIVILEGE_SAME UINT64_MAX

/** The options that have such texts. */
extern const enum domain_option privilege_options[];
extern const size_t privilege_option_count;

/** privilege_read - Return: 0, or -EINVAL (no such text of @option, one of the three). */
int privilege_read(enum domain_option option, const char *text, struct privilege *privilege);

/** privilege_example - a text that @option takes. */
const char *privilege_example(enum domain_option option);
