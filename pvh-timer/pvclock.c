#include "pvh-timer/pvclock.h"

#include "pvh-timer/hypercall.h"

#define NS_PER_S UINT64_C(1000000000)

uint64_t pvclock_scale(uint64_t ticks, uint32_t mul, int8_t shift)
{
	unsigned __int128 product;

	if (shift >= 0)
		ticks <<= shift & 63;
	else
		ticks >>= -shift & 63;
	product = (unsigned __int128)ticks * mul;
	return (uint64_t)(product >> 32);
}

/* An odd version: Xen is writing. Loads are volatile, so none is done twice or moved. */
static uint32_t version_begin(struct pvh_host *host, const volatile uint32_t *version)
{
	uint32_t begin = *version;

	while (begin & 1) {
		host->ops->relax(host);
		begin = *version;
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return begin;
}

static bool version_same(const volatile uint32_t *version, uint32_t begin)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return *version == begin;
}

uint64_t pvclock_sample(struct pvh_host *host, const struct vcpu_time_info *shared,
			struct anomalies *anomalies, bool *stable)
{
	const volatile struct vcpu_time_info *info = shared;
	uint64_t ns, ticks, stamp;
	uint32_t version;
	bool before;

	do {
		version = version_begin(host, &info->version);
		ticks = host->ops->rdtsc(host);
		stamp = info->tsc_timestamp;
		before = ticks < stamp;
		ns = info->system_time + pvclock_scale(before ? 0 : ticks - stamp,
						       info->tsc_to_system_mul, info->tsc_shift);
		*stable = info->flags & XEN_PVCLOCK_TSC_STABLE_BIT;
	} while (!version_same(&info->version, version));
	if (before && anomalies)
		anomaly_note(anomalies, ANOMALY_TSC_BACKWARDS);
	return ns;
}

uint64_t pvclock_read(struct pvclock *clock, struct pvh_host *host,
		      const struct vcpu_time_info *info, struct anomalies *anomalies)
{
	uint64_t seen = __atomic_load_n(&clock->last, __ATOMIC_ACQUIRE), last = seen, now;
	bool stable;

	/* Only what had been read before is a step back; a reading that overtook ours, on another
	 * vcpu or in a handler, is as good as ours and merely later. */
	now = pvclock_sample(host, info, anomalies, &stable);
	if (stable)
		return now;
	if (now < seen && anomalies)
		anomaly_note(anomalies, ANOMALY_TIME_BACKWARDS);
	do {
		if (now < last)
			return last;
	} while (!__atomic_compare_exchange_n(&clock->last, &last, now, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
	return now;
}

int pvclock_area_register(struct pvh_host *host, uint32_t features, unsigned vcpu,
			  struct vcpu_time_info *page, enum area_way *way)
{
	struct vcpu_register_time_memory_area area = {.addr.p = 0};
	int rc = -ENOSYS;

	*way = AREA_NONE;
	if (features & 1u << XENFEAT_vcpu_time_phys_area) {
		area.addr.p = host->ops->physical(host, &page[vcpu]);
		rc = hypercall_vcpu(host, VCPUOP_register_vcpu_time_phys_area, vcpu, &area);
		if (!rc)
			*way = AREA_PHYSICAL;
	}
	if (rc) {
		area.addr.p = (uintptr_t)&page[vcpu];
		rc = hypercall_vcpu(host, VCPUOP_register_vcpu_time_memory_area, vcpu, &area);
		if (!rc)
			*way = AREA_LINEAR;
	}
	return rc;
}

uint64_t pvclock_user_read(struct pvh_host *host, const struct vcpu_time_info *page,
			   unsigned (*vcpu)(struct pvh_host *host))
{
	unsigned before;
	uint64_t ns;
	bool stable;

	do {
		before = vcpu(host);
		ns = pvclock_sample(host, &page[before], NULL, &stable);
	} while (vcpu(host) != before);
	return ns;
}

uint64_t wallclock_read(struct pvh_host *host, const struct shared_info *page, uint64_t now)
{
	const volatile struct shared_info *shared = page;
	uint64_t seconds, ns;
	uint32_t version;

	do {
		version = version_begin(host, &shared->wc_version);
		seconds = shared->wc_sec | (uint64_t)shared->wc_sec_hi << 32;
		ns = shared->wc_nsec;
	} while (!version_same(&shared->wc_version, version));
	return seconds * NS_PER_S + ns + now;
}
