/*
 * pvh.h - one guest's whole state of this library, and the two sequences on it: upgrade, suspend.
 */
#pragma once

#include "pvh-timer/clock.h"
#include "pvh-timer/oneshot.h"
#include "pvh-timer/runstate.h"
#include "pvh-timer/unplug.h"
#include "pvh-timer/upcall.h"

enum upgrade_part {
	UPGRADE_XEN,       /* found in CPUID */
	UPGRADE_SHARED,    /* the shared info page */
	UPGRADE_VCPU_INFO, /* own vcpu_info areas, where the shared page has no slot */
	UPGRADE_EVENTS,    /* event channel ABI */
	UPGRADE_INTERRUPT, /* how upcalls come */
	UPGRADE_TOOLSTACK, /* it may ask us to shut down and suspend */
	UPGRADE_RUNSTATE,
	UPGRADE_TIME_AREA, /* the page that user space may read */
	UPGRADE_CLOCK,
	UPGRADE_TIMER,
	UPGRADE_UNPLUG, /* emulated disks and cards are gone */
	UPGRADE_PARTS,
};

enum upgrade_outcome {
	UPGRADE_LEFT,     /* not tried, or not wanted */
	UPGRADE_SWITCHED, /* the best there is */
	UPGRADE_FELL_BACK,
	UPGRADE_FAILED, /* stays as it was */
};

struct upgrade_step {
	enum upgrade_outcome outcome;
	const char *what; /* a word or a few: "FIFO", "vcpu-vector", "reading the TSC traps" */
	int rc;           /* why not better: 0 or a negative errno */
};

struct pvh {
	/* Set by the owner before upgrade(); the rest is zero. */
	struct pvh_host *host;
	unsigned vcpus; /* all of them are up */
	uint8_t vector;
	struct pvh_line line;
	bool pci_present;        /* the platform device at line.bus, line.devfn */
	bool two_level;          /* do not try FIFO */
	bool register_vcpu_info; /* for all vcpus, not only where it must be */
	unsigned routes;         /* 1 << UPCALL_*, 0: all */
	uint16_t unplug;         /* UNPLUG_*: what to unplug; 0: nothing */
	uint32_t build;
	void (*timer_fired)(void *arg, unsigned vcpu); /* interrupts off; NULL: no PV timers */
	void *arg;
	/* Ports of the toolstack's, adopted by the owner; made anew by suspend. */
	struct evtchn_channel *store, *console;

	struct cpuid_xen xen;
	uint32_t features;
	bool hvm_emulated; /* there is a platform device: HVM, not PVH */
	struct upgrade_step step[UPGRADE_PARTS];
	struct unplug unplugged;
	struct anomalies anomalies;
	struct evtchn evtchn;
	struct upcall upcall;
	struct clock clock;
	struct vcpu_time_info *time_page;
	enum area_way time_way;
	struct vcpu_info *info_page[PVH_VCPUS_MAX / 64];
	uint8_t *runstate_page[PVH_VCPUS_MAX / 64];
	struct runstate runstate[PVH_VCPUS_MAX];
	struct oneshot timer[PVH_VCPUS_MAX];
	struct pvh_timer_arg {
		struct pvh *pvh;
		unsigned vcpu;
	} timer_arg[PVH_VCPUS_MAX];
};

/**
 * upgrade - turn whatever the guest is into one that uses all Xen offers.
 *
 * On vcpu 0, interrupts may be on; each part that cannot be had leaves the guest as it was and is
 * reported in step[]. Return: 0, or -ENODEV (no Xen), or the error of the shared page or the event
 * channels, without which there is nothing.
 */
int upgrade(struct pvh *pvh);

/** upgrade_part_name - such as "interrupt"; upgrade_outcome_name - such as "switched". */
const char *upgrade_part_name(enum upgrade_part part);
const char *upgrade_outcome_name(enum upgrade_outcome outcome);

/** upgrade_shared_map, upgrade_infos_register - two steps that a resume repeats. 0 or an errno. */
int upgrade_shared_map(struct pvh *pvh);
int upgrade_infos_register(struct pvh *pvh);

/** upgrade_apic_virtual - does the processor run the local APIC, as far as Xen tells? */
bool upgrade_apic_virtual(struct pvh *pvh);

/** upgrade_areas - runstate and time areas, reported in step[]. */
void upgrade_areas(struct pvh *pvh);

struct suspend_report {
	bool cancelled;
	bool in_place; /* not cancelled, but the domain is the same: nobody said so */
	uint32_t incarnation_before, incarnation; /* 0 when hidden */
	uint64_t clock_before, clock_after;       /* ns of the guest's clock */
	uint64_t wall_before, wall_after;         /* ns since 1970 */
	unsigned wrong; /* what the self-check found, after all was made anew */
	unsigned errors;
	int rc; /* the first of them */
};

/**
 * suspend - ask Xen to suspend the domain, and make everything anew when it returns.
 *
 * On vcpu 0 with interrupts off; devices are quiet, the other vcpus wait where the host's vcpu_run
 * still reaches them. Channels to other domains are closed afterwards (evtchn_rebind), those of
 * store and console adopted again at the ports that the parameters name now. Grant tables and what
 * is in them are the host's to make anew.
 *
 * Return: 0, or what Xen says to the call: nothing has changed then.
 */
int suspend(struct pvh *pvh, struct suspend_report *report);

/** suspend_check - is all as it should be? Interrupts off. Return: how many things are not. */
unsigned suspend_check(struct pvh *pvh);
