/* Clocks, the one-shot timer, runstate and stolen time. */
#include "frontend/kernel/test.h"
#include "frontend/kernel/world.h"

#define US    1000u
#define MS    1000000u
#define READS 5000u

static struct {
	uint64_t last;
	uint32_t backwards, stop;
} here;

/* All vcpus at once against one maximum. */
static void clock_race(void *arg)
{
	for (unsigned i = 0; i < READS; i++) {
		uint64_t before = __atomic_load_n(&here.last, __ATOMIC_SEQ_CST);
		uint64_t now = clock_read(&kernel.pvh.clock);

		if (now < before)
			__atomic_fetch_add(&here.backwards, 1, __ATOMIC_SEQ_CST);
		while (now > before &&
		       !__atomic_compare_exchange_n(&here.last, &before, now, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
	}
}

static enum verdict monotonic(void)
{
	here.last = 0;
	here.backwards = 0;
	for (unsigned vcpu = 1; vcpu < kernel.vcpus; vcpu++)
		smp_begin(vcpu, clock_race, NULL);
	clock_race(NULL);
	for (unsigned vcpu = 1; vcpu < kernel.vcpus; vcpu++)
		smp_wait(vcpu);
	CHECK(!here.backwards, "%u times back of %u reads", here.backwards, READS * kernel.vcpus);
	return test_say(VERDICT_OK, "%lu readings were clamped",
			kernel.pvh.anomalies.count[ANOMALY_TIME_BACKWARDS]);
}

/* At one moment, as good as: whoever is held up in between reads again. */
static bool both_read(uint64_t *xen, uint64_t *tsc)
{
	for (unsigned try = 0; try < 100; try++) {
		uint64_t before = clocks_ns(), after;

		*xen = world_now();
		after = clocks_ns();
		*tsc = before + (after - before) / 2;
		if (after - before < MS / 4)
			return true;
	}
	return false;
}

static enum verdict rate(void)
{
	uint64_t xen, tsc, xen_then, tsc_then, off;
	bool good = both_read(&xen_then, &tsc_then);

	clocks_spin(50 * MS);
	good &= both_read(&xen, &tsc);
	CHECK(good, "a quarter of a millisecond is not enough to read two clocks");
	xen -= xen_then;
	tsc -= tsc_then;
	off = xen > tsc ? xen - tsc : tsc - xen;
	CHECK(off < tsc / 100, "%lu ns by Xen's clock, %lu by the TSC", xen, tsc);
	return test_say(VERDICT_OK, "%lu ns apart in %lu ms", off, tsc / MS);
}

static enum verdict policy(void)
{
	struct clock *clock = &kernel.pvh.clock;

	clock_choose(clock, &kernel.xen);
	CHECK(clock->source != CLOCK_HOST, "the host's clock: %s", clock->why);
	CHECK(!clock->facts.time.emulated || clock->source != CLOCK_TSC, "a TSC that traps");
	return test_say(VERDICT_OK, "%s, since %s; incarnation %u, mode %u",
			clock_name(clock->source), clock->why, clock->facts.time.incarnation,
			clock->facts.time.mode);
}

static enum verdict wall(void)
{
	uint64_t first = wallclock_read(&kernel.host, kernel.pvh.evtchn.shared, world_now()),
		 second;

	clocks_spin(2 * MS);
	second = wallclock_read(&kernel.host, kernel.pvh.evtchn.shared, world_now());
	CHECK(first / 1000000000 > 1600000000, "%lu s since 1970", first / 1000000000);
	CHECK(second - first >= 2 * MS && second - first < 1000ul * MS, "%ld ns in 2 ms",
	      (long)(second - first));
	return test_say(VERDICT_OK, "%lu s since 1970", first / 1000000000);
}

static enum verdict time_area(void)
{
	uint64_t page, now;

	if (!kernel.pvh.time_page || kernel.pvh.time_way == AREA_NONE)
		return test_say(VERDICT_FAIL, "not registered");
	now = world_now();
	page = pvclock_user_read(&kernel.host, kernel.pvh.time_page, kernel.host.ops->vcpu);
	CHECK(page + 10 * MS > now && page < now + 1000ul * MS, "%lu, and Xen's %lu", page, now);
	return test_say(VERDICT_OK, "%s",
			kernel.pvh.time_way == AREA_PHYSICAL ? "physical" : "linear");
}

static enum verdict areas_physical(void)
{
	unsigned both = 1u << XENFEAT_runstate_phys_area | 1u << XENFEAT_vcpu_time_phys_area;

	if ((kernel.pvh.features & both) != both)
		return test_say(VERDICT_SKIP, "this Xen has no areas by address");
	CHECK(kernel.pvh.runstate[0].way == AREA_PHYSICAL, "runstate is linear");
	CHECK(kernel.pvh.time_way == AREA_PHYSICAL, "time is linear");
	return VERDICT_OK;
}

static uint64_t sum(struct runstate_times times)
{
	return times.running + times.runnable + times.blocked + times.offline;
}

static void sleep(uint64_t ns)
{
	uint32_t before = world.fired[0];

	cpu_interrupts_off();
	world_timer(world_now() + ns);
	while (world.fired[0] == before)
		cpu_wait();
	cpu_interrupts_on();
}

/* The area is written when the vcpu changes its state, which it does not if it is woken at once. */
static struct runstate_times runstate_fresh(void)
{
	struct runstate_times before = runstate_read(&kernel.pvh.runstate[0], &kernel.host), now;

	for (uint64_t ns = MS; ns < 1000ul * MS; ns *= 2) {
		sleep(ns);
		now = runstate_read(&kernel.pvh.runstate[0], &kernel.host);
		if (now.blocked != before.blocked)
			return now;
	}
	return before;
}

/* Some sleep, some work. */
static enum verdict runstate_adds_up(void)
{
	struct runstate_times before = runstate_fresh(), after;
	uint64_t begin = world_now(), elapsed, seen;

	for (unsigned i = 0; i < 10; i++) {
		clocks_spin(MS);
		sleep(MS);
	}
	after = runstate_fresh();
	elapsed = world_now() - begin;
	seen = sum(after) - sum(before);
	CHECK(after.blocked > before.blocked, "no time asleep was counted");
	CHECK(after.running >= before.running, "running went back");
	CHECK(seen <= elapsed + 100ul * MS, "%lu ns of %lu", seen, elapsed);
	CHECK(seen + 100ul * MS >= elapsed, "%lu ns of %lu", seen, elapsed);
	return test_say(VERDICT_OK, "%lu us of %lu", seen / US, elapsed / US);
}

static void burn(void *arg)
{
	while (!__atomic_load_n(&here.stop, __ATOMIC_ACQUIRE))
		cpu_relax();
}

/* More vcpus that spin than there are processors: somebody must wait. */
static enum verdict steal(void)
{
	uint64_t before = 0, after = 0, begin;

	if (kernel.vcpus < 3)
		return test_say(VERDICT_SKIP, "too few vcpus to be short of processors");
	here.stop = 0;
	for (unsigned vcpu = 0; vcpu < kernel.vcpus; vcpu++)
		before += runstate_stolen(&kernel.pvh.runstate[vcpu], &kernel.host);
	for (unsigned vcpu = 1; vcpu < kernel.vcpus; vcpu++)
		smp_begin(vcpu, burn, NULL);
	begin = world_now();
	while (after <= before && world_now() < begin + WORLD_PATIENCE_NS) {
		clocks_spin(20 * MS);
		after = 0;
		for (unsigned vcpu = 0; vcpu < kernel.vcpus; vcpu++)
			after += runstate_stolen(&kernel.pvh.runstate[vcpu], &kernel.host);
	}
	__atomic_store_n(&here.stop, 1, __ATOMIC_RELEASE);
	for (unsigned vcpu = 1; vcpu < kernel.vcpus; vcpu++)
		smp_wait(vcpu);
	CHECK(after > before, "nothing was stolen from %u spinning vcpus", kernel.vcpus);
	return test_say(VERDICT_OK, "%lu us", (after - before) / US);
}

static enum verdict timer_past(void)
{
	uint64_t deadline[] = {1, world_now() - 1000ul * MS, world_now() - 1, world_now()};

	for (unsigned i = 0; i < 4; i++) {
		uint32_t before = world.fired[0];

		CHECK(!world_timer(deadline[i]), "deadline %u refused", i);
		CHECK(world_wait(&world.fired[0], before + 1), "deadline %u never fires", i);
	}
	return VERDICT_OK;
}

/* @again takes the deadline back in time, or the case is tried once more: we may be preempted. */
static enum verdict taken_back(uint64_t again)
{
	for (uint64_t ns = 5 * MS; ns < 1000ul * MS; ns *= 3) {
		uint32_t before = world.fired[0];
		uint64_t deadline = world_now() + ns;

		world_timer(deadline);
		world_timer(again);
		if (world_now() >= deadline)
			continue;
		clocks_spin(ns + 5 * MS);
		world_poll();
		world_timer(0);
		CHECK(world.fired[0] == before, "it fired");
		return VERDICT_OK;
	}
	world_timer(0);
	return test_say(VERDICT_SKIP, "this vcpu never got to take it back in time");
}

static enum verdict timer_cancelled(void)
{
	return taken_back(0);
}

static enum verdict timer_rearmed(void)
{
	uint64_t later = world_now() + WORLD_PATIENCE_NS * 4, sooner;
	uint32_t before = world.fired[0];

	world_timer(later);
	sooner = world_now() + 3 * MS;
	world_timer(sooner);
	CHECK(world_wait(&world.fired[0], before + 1), "the sooner one did not fire");
	CHECK(world.fired_at[0] >= sooner, "early");
	return taken_back(later);
}

static enum verdict timer_of_another_vcpu(void)
{
	struct vcpu_set_singleshot_timer set = {.timeout_abs_ns = world_now() + MS};
	int rc;

	if (kernel.vcpus < 2)
		return test_say(VERDICT_SKIP, "one vcpu");
	rc = hypercall_vcpu(&kernel.host, VCPUOP_set_singleshot_timer, 1, &set);
	CHECK(rc == -EINVAL, "set for vcpu 1 from vcpu 0: %d", rc);
	CHECK(oneshot_set(&kernel.pvh.timer[1], world_now() + MS) == -EXDEV, "not refused");
	return VERDICT_OK;
}

/* VCPU_SSHOTTMR_future was once an error for the guest; since 2023 Xen fires at once. */
static enum verdict timer_future_flag(void)
{
	struct vcpu_set_singleshot_timer set = {.timeout_abs_ns = 1, .flags = VCPU_SSHOTTMR_future};
	uint64_t strays = kernel.pvh.anomalies.count[ANOMALY_TIMER_STRAY];
	int rc = hypercall_vcpu(&kernel.host, VCPUOP_set_singleshot_timer, 0, &set);

	clocks_spin(MS);
	world_poll();
	CHECK(rc == 0 || rc == -ETIME, "%d", rc);
	return test_say(VERDICT_OK, rc ? "-ETIME" : "fires at once: %lu stray",
			kernel.pvh.anomalies.count[ANOMALY_TIMER_STRAY] - strays);
}

static enum verdict timer_by(enum oneshot_way wanted)
{
	uint32_t before = world.fired[0];
	enum oneshot_way way = kernel.pvh.timer[0].way;
	bool fired;

	kernel.pvh.timer[0].way = wanted;
	world_timer(world_now() + MS);
	fired = world_wait(&world.fired[0], before + 1);
	world_timer(0);
	kernel.pvh.timer[0].way = way;
	CHECK(fired, "did not fire");
	return VERDICT_OK;
}

static enum verdict timer_set_timer_op(void)
{
	return timer_by(ONESHOT_SET_TIMER);
}

static enum verdict timer_singleshot(void)
{
	return timer_by(ONESHOT_VCPUOP);
}

/* Xen's periodic timer and the one-shot one share a VIRQ: the library stops the first. */
static enum verdict timer_periodic(void)
{
	struct vcpu_set_periodic_timer set = {.period_ns = 2 * MS}, fast = {.period_ns = 1000};
	uint64_t strays = kernel.pvh.anomalies.count[ANOMALY_TIMER_STRAY], seen;
	bool on;
	int rc;

	rc = hypercall_vcpu(&kernel.host, VCPUOP_set_periodic_timer, 0, &fast);
	CHECK(rc == -EINVAL, "a period of 1 us: %d", rc);
	CHECK(!hypercall_vcpu(&kernel.host, VCPUOP_set_periodic_timer, 0, &set), "refused");
	clocks_spin(30 * MS);
	world_poll();
	seen = kernel.pvh.anomalies.count[ANOMALY_TIMER_STRAY] - strays;
	on = cpu_interrupts_save();
	rc = oneshot_resume(&kernel.pvh.timer[0]);
	cpu_interrupts_restore(on);
	clocks_spin(MS);
	world_poll();
	strays = kernel.pvh.anomalies.count[ANOMALY_TIMER_STRAY];
	clocks_spin(20 * MS);
	world_poll();
	CHECK(!rc && kernel.pvh.anomalies.count[ANOMALY_TIMER_STRAY] == strays, "it goes on");
	CHECK(seen, "it never fired");
	return test_say(VERDICT_OK, "%lu in 30 ms", seen);
}

static enum verdict timers_everywhere(void)
{
	uint32_t before[SMP_VCPUS_MAX] = {0};

	if (!upcall_types[kernel.pvh.upcall.route].every_vcpu)
		return test_say(VERDICT_SKIP, "reaches vcpu 0 alone");
	for (unsigned vcpu = 0; vcpu < kernel.vcpus; vcpu++) {
		before[vcpu] = world.fired[vcpu];
		world.again[vcpu] = 500 * US;
		CHECK(!world_timer_on(vcpu, world_now() + MS), "vcpu %u: not set", vcpu);
	}
	for (unsigned vcpu = 0; vcpu < kernel.vcpus; vcpu++)
		CHECK(world_wait(&world.fired[vcpu], before[vcpu] + 20), "vcpu %u: %u ticks", vcpu,
		      world.fired[vcpu] - before[vcpu]);
	world_timer_stop();
	return VERDICT_OK;
}

static enum verdict anomalies(void)
{
	anomalies_print(&kernel.pvh.anomalies, test_words, sizeof(test_words));
	if (kernel.pvh.anomalies.count[ANOMALY_EVENT_RECOVERED])
		return VERDICT_FAIL;
	return VERDICT_OK;
}

static const struct test tests[] = {
	{"monotonic", "3.0", monotonic},
	{"rate", "3.0", rate},
	{"policy", "4.0", policy},
	{"wall-clock", "3.0", wall},
	{"time-area", "3.4", time_area},
	{"areas-physical", "4.18", areas_physical},
	{"runstate", "3.1", runstate_adds_up},
	{"steal", "3.1", steal},
	{"timer-past", "3.1", timer_past},
	{"timer-cancelled", "3.1", timer_cancelled},
	{"timer-rearmed", "3.1", timer_rearmed},
	{"timer-of-another-vcpu", "3.1", timer_of_another_vcpu},
	{"timer-future-flag", "3.1", timer_future_flag},
	{"timer-set-timer-op", "3.0", timer_set_timer_op},
	{"timer-singleshot", "3.1", timer_singleshot},
	{"timer-periodic", "3.1", timer_periodic},
	{"timers-on-all-vcpus", "3.1", timers_everywhere},
	{"anomalies", "3.0", anomalies},
};

void tests_time(void)
{
	if (world_upgrade())
		return;
	if (kernel.pvh.upcall.route == UPCALL_POLL)
		upcall_choose(&kernel.pvh.upcall, kernel.pvh.features, ~0u);
	test_cases("time", tests, sizeof(tests) / sizeof(tests[0]));
}
