/*
 * oneshot.h - a timer a vcpu, with absolute deadlines in nanoseconds of Xen's clock.
 *
 * Follows HYPERVISOR_set_timer_op, whose argument is in a register, and for deadlines that are far
 * away VCPUOP_set_singleshot_timer of xen/vcpu.h, whose argument Xen has to fetch through our page
 * tables, which costs as much as the exit; either is the other's fallback. A deadline that has gone
 * is normal: Xen fires at once (and takes no notice of VCPU_SSHOTTMR_future since 2023), so no flag
 * is ever set. One that fires early is armed again, as much later as it was early.
 */
#pragma once

#include "pvh-timer/evtchn.h"

/** ONESHOT_VCPUOP, ONESHOT_SET_TIMER: that alone. */
enum oneshot_way { ONESHOT_NONE, ONESHOT_BOTH, ONESHOT_VCPUOP, ONESHOT_SET_TIMER };

/** Each vcpu's own; not to be moved while it is started. */
struct oneshot {
	/* Set by the owner before oneshot_start. */
	struct evtchn *evtchn;
	unsigned vcpu;
	uint64_t (*now)(void *arg); /* Xen's clock on this vcpu */
	void (*fired)(void *arg);   /* on this vcpu, interrupts off; may set it again */
	void *arg;

	enum oneshot_way way;
	struct evtchn_channel channel;
	uint64_t deadline; /* 0: not armed */
};

/**
 * oneshot_start - stop Xen's periodic timer of the vcpu and bind VIRQ_TIMER with the highest
 * priority. May be called for another vcpu. Return: 0, or what Xen says to binding.
 */
int oneshot_start(struct oneshot *timer);

/**
 * oneshot_set - fire at @deadline; a new one replaces the old. From INT64_MAX on it is never.
 * Only on the timer's own vcpu. With interrupts on, a deadline that has come by then is handled on
 * the way back from the hypercall; with them off, it takes Xen two exits more to see them go on.
 * Return: 0, -EXDEV (another vcpu's), -EINVAL (0), -ENODEV (not started), or what Xen says to both
 * ways.
 */
int oneshot_set(struct oneshot *timer, uint64_t deadline);

/** oneshot_cancel - it fires no more. Return: as oneshot_set. */
int oneshot_cancel(struct oneshot *timer);

/** oneshot_resume - on its own vcpu after a resume: stop the periodic timer, arm again what was
 * armed. */
int oneshot_resume(struct oneshot *timer);

/** oneshot_stop - cancel and unbind. */
void oneshot_stop(struct oneshot *timer);
