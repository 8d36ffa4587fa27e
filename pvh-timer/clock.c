#include "pvh-timer/clock.h"

#include <string.h>

#define NS_PER_MS UINT64_C(1000000)

enum clock_source clock_policy(const struct clock_facts *facts, const char **why)
{
	const struct cpuid_time *time = &facts->time;

	if (!facts->xen) {
		*why = "no time area of Xen's";
		return CLOCK_HOST;
	}
	if (!facts->time_known)
		*why = "CPUID leaf 3 is hidden";
	else if (time->emulated)
		*why = "reading the TSC traps";
	else if (!time->khz)
		*why = "the TSC's frequency is not told";
	else if (!facts->tsc_invariant)
		*why = "the TSC is not invariant";
	else if (!time->host_reliable && !facts->stable)
		*why = "the host does not trust its TSC";
	else {
		*why = facts->stable ? "Xen says the TSC is stable" : "the host's TSC is reliable";
		return CLOCK_TSC;
	}
	return CLOCK_XEN;
}

/* ns = ticks * 10^6 / kHz as a shift and a multiplication, exact to 2^-31. */
static void tsc_scale_make(struct clock *clock, uint32_t khz)
{
	uint64_t ns = NS_PER_MS << 32;
	int8_t shift = 0;

	/* The multiplier is to have its top bit set. */
	while (ns / khz >> 32) {
		ns >>= 1;
		shift++;
	}
	while (!(ns / khz >> 31)) {
		ns <<= 1;
		shift--;
	}
	clock->tsc_mul = (uint32_t)(ns / khz);
	clock->tsc_shift = shift;
}

/* Another vcpu's TSC may be a little behind the one that the origin is of. */
static uint64_t ticks_since(struct clock *clock, uint64_t origin)
{
	uint64_t ticks = clock->host->ops->rdtsc(clock->host);

	return ticks > origin ? ticks - origin : 0;
}

static uint64_t raw_read(struct clock *clock, enum clock_source source)
{
	unsigned vcpu;

	switch (source) {
	case CLOCK_TSC:
		return pvclock_scale(ticks_since(clock, clock->tsc_origin), clock->tsc_mul,
				     clock->tsc_shift);
	case CLOCK_XEN:
		vcpu = clock->host->ops->vcpu(clock->host);
		return pvclock_read(&clock->pvclock, clock->host,
				    &clock->evtchn->vcpu[vcpu].info->time, clock->anomalies);
	default:
		return clock->host->ops->now(clock->host);
	}
}

static uint64_t floor_keep(struct clock *clock, uint64_t now)
{
	uint64_t last = __atomic_load_n(&clock->floor, __ATOMIC_ACQUIRE);

	while (now > last && !__atomic_compare_exchange_n(&clock->floor, &last, now, false,
							  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		;
	return now > last ? now : last;
}

uint64_t clock_read(struct clock *clock)
{
	enum clock_source source;
	uint32_t version;
	uint64_t now;

	do {
		version = __atomic_load_n(&clock->version, __ATOMIC_ACQUIRE);
		source = __atomic_load_n(&clock->source, __ATOMIC_RELAXED);
		now = raw_read(clock, source) + __atomic_load_n(&clock->offset, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (version & 1 || __atomic_load_n(&clock->version, __ATOMIC_RELAXED) != version);
	return source == CLOCK_HOST ? floor_keep(clock, now) : now;
}

uint64_t clock_xen(struct clock *clock)
{
	unsigned vcpu = clock->host->ops->vcpu(clock->host);
	struct vcpu_info *info = clock->evtchn->vcpu[vcpu].info;

	if (!info)
		return clock->host->ops->now(clock->host);
	return pvclock_read(&clock->pvclock, clock->host, &info->time, clock->anomalies);
}

static struct clock_facts facts_read(struct clock *clock, const struct cpuid_xen *xen)
{
	unsigned vcpu = clock->host->ops->vcpu(clock->host);
	struct vcpu_info *info = clock->evtchn->vcpu[vcpu].info;
	struct clock_facts facts = {.xen = info, .tsc_invariant = xen->tsc_invariant};

	/* An area that Xen has never written has no scale. */
	if (info && !info->time.tsc_to_system_mul)
		facts.xen = false;
	if (facts.xen)
		pvclock_sample(clock->host, &info->time, NULL, &facts.stable);
	facts.time_known = !cpuid_time_read(clock->host, xen, &facts.time);
	return facts;
}

/* Readers on other vcpus wait for the even version, so it is written last, and interrupts are off:
 * a handler here would wait for ever. @last: where to go on; NULL: where the source in use is,
 * which is read when nobody else can read more of it any more. */
static void source_switch(struct clock *clock, enum clock_source source, const uint64_t *last)
{
	uint64_t now;

	if (source != clock->source)
		anomaly_note(clock->anomalies, ANOMALY_CLOCK_SWITCHED);
	__atomic_fetch_add(&clock->version, 1, __ATOMIC_SEQ_CST);
	now = last ? *last : raw_read(clock, clock->source) + clock->offset;
	if (!last && clock->source == CLOCK_HOST)
		now = floor_keep(clock, now);
	__atomic_store_n(&clock->source, source, __ATOMIC_RELAXED);
	if (source == CLOCK_TSC) {
		tsc_scale_make(clock, clock->facts.time.khz);
		clock->tsc_origin = clock->host->ops->rdtsc(clock->host);
	}
	__atomic_store_n(&clock->offset, now - raw_read(clock, source), __ATOMIC_RELAXED);
	clock->floor = now;
	__atomic_fetch_add(&clock->version, 1, __ATOMIC_SEQ_CST);
}

struct choice {
	struct clock *clock;
	enum clock_source source;
};

static void choice_make(void *arg)
{
	struct choice *choice = arg;

	source_switch(choice->clock, choice->source, NULL);
}

void clock_choose(struct clock *clock, const struct cpuid_xen *xen)
{
	const struct pvh_ops *ops = clock->host->ops;
	struct choice choice = {.clock = clock};

	clock->facts = facts_read(clock, xen);
	choice.source = clock_policy(&clock->facts, &clock->why);
	if (choice.source != clock->source || clock->offset == 0)
		ops->vcpu_run(clock->host, ops->vcpu(clock->host), choice_make, &choice);
}

void clock_resume(struct clock *clock, const struct cpuid_xen *xen, uint64_t last)
{
	clock->pvclock.last = 0;
	clock->facts = facts_read(clock, xen);
	source_switch(clock, clock_policy(&clock->facts, &clock->why), &last);
}

const char *clock_name(enum clock_source source)
{
	static const char *const names[] = {
		[CLOCK_HOST] = "host", [CLOCK_XEN] = "xen", [CLOCK_TSC] = "tsc"};

	return names[source];
}
