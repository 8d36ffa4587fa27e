/* The one pool of processors, which has them all: xl looks it up for every domain. */
#include "embedded/ctrl/interface.h"

#include <errno.h>
#include <stdlib.h>

#define SCHEDULER_NULL 9 /* of domctl.h: each runs when it likes, and has no parameters */

int xc_sched_id(xc_interface *xch, int *sched_id)
{
	*sched_id = SCHEDULER_NULL;
	return 0;
}

xc_cpumap_t xc_cpumap_alloc(xc_interface *xch)
{
	return calloc((size_t)xc_get_cpumap_size(xch), 1);
}

xc_nodemap_t xc_nodemap_alloc(xc_interface *xch)
{
	return calloc((size_t)xc_get_nodemap_size(xch), 1);
}

static unsigned int domains_count(xc_interface *xch)
{
	xc_domaininfo_t info;
	uint32_t next = 0;
	unsigned int count = 0;

	for (; xc_domain_getinfolist(xch, next, 1, &info) == 1; next = info.domain + 1u)
		count++;
	return count;
}

/* Of the first pool from @poolid on. */
xc_cpupoolinfo_t *xc_cpupool_getinfo(xc_interface *xch, uint32_t poolid)
{
	xc_cpupoolinfo_t *info;

	if (poolid && poolid != XC_CPUPOOL_POOLID_ANY) {
		errno = ENOENT;
		return NULL;
	}
	info = calloc(1, sizeof(*info));
	if (!info)
		return NULL;
	info->sched_id = SCHEDULER_NULL;
	info->n_dom = domains_count(xch);
	info->cpumap = xc_cpumap_alloc(xch);
	if (!info->cpumap) {
		free(info);
		return NULL;
	}
	for (int cpu = 0; cpu < xc_get_max_cpus(xch); cpu++)
		info->cpumap[cpu / 8] |= (uint8_t)(1u << cpu % 8);
	return info;
}

void xc_cpupool_infofree(xc_interface *xch, xc_cpupoolinfo_t *info)
{
	free(info->cpumap);
	free(info);
}

/* No processor is outside of the pool. */
xc_cpumap_t xc_cpupool_freeinfo(xc_interface *xch)
{
	return xc_cpumap_alloc(xch);
}
