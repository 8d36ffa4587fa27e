/*
 * hypercall.h - the hypercalls that the library makes, one line each, and how to make one.
 *
 * Every wrapper returns what Xen returned: 0 or a positive number, or a negative errno. Arguments
 * are private copies, since Xen may change and a debug build of it poisons them.
 */
#pragma once

#include "pvh-timer/cpuid.h"
#include "pvh-timer/xen.h"

/** The instruction. The page is a fallback: its return defeats retpolines and IBT (XSA-466,
 * XSA-469). */
enum hypercall_way { HYPERCALL_NONE, HYPERCALL_VMCALL, HYPERCALL_VMMCALL, HYPERCALL_PAGE };

/** hypercall_way_choose - by the processor's vendor; the page when it is neither and Xen offers
 * one. */
enum hypercall_way hypercall_way_choose(const struct cpuid_xen *xen);

static inline long hypercall3(struct pvh_host *host, unsigned number, unsigned long a,
			      unsigned long b, unsigned long c)
{
	return host->ops->hypercall(host, number, a, b, c, 0, 0);
}

static inline int hypercall_evtchn(struct pvh_host *host, int op, void *arg)
{
	return (int)hypercall3(host, __HYPERVISOR_event_channel_op, (unsigned long)op,
			       (unsigned long)arg, 0);
}

static inline int hypercall_vcpu(struct pvh_host *host, int op, unsigned vcpu, void *arg)
{
	return (int)hypercall3(host, __HYPERVISOR_vcpu_op, (unsigned long)op, vcpu,
			       (unsigned long)arg);
}

static inline int hypercall_hvm(struct pvh_host *host, int op, void *arg)
{
	return (int)hypercall3(host, __HYPERVISOR_hvm_op, (unsigned long)op, (unsigned long)arg, 0);
}

static inline long hypercall_memory(struct pvh_host *host, int op, void *arg)
{
	return hypercall3(host, __HYPERVISOR_memory_op, (unsigned long)op, (unsigned long)arg, 0);
}

static inline int hypercall_sched(struct pvh_host *host, int op, void *arg)
{
	return (int)hypercall3(host, __HYPERVISOR_sched_op, (unsigned long)op, (unsigned long)arg,
			       0);
}

static inline int hypercall_set_timer(struct pvh_host *host, uint64_t deadline)
{
	return (int)hypercall3(host, __HYPERVISOR_set_timer_op, deadline, 0, 0);
}

/** hypercall_features - the word of XENFEAT_* bits, 0 if Xen does not tell. */
uint32_t hypercall_features(struct pvh_host *host);

/** hypercall_param_get, hypercall_param_set - one of HVM_PARAM_*. Return: 0 or a negative errno. */
int hypercall_param_get(struct pvh_host *host, uint32_t index, uint64_t *value);
int hypercall_param_set(struct pvh_host *host, uint32_t index, uint64_t value);

/** hypercall_map - have Xen put page @index of @space (XENMAPSPACE_*) at @gfn. */
int hypercall_map(struct pvh_host *host, unsigned space, uint64_t index, uint64_t gfn);
