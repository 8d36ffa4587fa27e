#include "pvh-timer/runstate.h"

#include <string.h>

#include "pvh-timer/hypercall.h"

#ifndef XEN_RUNSTATE_UPDATE
#define XEN_RUNSTATE_UPDATE (UINT64_C(1) << 63)
#endif

/* How often a reading is tried before the last is taken: Xen writes for nanoseconds at a time, but
 * only with the flag does it say so. */
#define READS_MAX 1000u

int runstate_register(struct runstate *runstate, struct pvh_host *host, uint32_t features,
		      unsigned vcpu)
{
	struct vcpu_register_runstate_memory_area area = {.addr.p = 0};
	int rc = -ENOSYS;

	runstate->way = AREA_NONE;
	if (features & 1u << XENFEAT_runstate_phys_area) {
		area.addr.p = host->ops->physical(host, runstate->area);
		rc = hypercall_vcpu(host, VCPUOP_register_runstate_phys_area, vcpu, &area);
		if (!rc)
			runstate->way = AREA_PHYSICAL;
	}
	if (rc) {
		area.addr.p = (uintptr_t)runstate->area;
		rc = hypercall_vcpu(host, VCPUOP_register_runstate_memory_area, vcpu, &area);
		if (!rc)
			runstate->way = AREA_LINEAR;
	}
	return rc;
}

int runstate_update_flag(struct pvh_host *host)
{
	return (int)hypercall3(host, __HYPERVISOR_vm_assist, VMASST_CMD_enable,
			       VMASST_TYPE_runstate_update_flag, 0);
}

/* Unchanged in between, and not being written. */
static void area_copy(const struct runstate *runstate, struct pvh_host *host, uint64_t time[4])
{
	const volatile struct vcpu_runstate_info *area = runstate->area;
	uint64_t entry;

	for (unsigned tries = 0; tries < READS_MAX; tries++) {
		entry = area->state_entry_time;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		for (unsigned i = 0; i < 4; i++)
			time[i] = area->time[i];
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(entry & XEN_RUNSTATE_UPDATE) && area->state_entry_time == entry)
			return;
		host->ops->relax(host);
	}
}

struct runstate_times runstate_read(const struct runstate *runstate, struct pvh_host *host)
{
	uint64_t time[4] = {0};

	if (runstate->way != AREA_NONE)
		area_copy(runstate, host, time);
	return (struct runstate_times){
		.running = time[RUNSTATE_running] + runstate->before[RUNSTATE_running],
		.runnable = time[RUNSTATE_runnable] + runstate->before[RUNSTATE_runnable],
		.blocked = time[RUNSTATE_blocked] + runstate->before[RUNSTATE_blocked],
		.offline = time[RUNSTATE_offline] + runstate->before[RUNSTATE_offline],
	};
}

uint64_t runstate_stolen(const struct runstate *runstate, struct pvh_host *host)
{
	struct runstate_times times = runstate_read(runstate, host);

	return times.runnable + times.offline;
}

void runstate_note(struct runstate *runstate, struct pvh_host *host)
{
	struct runstate_times times = runstate_read(runstate, host);

	runstate->noted[RUNSTATE_running] = times.running;
	runstate->noted[RUNSTATE_runnable] = times.runnable;
	runstate->noted[RUNSTATE_blocked] = times.blocked;
	runstate->noted[RUNSTATE_offline] = times.offline;
}

void runstate_resume(struct runstate *runstate)
{
	memcpy(runstate->before, runstate->noted, sizeof(runstate->before));
	if (runstate->area)
		memset(runstate->area, 0, sizeof(*runstate->area));
}
