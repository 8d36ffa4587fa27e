/*
 * list_long.h - domains as `xl list -l` has them: number, and config in libxl's words.
 */
#pragma once

#include <yajl/yajl_gen.h>

#include "toolstack/toolstack.h"
#include "toolstack/xen/vcpu.h"

/**
 * list_long - one domain as an object; of one that another toolstack made what libxl keeps of it.
 * Nothing at all where nobody keeps anything, as with xl.
 * @pools: @count of them, of all Xen has
 */
void list_long(struct toolstack *ts, yajl_gen json, const struct xen_domain *domain,
	       const struct xen_pool *pools, size_t count);
