/*
 * list.h - domains as the user sees them.
 *
 * The text format is exactly xl's (xl_list.c): scripts parse it.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <yajl/yajl_gen.h>

#include "toolstack/xen/xen.h"

/** What a row has beside the usual (xl list -v, -Z, -c, -n). */
struct list_columns {
	bool verbose; /* UUID, reason of the end, label */
	bool label;
	const char *pool;  /* its name, or NULL: no such column */
	const char *nodes; /* of memory that it prefers, or NULL */
};

/** list_header, list_row - one line each. @name may be NULL. */
void list_header(FILE *out, const struct list_columns *columns);
void list_row(FILE *out, const struct xen_domain *domain, const char *name,
	      const struct list_columns *columns);

/** list_json - one domain as an object. @name may be NULL. */
void list_json(yajl_gen json, const struct xen_domain *domain, const char *name);

/** list_reason - "poweroff", "reboot", "suspend", "crash", ... of a SHUTDOWN_* code. */
const char *list_reason(unsigned reason);
