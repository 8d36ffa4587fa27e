#include "toolstack/xen/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/xen/internal.h"

#define PAGE_KIB (XC_PAGE_SIZE / 1024)

/* A call that is not about a domain. */
static int host_failed(struct xen *xen, struct fault *fault, const char *call)
{
	int rc = errno ? -errno : -EIO;

	return fault_set(fault, rc, "%s: %s", call, strerror(-rc));
}

static unsigned bits_count(const uint8_t *map, int bytes)
{
	unsigned count = 0;

	for (int i = 0; i < bytes; i++)
		count += (unsigned)__builtin_popcount(map[i]);
	return count;
}

static unsigned free_cpus(struct xen *xen)
{
	xc_cpumap_t map = xc_cpupool_freeinfo(xen->xc);
	unsigned count = map ? bits_count(map, xc_get_cpumap_size(xen->xc)) : 0;

	free(map);
	return count;
}

int xen_machine_get(struct xen *xen, struct xen_machine *m, struct fault *fault)
{
	xc_physinfo_t info = {0};
	unsigned can;

	xen_fresh(xen);
	if (xc_physinfo(xen->xc, &info))
		return host_failed(xen, fault, "xc_physinfo");
	can = info.capabilities;
	*m = (struct xen_machine){
		.cpus = info.nr_cpus,
		.max_cpu = info.max_cpu_id,
		.nodes = info.nr_nodes,
		.cores = info.cores_per_socket,
		.threads = info.threads_per_core,
		.khz = info.cpu_khz,
		.pv = can & XEN_SYSCTL_PHYSCAP_pv,
		.hvm = can & XEN_SYSCTL_PHYSCAP_hvm,
		.directio = can & XEN_SYSCTL_PHYSCAP_directio,
		.hap = can & XEN_SYSCTL_PHYSCAP_hap,
		.shadow = can & XEN_SYSCTL_PHYSCAP_shadow,
		.iommu_share = can & XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share,
		.vmtrace = can & XEN_SYSCTL_PHYSCAP_vmtrace,
		.vpmu = can & XEN_SYSCTL_PHYSCAP_vpmu,
		.grant1 = can & XEN_SYSCTL_PHYSCAP_gnttab_v1,
		.grant2 = can & XEN_SYSCTL_PHYSCAP_gnttab_v2,
		.total_kib = info.total_pages * PAGE_KIB,
		.free_kib = (info.free_pages - info.outstanding_pages) * PAGE_KIB,
		.claimed_kib = info.outstanding_pages * PAGE_KIB,
		.shared_freed_pages = (uint64_t)xc_sharing_freed_pages(xen->xc),
		.shared_used_pages = (uint64_t)xc_sharing_used_frames(xen->xc),
		.free_cpus = free_cpus(xen),
	};
	memcpy(m->features, info.hw_cap, sizeof(m->features));
	/* Without memory sharing, the calls say -1. */
	m->shared_freed_pages = (int64_t)m->shared_freed_pages < 0 ? 0 : m->shared_freed_pages;
	m->shared_used_pages = (int64_t)m->shared_used_pages < 0 ? 0 : m->shared_used_pages;
	return 0;
}

const char *xen_scheduler_word(int id)
{
	switch (id) {
	case XEN_SCHEDULER_CREDIT:
		return "credit";
	case XEN_SCHEDULER_CREDIT2:
		return "credit2";
	case XEN_SCHEDULER_ARINC653:
		return "arinc653";
	case XEN_SCHEDULER_RTDS:
		return "rtds";
	case XEN_SCHEDULER_NULL:
		return "null";
	default:
		return "unknown";
	}
}

static void compile_get(struct xen *xen, struct xen_version *version)
{
	xen_compile_info_t info = {0};

	xc_version(xen->xc, XENVER_compile_info, &info);
	snprintf(version->compiler, sizeof(version->compiler), "%s", info.compiler);
	snprintf(version->by, sizeof(version->by), "%s", info.compile_by);
	snprintf(version->domain, sizeof(version->domain), "%s", info.compile_domain);
	snprintf(version->date, sizeof(version->date), "%s", info.compile_date);
}

static void build_id_get(struct xen *xen, struct xen_version *version)
{
	union {
		xen_build_id_t id;
		unsigned char room[64];
	} got = {.id.len = sizeof(got) - sizeof(got.id)};
	int n = xc_version(xen->xc, XENVER_build_id, &got.id);

	for (int i = 0; i < n && (size_t)i * 2 + 2 < sizeof(version->build_id); i++)
		snprintf(version->build_id + i * 2, 3, "%02x", got.id.buf[i]);
}

int xen_version_get(struct xen *xen, struct xen_version *version, struct fault *fault)
{
	xen_platform_parameters_t platform = {0};
	int number, scheduler = -1;

	*version = (struct xen_version){0};
	xen_fresh(xen);
	number = xc_version(xen->xc, XENVER_version, NULL);
	if (number < 0)
		return host_failed(xen, fault, "xc_version");
	version->major = (unsigned)number >> 16;
	version->minor = (unsigned)number & 0xffff;
	version->page_size = (unsigned)xc_version(xen->xc, XENVER_pagesize, NULL);
	xc_version(xen->xc, XENVER_extraversion, version->extra);
	xc_version(xen->xc, XENVER_capabilities, version->capabilities);
	xc_version(xen->xc, XENVER_changeset, version->changeset);
	xc_version(xen->xc, XENVER_commandline, version->commandline);
	xc_version(xen->xc, XENVER_platform_parameters, &platform);
	version->virt_start = platform.virt_start;
	compile_get(xen, version);
	build_id_get(xen, version);
	xc_sched_id(xen->xc, &scheduler);
	snprintf(version->scheduler, sizeof(version->scheduler), "%s",
		 xen_scheduler_word(scheduler));
	return 0;
}

int xen_cpus_get(struct xen *xen, struct xen_cpu **cpus, unsigned *count, struct fault *fault)
{
	xc_cputopo_t *topology;
	unsigned n = 0;

	xen_fresh(xen);
	if (xc_cputopoinfo(xen->xc, &n, NULL))
		return host_failed(xen, fault, "xc_cputopoinfo");
	topology = calloc(n + 1, sizeof(*topology));
	*cpus = calloc(n + 1, sizeof(**cpus));
	*count = n;
	if (!topology || !*cpus || xc_cputopoinfo(xen->xc, &n, topology)) {
		free(topology);
		free(*cpus);
		return host_failed(xen, fault, "xc_cputopoinfo");
	}
	for (unsigned i = 0; i < *count && i < n; i++)
		(*cpus)[i] = (struct xen_cpu){
			.present = topology[i].core != XEN_INVALID_CORE_ID,
			.core = topology[i].core,
			.socket = topology[i].socket,
			.node = topology[i].node,
		};
	free(topology);
	return 0;
}

int xen_nodes_get(struct xen *xen, struct xen_node **nodes, unsigned **distances, unsigned *count,
		  struct fault *fault)
{
	xc_meminfo_t *memory;
	unsigned n = 0;

	xen_fresh(xen);
	if (xc_numainfo(xen->xc, &n, NULL, NULL))
		return host_failed(xen, fault, "xc_numainfo");
	memory = calloc(n + 1, sizeof(*memory));
	*nodes = calloc(n + 1, sizeof(**nodes));
	*distances = calloc((size_t)n * n + 1, sizeof(**distances));
	if (!memory || !*nodes || !*distances || xc_numainfo(xen->xc, &n, memory, *distances)) {
		free(memory);
		free(*nodes);
		free(*distances);
		return host_failed(xen, fault, "xc_numainfo");
	}
	for (unsigned i = 0; i < n; i++)
		(*nodes)[i] = (struct xen_node){
			.present = memory[i].memsize != XEN_INVALID_MEM_SZ,
			.bytes = memory[i].memsize,
			.free_bytes = memory[i].memfree,
		};
	*count = n;
	free(memory);
	return 0;
}

/* The ring may be larger than one reply: read on from the index that each gives. */
int xen_messages(struct xen *xen, bool clear, char **text, struct fault *fault)
{
	char piece[16384];
	size_t size;
	uint32_t index = 0;
	FILE *out = open_memstream(text, &size);
	int rc = 0;

	if (!out)
		return fault_memory(fault);
	for (;;) {
		unsigned got = sizeof(piece);

		xen_fresh(xen);
		if (xc_readconsolering(xen->xc, piece, &got, clear, 1, &index)) {
			rc = host_failed(xen, fault, "xc_readconsolering");
			break;
		}
		if (!got)
			break;
		fwrite(piece, 1, got, out);
	}
	if (fclose(out) && !rc)
		rc = fault_memory(fault);
	if (rc)
		free(*text);
	return rc;
}

int xen_debug_keys(struct xen *xen, const char *keys, struct fault *fault)
{
	xen_fresh(xen);
	return xc_send_debug_keys(xen->xc, keys) ? host_failed(xen, fault, "xc_send_debug_keys")
						 : 0;
}
