/*
 * Virtual processors. A process guest has as many as it was given, but they are only a number: its
 * threads run where Linux likes.
 */
#include "embedded/ctrl/interface.h"

#include <errno.h>
#include <string.h>

#include "embedded/ctrl/calls.h"

static int domain_get(xc_interface *xch, uint32_t domid, xc_domaininfo_t *info)
{
	int n = xc_domain_getinfolist(xch, domid, 1, info);

	if (n < 0)
		return -1;
	return n && info->domain == domid ? 0 : interface_fail(-ESRCH);
}

static int vcpu_check(xc_interface *xch, uint32_t domid, uint32_t vcpu, xc_domaininfo_t *info)
{
	if (domain_get(xch, domid, info))
		return -1;
	return vcpu < info->nr_online_vcpus ? 0 : interface_fail(-ESRCH);
}

int xc_vcpu_getinfo(xc_interface *xch, uint32_t domid, uint32_t vcpu, xc_vcpuinfo_t *info)
{
	xc_domaininfo_t domain;

	if (vcpu_check(xch, domid, vcpu, &domain))
		return -1;
	*info = (xc_vcpuinfo_t){
		.vcpu = vcpu,
		.online = 1,
		.running = !!(domain.flags & XEN_DOMINF_running),
	};
	return 0;
}

static void all_set(xc_interface *xch, xc_cpumap_t map)
{
	memset(map, 0, (size_t)xc_get_cpumap_size(xch));
	for (int cpu = 0; cpu < xc_get_max_cpus(xch); cpu++)
		map[cpu / 8] |= (uint8_t)(1u << cpu % 8);
}

int xc_vcpu_getaffinity(xc_interface *xch, uint32_t domid, int vcpu, xc_cpumap_t hard,
			xc_cpumap_t soft, uint32_t flags)
{
	xc_domaininfo_t domain;

	if (vcpu_check(xch, domid, (uint32_t)vcpu, &domain))
		return -1;
	if (hard && flags & XEN_VCPUAFFINITY_HARD)
		all_set(xch, hard);
	if (soft && flags & XEN_VCPUAFFINITY_SOFT)
		all_set(xch, soft);
	return 0;
}

static int is_all(xc_interface *xch, const uint8_t *map)
{
	for (int cpu = 0; cpu < xc_get_max_cpus(xch); cpu++)
		if (!(map[cpu / 8] >> cpu % 8 & 1u))
			return 0;
	return 1;
}

/* Every CPU is where they are; nothing else can be had. Of the soft one nothing follows anyway. */
int xc_vcpu_setaffinity(xc_interface *xch, uint32_t domid, int vcpu, xc_cpumap_t hard,
			xc_cpumap_t soft, uint32_t flags)
{
	if (hard && flags & XEN_VCPUAFFINITY_HARD && !is_all(xch, hard))
		return interface_fail(-EOPNOTSUPP);
	return 0;
}

/* As Xen answers for a guest that has no emulated machine: it has no buttons. */
int xc_domain_send_trigger(xc_interface *xch, uint32_t domid, uint32_t trigger, uint32_t vcpu)
{
	xc_domaininfo_t domain;

	return domain_get(xch, domid, &domain) ? -1 : interface_fail(-EINVAL);
}

/* There is no hypervisor that could have said something. */
int xc_readconsolering(xc_interface *xch, char *buffer, unsigned int *count, int clear,
		       int incremental, uint32_t *index)
{
	*count = 0;
	return 0;
}
