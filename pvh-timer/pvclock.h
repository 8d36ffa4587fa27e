/*
 * pvclock.h - Xen's clock: nanoseconds since the host booted, from the TSC and a page of Xen's.
 *
 * Follows struct vcpu_time_info of xen/xen.h. A vcpu reads its own; on a page of all vcpus'
 * areas user space may read as well, if it finds itself on the same vcpu before and after.
 */
#pragma once

#include "pvh-timer/anomalies.h"
#include "pvh-timer/host.h"
#include "pvh-timer/xen.h"

/** pvclock_scale - (@ticks shifted by @shift) * @mul / 2^32, in 128 bits. */
uint64_t pvclock_scale(uint64_t ticks, uint32_t mul, int8_t shift);

/** pvclock_sample - one reading, consistent in itself. @stable: did Xen vouch for the TSC? */
uint64_t pvclock_sample(struct pvh_host *host, const struct vcpu_time_info *info,
			struct anomalies *anomalies, bool *stable);

/** The largest time any vcpu has read. Zero at first, and again after a resume. */
struct pvclock {
	uint64_t last;
};

/** pvclock_read - the same, never less than what any vcpu read before unless Xen says stable. */
uint64_t pvclock_read(struct pvclock *clock, struct pvh_host *host,
		      const struct vcpu_time_info *info, struct anomalies *anomalies);

/** A page of time areas, one a vcpu, that may be mapped to user space read-only. */
#define PVCLOCK_AREAS (PVH_PAGE_SIZE / sizeof(struct vcpu_time_info))
_Static_assert(PVCLOCK_AREAS >= PVH_VCPUS_MAX, "one page serves all vcpus");

enum area_way { AREA_NONE, AREA_PHYSICAL, AREA_LINEAR };

/**
 * pvclock_area_register - have Xen keep @vcpu's area in the page up to date.
 * @features: of hypercall_features
 * @way: by physical address when Xen can (4.18), so that no page table of the guest matters
 *
 * Return: 0, or what Xen says to the linear one.
 */
int pvclock_area_register(struct pvh_host *host, uint32_t features, unsigned vcpu,
			  struct vcpu_time_info *page, enum area_way *way);

/** pvclock_user_read - read the page on whatever vcpu this is. @vcpu: tells which, cheaply. */
uint64_t pvclock_user_read(struct pvh_host *host, const struct vcpu_time_info *page,
			   unsigned (*vcpu)(struct pvh_host *host));

/** wallclock_read - Xen's time of day, ns since 1970, given Xen's clock at the same moment. */
uint64_t wallclock_read(struct pvh_host *host, const struct shared_info *shared, uint64_t now);
