/*
 * plan.h - everything that can be wrong with a config on this host, found before anything is made.
 *
 * A planned config has absolute paths and an address for each vif; what was checked may of
 * course change before it is used, and whoever uses it reports that.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/toolstack.h"

/**
 * plan_domain - check a config and complete it.
 * Return: 0 or a negative errno with the fault set; the first thing that is wrong counts.
 */
int plan_domain(struct toolstack *ts, struct domain_config *config, struct fault *fault);

/**
 * plan_paths - only find the files that a config names, and make their paths absolute; nothing is
 * asked of other domains. Return: 0 or a negative errno with the fault set.
 */
int plan_paths(struct domain_config *config, struct fault *fault);
/** plan_restored - the same for a domain that was saved: what it boots from is in it. */
int plan_restored(struct toolstack *ts, struct domain_config *config, struct fault *fault);

/**
 * plan_incoming - the same for a domain that still runs elsewhere, and has its images, addresses
 * and name there: whether they are free is seen when it hands them over.
 */
int plan_incoming(struct toolstack *ts, struct domain_config *config, struct fault *fault);

/** plan_memory_short - that a domain's memory is more than what is free. Return: -ENOMEM. */
int plan_memory_short(const struct domain_config *config, uint64_t free_kib, struct fault *fault);

/** plan_disk - one disk that is attached later. @place: what messages begin with */
int plan_disk(struct toolstack *ts, struct disk_config *disk, const char *place,
	      struct fault *fault);

/** plan_vif - one vif that is attached later. */
int plan_vif(struct toolstack *ts, struct vif_config *vif, const char *place, struct fault *fault);
