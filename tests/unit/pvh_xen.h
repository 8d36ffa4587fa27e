/*
 * pvh_xen.h - a scripted hypervisor for pvh-timer: its clock, timers, event channels and refusals.
 *
 * Physical addresses are pointers. Time stands still until xen_advance. Its event channels follow
 * Xen's own order of writes (common/event_2l.c, common/event_fifo.c), one hypercall at a time.
 */
#pragma once

#include <pthread.h>

#include "pvh-timer/pvh.h"

#define XEN_PORTS 4096u
#define XEN_VCPUS 64u
#define XEN_PAGES 1024u

enum xen_port_kind { XEN_FREE, XEN_UNBOUND, XEN_INTERDOMAIN, XEN_VIRQ, XEN_IPI };

struct xen_port {
	enum xen_port_kind kind;
	uint32_t vcpu, virq, remote_port;
	uint16_t remote;
	uint8_t priority;
	bool pending;       /* since before it had a word */
	uint32_t last_vcpu; /* whose queue it was last in */
	uint8_t last_priority;
};

/** A call that fails: the @skip-th after it was set and all that follow, @times of them. */
struct xen_refusal {
	unsigned number, op;
	int rc;
	unsigned skip, times;
};

/* Ordered for reading. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct xen {
	struct pvh_host host; /* first */
	pthread_mutex_t lock;

	/* What CPUID says. */
	uint32_t cpuid_base, cpuid_leaves;
	bool intel, tsc_invariant, tsc_emulated, tsc_reliable;
	uint32_t tsc_mode, tsc_khz, incarnation, hvm_flags;
	uint32_t features;

	/* Time. */
	uint64_t now;            /* ns since this host booted */
	int64_t skew[XEN_VCPUS]; /* ns that a vcpu's TSC is ahead */
	uint64_t wall_at_boot;
	bool stable;
	uint64_t deadline[XEN_VCPUS];
	bool periodic[XEN_VCPUS];
	bool etime; /* an old Xen: refuses deadlines that have gone */
	struct vcpu_time_info *time_area[XEN_VCPUS];
	struct vcpu_runstate_info *runstate_area[XEN_VCPUS];
	struct vcpu_runstate_info runstate[XEN_VCPUS];

	/* Events. */
	struct shared_info *shared;
	struct vcpu_info *info[XEN_VCPUS];
	struct xen_port port[XEN_PORTS];
	bool fifo_offered, fifo;
	uint32_t *array[4];
	unsigned array_pages;
	struct evtchn_fifo_control_block *control[XEN_VCPUS];
	uint32_t tail[XEN_VCPUS][EVTCHN_FIFO_MAX_QUEUES];
	bool busy_broken;    /* a word was unmasked while Xen was linking to it */
	uint32_t first_port; /* lower ones are never given out */

	/* Interrupts. */
	uint64_t via;
	uint8_t upcall_vector[XEN_VCPUS];
	bool lapic_off[XEN_VCPUS], vcpu_down[XEN_VCPUS];
	bool line_missing;
	unsigned lapic_eois, line_eois, again;
	bool interrupt[XEN_VCPUS]; /* through the local APIC, not taken yet */
	unsigned running;          /* inside vcpu_run: interrupts are off */
	void (*interrupted)(unsigned vcpu);
	uint64_t param[64];

	/* The machine's ports. */
	uint16_t magic;
	uint8_t unplug_version;
	bool blacklist;
	uint16_t unplugged, product;
	uint32_t build;

	/* The script. */
	struct xen_refusal refusal[4];
	long suspend_result; /* of SCHEDOP_shutdown */
	void (*suspended)(struct xen *xen);
	unsigned vcpu; /* who calls; tests of threads set vcpu_of instead */
	unsigned (*vcpu_of)(void);
	uint64_t host_now;
	unsigned pages;        /* given out */
	void *page[XEN_PAGES]; /* all that were, until they are given back */
	unsigned pages_max;
	unsigned calls;
	void *frame[4];
};

/** xen_new - a Xen 4.18 on AMD that offers everything; xen_free - with all its pages. */
struct xen *xen_new(void);
void xen_free(struct xen *xen);

/** xen_refuse - calls of @number (and @op, their first argument) return @rc. */
void xen_refuse(struct xen *xen, unsigned number, unsigned op, int rc, unsigned skip,
		unsigned times);

/** xen_advance - time goes on; timers fire, time areas are written. */
void xen_advance(struct xen *xen, uint64_t ns);

/** xen_times_write - write all vcpus' time areas. */
void xen_times_write(struct xen *xen);

/** xen_steal - @vcpu wanted to run for @ns and did not. */
void xen_steal(struct xen *xen, unsigned vcpu, uint64_t ns);

/** xen_event - the port becomes pending, as if sent by the other side. */
void xen_event(struct xen *xen, uint32_t port);

/** xen_send - the same while other threads make calls. */
void xen_send(struct xen *xen, uint32_t port);

/** xen_interrupt - @vcpu takes what its local APIC has, unless its interrupts are off. */
void xen_interrupt(struct xen *xen, unsigned vcpu);

/** xen_forget - what a domain loses when it is restored on a host that booted @now ns ago. */
void xen_forget(struct xen *xen, uint64_t now);

/** For pvh_xen.c: what pvh_xen_calls.c answers. */
long xen_call(struct pvh_host *host, unsigned number, unsigned long a, unsigned long b,
	      unsigned long c, unsigned long d, unsigned long e);
