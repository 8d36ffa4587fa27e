/*
 * libxl_json.h - a config in the words of libxl: its libxl_domain_config as JSON, as it keeps that
 * of each domain for `xl list -l`, `xl save` and `xl mem-set` (libxl_types.idl of Xen 4.17), with
 * the same members in the same order, byte for byte.
 *
 * Which program serves a disk is left out: of ours libxl knows none. Of cpus= only CPUs that the
 * host has are in, where xl fills the last byte of its map.
 */
#pragma once

#include <yajl/yajl_gen.h>

#include "toolstack/config/cpulist.h"
#include "toolstack/config/domain_config.h"

/** What a domain has of its pool's scheduler now. */
struct libxl_sched {
	const char *word; /* credit2, ... */
	bool shares;      /* it has the two */
	unsigned weight, cap;
};

/**
 * libxl_json_config - a config as one object.
 * @sched: NULL: what the config says of it
 * @host: whose CPUs cpus= means; NULL: that is left out
 */
void libxl_json_config(yajl_gen json, const struct domain_config *config,
		       const struct libxl_sched *sched, const struct cpulist_host *host);

/** libxl_json - the same as text, with a newline, for free(3); NULL without memory. */
char *libxl_json(const struct domain_config *config, const struct cpulist_host *host);
