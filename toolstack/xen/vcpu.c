#include "toolstack/xen/vcpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/xen/internal.h"

size_t xen_map_bytes(struct xen *xen)
{
	int bytes = xc_get_cpumap_size(xen->xc);

	return bytes > 0 ? (size_t)bytes : 1;
}

int xen_vcpu_get(struct xen *xen, uint16_t domid, unsigned vcpu, struct xen_vcpu *got,
		 struct fault *fault)
{
	xc_vcpuinfo_t info = {0};

	xen_fresh(xen);
	if (xc_vcpu_getinfo(xen->xc, domid, vcpu, &info))
		return errno == ESRCH ? -ESRCH : xen_failed(xen, fault, domid, "xc_vcpu_getinfo");
	*got = (struct xen_vcpu){
		.online = info.online,
		.running = info.running,
		.blocked = info.blocked,
		.cpu = info.cpu,
		.ns = info.cpu_time,
	};
	return 0;
}

int xen_vcpu_affinity(struct xen *xen, uint16_t domid, unsigned vcpu, uint8_t *hard, uint8_t *soft,
		      struct fault *fault)
{
	xen_fresh(xen);
	return xc_vcpu_getaffinity(xen->xc, domid, (int)vcpu, hard, soft,
				   XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)
		       ? xen_failed(xen, fault, domid, "xc_vcpu_getaffinity")
		       : 0;
}

/* The library writes back what it set: into copies. */
int xen_vcpu_pin(struct xen *xen, uint16_t domid, unsigned vcpu, const uint8_t *hard,
		 const uint8_t *soft, bool force, struct fault *fault)
{
	size_t bytes = xen_map_bytes(xen);
	uint8_t *map = calloc(2, bytes);
	uint32_t flags = (hard ? XEN_VCPUAFFINITY_HARD : 0) | (soft ? XEN_VCPUAFFINITY_SOFT : 0) |
			 (force ? XEN_VCPUAFFINITY_FORCE : 0);
	int rc = 0;

	if (!map)
		return fault_memory(fault);
	if (hard)
		memcpy(map, hard, bytes);
	if (soft)
		memcpy(map + bytes, soft, bytes);
	xen_fresh(xen);
	if (xc_vcpu_setaffinity(xen->xc, domid, (int)vcpu, hard ? map : NULL,
				soft ? map + bytes : NULL, flags))
		rc = xen_failed(xen, fault, domid, "xc_vcpu_setaffinity");
	free(map);
	return rc;
}

int xen_node_affinity(struct xen *xen, uint16_t domid, uint8_t *map, size_t size, unsigned *nodes,
		      struct fault *fault)
{
	int bytes = xc_get_nodemap_size(xen->xc);
	uint8_t *got = bytes > 0 ? calloc(1, (size_t)bytes) : NULL;
	int rc = 0;

	if (!got)
		return fault_memory(fault);
	*nodes = (unsigned)xc_get_max_nodes(xen->xc);
	xen_fresh(xen);
	if (xc_domain_node_getaffinity(xen->xc, domid, got))
		rc = xen_failed(xen, fault, domid, "xc_domain_node_getaffinity");
	memset(map, 0, size);
	memcpy(map, got, (size_t)bytes < size ? (size_t)bytes : size);
	*nodes = *nodes > size * 8 ? (unsigned)size * 8 : *nodes;
	free(got);
	return rc;
}

static enum xen_scheduler scheduler_of(uint32_t id)
{
	return id == XEN_SCHEDULER_CREDIT    ? XEN_SCHED_CREDIT
	       : id == XEN_SCHEDULER_CREDIT2 ? XEN_SCHED_CREDIT2
					     : XEN_SCHED_OTHER;
}

int xen_pools_get(struct xen *xen, struct xen_pool **pools, size_t *count, struct fault *fault)
{
	xc_cpupoolinfo_t *info;
	uint32_t next = 0;

	*pools = NULL;
	*count = 0;
	xen_fresh(xen);
	while ((info = xc_cpupool_getinfo(xen->xc, next))) {
		struct xen_pool *grown = realloc(*pools, (*count + 1) * sizeof(*grown));

		if (grown) {
			*pools = grown;
			grown[(*count)++] = (struct xen_pool){
				.id = info->cpupool_id,
				.scheduler = scheduler_of(info->sched_id),
				.word = xen_scheduler_word((int)info->sched_id),
				.domains = info->n_dom,
			};
		}
		next = info->cpupool_id + 1;
		xc_cpupool_infofree(xen->xc, info);
		if (!grown) {
			free(*pools);
			return fault_memory(fault);
		}
	}
	return 0;
}

int xen_share_get(struct xen *xen, uint16_t domid, enum xen_scheduler scheduler,
		  struct xen_share *share, struct fault *fault)
{
	struct xen_domctl_sched_credit credit = {0};
	struct xen_domctl_sched_credit2 credit2 = {0};

	xen_fresh(xen);
	if (scheduler == XEN_SCHED_CREDIT) {
		if (xc_sched_credit_domain_get(xen->xc, domid, &credit))
			return xen_failed(xen, fault, domid, "xc_sched_credit_domain_get");
		*share = (struct xen_share){credit.weight, credit.cap};
	} else {
		if (xc_sched_credit2_domain_get(xen->xc, domid, &credit2))
			return xen_failed(xen, fault, domid, "xc_sched_credit2_domain_get");
		*share = (struct xen_share){credit2.weight, credit2.cap};
	}
	return 0;
}

int xen_share_set(struct xen *xen, uint16_t domid, enum xen_scheduler scheduler,
		  const struct xen_share *share, struct fault *fault)
{
	struct xen_domctl_sched_credit credit = {.weight = (uint16_t)share->weight,
						 .cap = (uint16_t)share->cap};
	struct xen_domctl_sched_credit2 credit2 = {.weight = (uint16_t)share->weight,
						   .cap = (uint16_t)share->cap};

	xen_fresh(xen);
	if (scheduler == XEN_SCHED_CREDIT)
		return xc_sched_credit_domain_set(xen->xc, domid, &credit)
			       ? xen_failed(xen, fault, domid, "xc_sched_credit_domain_set")
			       : 0;
	return xc_sched_credit2_domain_set(xen->xc, domid, &credit2)
		       ? xen_failed(xen, fault, domid, "xc_sched_credit2_domain_set")
		       : 0;
}

static int pool_failed(struct fault *fault, uint32_t pool, const char *call)
{
	int rc = errno ? -errno : -EIO;

	return fault_set(fault, rc, "pool %u: %s: %s", pool, call, strerror(-rc));
}

int xen_sched_params_get(struct xen *xen, uint32_t pool, enum xen_scheduler scheduler,
			 struct xen_sched_params *params, struct fault *fault)
{
	struct xen_sysctl_credit_schedule credit = {0};
	struct xen_sysctl_credit2_schedule credit2 = {0};

	xen_fresh(xen);
	if (scheduler == XEN_SCHED_CREDIT) {
		if (xc_sched_credit_params_get(xen->xc, pool, &credit))
			return pool_failed(fault, pool, "xc_sched_credit_params_get");
		*params = (struct xen_sched_params){credit.tslice_ms, credit.ratelimit_us,
						    credit.vcpu_migr_delay_us};
	} else {
		if (xc_sched_credit2_params_get(xen->xc, pool, &credit2))
			return pool_failed(fault, pool, "xc_sched_credit2_params_get");
		*params = (struct xen_sched_params){.ratelimit_us = credit2.ratelimit_us};
	}
	return 0;
}

int xen_sched_params_set(struct xen *xen, uint32_t pool, enum xen_scheduler scheduler,
			 const struct xen_sched_params *params, struct fault *fault)
{
	struct xen_sysctl_credit_schedule credit = {.tslice_ms = params->tslice_ms,
						    .ratelimit_us = params->ratelimit_us,
						    .vcpu_migr_delay_us = params->migration_us};
	struct xen_sysctl_credit2_schedule credit2 = {.ratelimit_us = params->ratelimit_us};

	xen_fresh(xen);
	if (scheduler == XEN_SCHED_CREDIT)
		return xc_sched_credit_params_set(xen->xc, pool, &credit)
			       ? pool_failed(fault, pool, "xc_sched_credit_params_set")
			       : 0;
	return xc_sched_credit2_params_set(xen->xc, pool, &credit2)
		       ? pool_failed(fault, pool, "xc_sched_credit2_params_set")
		       : 0;
}
