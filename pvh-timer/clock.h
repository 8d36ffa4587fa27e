/*
 * clock.h - which clock the guest reads, chosen by a policy that is asked again after each resume.
 *
 * A trap for each reading (an emulated TSC) or a system call for each (pvclock in user space
 * without a page) costs much; a TSC that jumps costs more. Switching never takes a step back.
 */
#pragma once

#include "pvh-timer/cpuid.h"
#include "pvh-timer/evtchn.h"
#include "pvh-timer/pvclock.h"

enum clock_source {
	CLOCK_HOST, /* the host's own: HPET, PIT */
	CLOCK_XEN,  /* pvclock */
	CLOCK_TSC,  /* the TSC alone */
};

/** What the policy judges by. */
struct clock_facts {
	bool xen;           /* there is a time area */
	bool stable;        /* with XEN_PVCLOCK_TSC_STABLE_BIT */
	bool tsc_invariant; /* the processor says so */
	bool time_known;    /* leaf 3 is there */
	struct cpuid_time time;
};

/** clock_policy - pure. @why: set to a few words. */
enum clock_source clock_policy(const struct clock_facts *facts, const char **why);

struct clock {
	/* Set by the owner. */
	struct pvh_host *host;
	struct evtchn *evtchn; /* has each vcpu's time area */
	struct anomalies *anomalies;

	enum clock_source source;
	const char *why;
	struct clock_facts facts;
	uint32_t version;    /* odd: being switched */
	uint64_t offset;     /* ns to add to the source's own */
	uint64_t tsc_origin; /* ticks that are 0 ns of CLOCK_TSC */
	uint32_t tsc_mul;
	int8_t tsc_shift;
	uint64_t floor; /* the largest that was read of a source that does not see to it itself */
	struct pvclock pvclock;
};

/** clock_choose - look at the facts and switch. Before there is Xen as well: then the host's. */
void clock_choose(struct clock *clock, const struct cpuid_xen *xen);

/** clock_read - ns; never less than what any vcpu has read before. */
uint64_t clock_read(struct clock *clock);

/** clock_xen - Xen's own time, that deadlines of timers are in. On any vcpu. */
uint64_t clock_xen(struct clock *clock);

/** clock_resume - after a suspend, interrupts off: go on at @last, what was read before it, with
 * what is best now. */
void clock_resume(struct clock *clock, const struct cpuid_xen *xen, uint64_t last);

const char *clock_name(enum clock_source source);
