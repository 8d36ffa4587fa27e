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

/** list_header, list_row - one line each. @name may be NULL. @verbose: UUID, reason and label too
 */
void list_header(FILE *out, bool verbose);
void list_row(FILE *out, const struct xen_domain *domain, const char *name, bool verbose);

/** list_json - one domain as an object. @name may be NULL. */
void list_json(yajl_gen json, const struct xen_domain *domain, const char *name);

/** list_reason - "poweroff", "reboot", "suspend", "crash", ... of a SHUTDOWN_* code. */
const char *list_reason(unsigned reason);
