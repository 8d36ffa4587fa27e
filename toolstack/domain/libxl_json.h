/*
 * libxl_json.h - a config in the words of libxl: its libxl_domain_config as JSON, as it keeps that
 * of each domain for `xl list -l`, `xl save` and `xl mem-set` (libxl_types.idl of Xen 4.17), with
 * the same members in the same order, byte for byte.
 *
 * Pinning (cpus=), cpuid= and the grants of ioports=, iomem= and irqs= are left out, and so is
 * which program serves a disk: of ours libxl knows none.
 */
#pragma once

#include <yajl/yajl_gen.h>

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
 */
void libxl_json_config(yajl_gen json, const struct domain_config *config,
		       const struct libxl_sched *sched);

/** libxl_json - the same as text, with a newline, for free(3); NULL without memory. */
char *libxl_json(const struct domain_config *config);

/* --- inside libxl_json*.c --- */

/** libxl_json_flag - libxl's flags have a third value, so they are words. */
void libxl_json_flag(yajl_gen json, const char *key, bool value);

/** libxl_json_text - a string; one that is empty or NULL is left out. */
void libxl_json_text(yajl_gen json, const char *key, const char *value);

/** libxl_json_disk, libxl_json_nic - an object each. */
void libxl_json_disk(yajl_gen json, const struct disk_config *disk);
void libxl_json_nic(yajl_gen json, const struct domain_config *config,
		    const struct vif_config *vif);
