/*
 * vcpu.h - virtual processors: where they run, how they are scheduled.
 *
 * A map has a bit a CPU of the host, the lowest of a byte first, and xen_map_bytes() bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolstack/fault.h"

struct xen;

struct xen_vcpu {
	bool online, running, blocked;
	unsigned cpu;
	uint64_t ns; /* that it ran */
};

/** xen_map_bytes - the size of a map. */
size_t xen_map_bytes(struct xen *xen);

/** xen_vcpu_get - one vcpu. Return: 0, -ESRCH (no such vcpu, no fault), or a negative errno. */
int xen_vcpu_get(struct xen *xen, uint16_t domid, unsigned vcpu, struct xen_vcpu *got,
		 struct fault *fault);

/** xen_vcpu_affinity - the CPUs it may run on, and those it prefers. */
int xen_vcpu_affinity(struct xen *xen, uint16_t domid, unsigned vcpu, uint8_t *hard, uint8_t *soft,
		      struct fault *fault);

/**
 * xen_vcpu_pin - set either, or both.
 * @hard, @soft: NULL leaves it as it is
 * @force: even where the guest's kernel pinned it (xl's --force)
 */
int xen_vcpu_pin(struct xen *xen, uint16_t domid, unsigned vcpu, const uint8_t *hard,
		 const uint8_t *soft, bool force, struct fault *fault);

/**
 * xen_node_affinity - the nodes of memory that a domain prefers.
 * @map: @size bytes, a bit a node; @nodes: how many the host has
 */
int xen_node_affinity(struct xen *xen, uint16_t domid, uint8_t *map, size_t size, unsigned *nodes,
		      struct fault *fault);

/** What a domain has of a scheduler. */
enum xen_scheduler { XEN_SCHED_OTHER, XEN_SCHED_CREDIT, XEN_SCHED_CREDIT2 };
struct xen_share {
	unsigned weight, cap; /* 1 to 65535; percent of a CPU, 0: no limit */
};

/** One pool of CPUs. */
struct xen_pool {
	uint32_t id;
	enum xen_scheduler scheduler;
	const char *word; /* the scheduler's name, as libxl has it */
	unsigned domains;
};

/** xen_pools_get - all of them, for free(3). */
int xen_pools_get(struct xen *xen, struct xen_pool **pools, size_t *count, struct fault *fault);

/** xen_share_get, xen_share_set - of the scheduler that the domain's pool has. */
int xen_share_get(struct xen *xen, uint16_t domid, enum xen_scheduler scheduler,
		  struct xen_share *share, struct fault *fault);
int xen_share_set(struct xen *xen, uint16_t domid, enum xen_scheduler scheduler,
		  const struct xen_share *share, struct fault *fault);

/** The parameters of a pool's scheduler; tslice and delay are credit's alone. */
struct xen_sched_params {
	unsigned tslice_ms, ratelimit_us, migration_us;
};
int xen_sched_params_get(struct xen *xen, uint32_t pool, enum xen_scheduler scheduler,
			 struct xen_sched_params *params, struct fault *fault);
int xen_sched_params_set(struct xen *xen, uint32_t pool, enum xen_scheduler scheduler,
			 const struct xen_sched_params *params, struct fault *fault);
