/*
 * tuning.h - what a config says about processors, time and privileges, checked against the host and
 * put to Xen.
 */
#pragma once

#include "toolstack/config/cpulist.h"
#include "toolstack/config/domain_config.h"
#include "toolstack/toolstack.h"

/**
 * tuning_plan - can this host do what the config says: its CPUs, pool, scheduler, cpuid words,
 * ports? Return: 0 or a negative errno with the fault set.
 */
int tuning_plan(struct toolstack *ts, const struct domain_config *config, struct fault *fault);

/**
 * tuning_limits - what a new domain is to be made with.
 * @limits: filled, cpuid included: end it with tuning_limits_free()
 */
int tuning_limits(struct toolstack *ts, const struct domain_config *config,
		  struct xen_limits *limits, struct fault *fault);
void tuning_limits_free(struct xen_limits *limits);

/** tuning_apply - the rest, to the new domain before it runs. */
int tuning_apply(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		 struct fault *fault);

/** tuning_host - the CPUs of this host. @host: for tuning_host_free(), on success */
int tuning_host(struct toolstack *ts, struct cpulist_host *host, struct fault *fault);
void tuning_host_free(struct cpulist_host *host);

/**
 * tuning_map - the CPUs of a list on this host, as Xen takes them.
 * @place: what messages begin with
 * @map:   for free(3), on success
 */
int tuning_map(struct toolstack *ts, const char *list, const char *place, uint8_t **map,
	       struct fault *fault);

/** tuning_pool_name - what a CPU pool is called: for free(3), or NULL without memory. */
char *tuning_pool_name(struct toolstack *ts, uint32_t pool);

/** tuning_nodes - the nodes of memory that a domain prefers: "all", "0,2-3". */
void tuning_nodes(struct toolstack *ts, uint16_t domid, char *text, size_t size);
