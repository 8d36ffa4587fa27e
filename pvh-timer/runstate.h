/*
 * runstate.h - how long a vcpu ran, waited for a processor (stolen time), slept.
 *
 * Follows VCPUOP_register_runstate_memory_area of xen/vcpu.h. Xen starts from 0 again on another
 * host; what is read here goes on.
 */
#pragma once

#include "pvh-timer/pvclock.h"

/** One vcpu's. */
struct runstate {
	struct vcpu_runstate_info *area; /* that Xen writes; 64 bytes apart, in one page */
	enum area_way way;
	uint64_t before[4]; /* of earlier hosts, ns */
	uint64_t noted[4];  /* what runstate_note saw */
};

/**
 * runstate_register - have Xen keep @runstate->area up to date.
 * Return: 0, or what Xen says to the linear address.
 */
int runstate_register(struct runstate *runstate, struct pvh_host *host, uint32_t features,
		      unsigned vcpu);

/** runstate_update_flag - ask Xen to mark areas it is writing; good for all vcpus. 0 or an errno.
 */
int runstate_update_flag(struct pvh_host *host);

/** Nanoseconds in each state since the guest began. */
struct runstate_times {
	uint64_t running, runnable, blocked, offline;
};

/** runstate_read - from any vcpu. */
struct runstate_times runstate_read(const struct runstate *runstate, struct pvh_host *host);

/** runstate_stolen - ns that the vcpu wanted to run and did not. */
uint64_t runstate_stolen(const struct runstate *runstate, struct pvh_host *host);

/** runstate_note - before a suspend: keep what was counted so far. */
void runstate_note(struct runstate *runstate, struct pvh_host *host);

/** runstate_resume - Xen has begun at 0 again: go on from what was noted. */
void runstate_resume(struct runstate *runstate);
