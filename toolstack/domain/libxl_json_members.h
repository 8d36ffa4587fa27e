/*
 * libxl_json_members.h - inside libxl_json*.c: libxl's structures as tables of their members.
 */
#pragma once

#include "toolstack/domain/libxl_json.h"

/** What is written from, and where to. */
struct libxl_source {
	yajl_gen json;
	const struct domain_config *config;
	const struct libxl_sched *sched; /* as it is now; NULL: as the config has it */
	const struct cpulist_host *host; /* NULL: not known */
};

/** A member, in its order: an option of ours as it is, or what is made of the config otherwise. */
struct libxl_member {
	const char *key;
	enum domain_option option;
	/* NULL: it is the option */
	void (*write)(const struct libxl_source *s, const char *key);
};

#define LIBXL_SAID(k, o)                  \
	{                                 \
		.key = (k), .option = (o) \
	}
#define LIBXL_MADE(k, w)                 \
	{                                \
		.key = (k), .write = (w) \
	}
#define LIBXL_LAST LIBXL_MADE(NULL, NULL)

/** libxl_json_members - what a table says of the source; it ends with LIBXL_LAST. */
void libxl_json_members(const struct libxl_source *s, const struct libxl_member *members);

/** libxl_json_object - the same as an object. @members: NULL: an empty one */
void libxl_json_object(const struct libxl_source *s, const char *key,
		       const struct libxl_member *members);

/** libxl_json_type - pv, pvh or hvm: to libxl a process is a PV guest. */
const char *libxl_json_type(const struct domain_config *config);

/** libxl_json_flag - libxl's flags have a third value, so they are words. */
void libxl_json_flag(yajl_gen json, const char *key, bool value);

/** libxl_json_text - a string; one that is empty or NULL is left out. */
void libxl_json_text(yajl_gen json, const char *key, const char *value);

/* Members of what their names say, written when the config says something of it. */

void libxl_json_build(const struct libxl_source *s, const char *key);
void libxl_json_disks(const struct libxl_source *s, const char *key);
void libxl_json_nics(const struct libxl_source *s, const char *key);
void libxl_json_hard_affinity(const struct libxl_source *s, const char *key);
void libxl_json_soft_affinity(const struct libxl_source *s, const char *key);
void libxl_json_placement(const struct libxl_source *s, const char *key);
void libxl_json_cpuid(const struct libxl_source *s, const char *key);
void libxl_json_ioports(const struct libxl_source *s, const char *key);
void libxl_json_irqs(const struct libxl_source *s, const char *key);
void libxl_json_iomem(const struct libxl_source *s, const char *key);
