/* What xl info and its like ask: the machine and the hypervisor. */
#include "embedded/ctrl/interface.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include <xen/version.h>

/* The Xen whose library ABI this is. */
#define XEN_MAJOR 4
#define XEN_MINOR 17

static int compile_info(xen_compile_info_t *info)
{
	*info = (xen_compile_info_t){0};
	(void)snprintf(info->compiler, sizeof(info->compiler), "%s", __VERSION__);
	(void)snprintf(info->compile_by, sizeof(info->compile_by), "xsplit");
	(void)snprintf(info->compile_domain, sizeof(info->compile_domain), "embedded");
	(void)snprintf(info->compile_date, sizeof(info->compile_date), "xsplit " XSPLIT_VERSION);
	return 0;
}

int xc_version(xc_interface *xch, int cmd, void *arg)
{
	switch (cmd) {
	case XENVER_version:
		return XEN_MAJOR << 16 | XEN_MINOR;
	case XENVER_extraversion:
		(void)snprintf(arg, sizeof(xen_extraversion_t), "-xsplit");
		return 0;
	case XENVER_compile_info:
		return compile_info(arg);
	case XENVER_capabilities:
		(void)snprintf(arg, sizeof(xen_capabilities_info_t), "xen-3.0-x86_64 ");
		return 0;
	case XENVER_changeset:
		(void)snprintf(arg, sizeof(xen_changeset_info_t), "embedded");
		return 0;
	case XENVER_platform_parameters:
		((xen_platform_parameters_t *)arg)->virt_start = 0;
		return 0;
	case XENVER_pagesize:
		return XC_PAGE_SIZE;
	case XENVER_guest_handle:
		memset(arg, 0, sizeof(xen_domain_handle_t));
		return 0;
	case XENVER_commandline:
		*(char *)arg = '\0';
		return 0;
	default:
		return interface_fail(-ENOSYS);
	}
}

static uint32_t cpu_khz(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];
	double mhz = 0;

	if (!file)
		return 0;
	while (mhz == 0 && fgets(line, sizeof(line), file)) {
		const char *colon = strchr(line, ':');

		if (colon && !strncmp(line, "cpu MHz", 7))
			mhz = strtod(colon + 1, NULL);
	}
	(void)fclose(file);
	return (uint32_t)(mhz * 1000);
}

/* What a new guest can have: a page cache makes room for it, as Xen's free pages are free. */
static uint64_t available_pages(const struct sysinfo *machine)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file) &&
	       sscanf(line, "MemAvailable: %llu kB", &kib) != 1)
		;
	if (file)
		(void)fclose(file);
	if (kib)
		return kib * 1024 / XC_PAGE_SIZE;
	return (uint64_t)machine->freeram * machine->mem_unit / XC_PAGE_SIZE;
}

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
	struct sysinfo machine;
	uint32_t cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);

	if (sysinfo(&machine))
		return -1;
	*info = (xc_physinfo_t){
		.threads_per_core = 1,
		.cores_per_socket = cpus,
		.nr_cpus = cpus,
		.max_cpu_id = cpus - 1,
		.nr_nodes = 1,
		.cpu_khz = cpu_khz(),
		.capabilities = XEN_SYSCTL_PHYSCAP_pv,
		.total_pages = (uint64_t)machine.totalram * machine.mem_unit / XC_PAGE_SIZE,
		.free_pages = available_pages(&machine),
	};
	info->max_mfn = info->total_pages;
	return 0;
}

/* One node, with all the memory. Without @meminfo or @distance it only tells how many there are. */
int xc_numainfo(xc_interface *xch, unsigned int *max_nodes, xc_meminfo_t *meminfo,
		uint32_t *distance)
{
	xc_physinfo_t machine;

	if (meminfo && distance && *max_nodes) {
		if (xc_physinfo(xch, &machine))
			return -1;
		meminfo[0].memsize = machine.total_pages * XC_PAGE_SIZE;
		meminfo[0].memfree = machine.free_pages * XC_PAGE_SIZE;
		distance[0] = 10; /* of a node to itself, as firmware has it */
	}
	*max_nodes = 1;
	return 0;
}

/* All in one socket; how they are wired is Linux's business. */
int xc_cputopoinfo(xc_interface *xch, unsigned int *max_cpus, xc_cputopo_t *cputopo)
{
	unsigned int cpus = (unsigned int)xc_get_max_cpus(xch);

	for (unsigned int cpu = 0; cputopo && cpu < *max_cpus && cpu < cpus; cpu++)
		cputopo[cpu] = (xc_cputopo_t){.core = cpu};
	*max_cpus = cpus;
	return 0;
}

int xc_get_max_cpus(xc_interface *xch)
{
	return (int)sysconf(_SC_NPROCESSORS_CONF);
}

int xc_get_online_cpus(xc_interface *xch)
{
	return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

int xc_get_max_nodes(xc_interface *xch)
{
	return 1;
}

int xc_get_cpumap_size(xc_interface *xch)
{
	return (xc_get_max_cpus(xch) + 7) / 8;
}

int xc_get_nodemap_size(xc_interface *xch)
{
	return 1;
}

/* No page is shared between guests by the hypervisor. */
long xc_sharing_freed_pages(xc_interface *xch)
{
	return 0;
}

long xc_sharing_used_frames(xc_interface *xch)
{
	return 0;
}

/* As a Xen without XSM answers. */
int xc_flask_sid_to_context(xc_interface *xch, int sid, char *buf, uint32_t size)
{
	return interface_fail(-ENOSYS);
}

int xc_flask_context_to_sid(xc_interface *xch, char *buf, uint32_t size, uint32_t *sid)
{
	return interface_fail(-ENOSYS);
}

/*
 * What follows tells Xen about virtual processors and their memory map. A process guest runs on the
 * machine's own, scheduled by Linux: there is nothing that these could change, so they succeed.
 */
int xc_domain_set_memmap_limit(xc_interface *xch, uint32_t domid, unsigned long map_limitkb)
{
	return 0;
}

int xc_domain_set_tsc_info(xc_interface *xch, uint32_t domid, uint32_t tsc_mode,
			   uint64_t elapsed_nsec, uint32_t gtsc_khz, uint32_t incarnation)
{
	return 0;
}

/* What a guest takes of its memory is missing in Linux's own figures: nothing to set aside. */
int xc_domain_claim_pages(xc_interface *xch, uint32_t domid, unsigned long nr_pages)
{
	xc_physinfo_t machine;

	if (xc_physinfo(xch, &machine))
		return -1;
	return nr_pages > machine.free_pages ? interface_fail(-ENOMEM) : 0;
}

int xc_domain_set_time_offset(xc_interface *xch, uint32_t domid, int32_t time_offset_seconds)
{
	return 0;
}

int xc_domain_node_getaffinity(xc_interface *xch, uint32_t domind, xc_nodemap_t nodemap)
{
	nodemap[0] = 1;
	return 0;
}

int xc_domain_node_setaffinity(xc_interface *xch, uint32_t domind, xc_nodemap_t nodemap)
{
	return 0;
}
