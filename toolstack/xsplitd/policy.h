/*
 * policy.h - what becomes of a domain that ended.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/config/domain_config.h"

/** A domain that ends sooner than this after its start did so "quickly". */
#define POLICY_QUICK_SECONDS 10
/** After so many quick ends in a row it is not started again. */
#define POLICY_QUICK_MAX     3

struct ending {
	bool gone;       /* Xen has no such domain any more */
	unsigned reason; /* SHUTDOWN_*, when not gone */
	uint64_t lived;  /* seconds since its start */
	unsigned quick;  /* quick ends in a row before this one */
};

enum verdict {
	VERDICT_DESTROY,
	VERDICT_RESTART,
	VERDICT_RENAME_RESTART, /* keep it under another name, and start another like it */
	VERDICT_PRESERVE,
	VERDICT_SOFT_RESET, /* let it go on, with new interfaces to Xen */
	VERDICT_GIVE_UP,    /* it should be restarted, but ends again and again: destroy it */
};

/**
 * policy_decide - the config's on_... of the reason.
 * @quick: set with VERDICT_RESTART: quick ends in a row with this one
 *
 * What was destroyed from outside is only cleaned up after. A suspended domain is kept: somebody
 * saves it.
 */
enum verdict policy_decide(const struct domain_config *config, const struct ending *ending,
			   unsigned *quick);

/** policy_quick - quick ends in a row, with this one. */
unsigned policy_quick(const struct ending *ending);

/** policy_dumps - is its memory to be written to a file before anything else is done? */
bool policy_dumps(const struct domain_config *config, const struct ending *ending);
