/*
 * reap.h - carry out, for one domain, what its end asks for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "toolstack/toolstack.h"

enum reap_need {
	REAP_NOTHING,
	REAP_NOW,
	REAP_LATER, /* somebody works on it: look again when that process has ended */
};

/**
 * reap_needed - is there something to do for a domain of ours?
 * @domain: as Xen knows it, NULL when it does not
 * @worker: set with REAP_LATER
 */
enum reap_need reap_needed(struct toolstack *ts, uint16_t domid, const struct xen_domain *domain,
			   pid_t *worker);

/**
 * reap_domain - do it, and say in the log what and why: destroy, restart, preserve; undo what a
 * dead process began. May be called for a domain that needs nothing.
 * Return: 0 or a negative errno, which is logged.
 */
int reap_domain(struct toolstack *ts, uint16_t domid);
