/*
 * domain.h - a domain's life: made, ended.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/toolstack.h"

struct create_options {
	bool paused;    /* do not let it run */
	unsigned quick; /* how often in a row it was restarted soon after its start */
};

/**
 * domain_create - make a domain of a planned config, wait for its backends and let it run.
 * @config: checked and completed by plan_domain()
 * @domid:  set on success
 *
 * On failure, or when a signal came (-EINTR), all that was made is undone. A process that is
 * killed in between leaves a record from which xsplitd undoes it.
 */
int domain_create(struct toolstack *ts, const struct domain_config *config,
		  const struct create_options *options, uint16_t *domid, struct fault *fault);

/**
 * domain_destroy - end a domain at once and remove all that it had: devices closed (at most
 * BACKEND_SECONDS), the domain, its device model, its nodes, its name. May be called for one
 * that is half gone, as often as one likes.
 */
int domain_destroy(struct toolstack *ts, uint16_t domid, struct fault *fault);
