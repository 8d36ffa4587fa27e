/* Clocks and stolen time on the scripted hypervisor. */
#include "tests/unit/check.h"
#include "tests/unit/pvh_guest.h"

static const struct {
	const char *what;
	uint64_t ticks;
	uint32_t mul;
	int8_t shift;
	uint64_t ns;
} scales[] = {
	{"a tick a nanosecond", 12345, 0x80000000, 1, 12345},
	{"2 GHz", 2000000000, 0x80000000, 0, 1000000000},
	{"shifted right", 4000000000, 0x80000000, -1, 1000000000},
	{"a year at 4 GHz does not overflow", UINT64_C(31536000) * 4000000000, 0x80000000, -1,
	 UINT64_C(31536000) * 1000000000},
	{"nothing", 0, 0xffffffff, 31, 0},
};

START_TEST(scaled_in_128_bits)
{
	ck_assert_msg(pvclock_scale(scales[_i].ticks, scales[_i].mul, scales[_i].shift) ==
			      scales[_i].ns,
		      "%s", scales[_i].what);
}
END_TEST

START_TEST(time_passes)
{
	struct xen *xen = guest_upgraded(4);
	uint64_t before = clock_xen(&pvh.clock);

	ck_assert_int_eq(before, xen->now);
	xen_advance(xen, 5000);
	ck_assert_int_eq(clock_xen(&pvh.clock), before + 5000);
	/* Between two writes of the area the TSC goes on. */
	xen->now += 70;
	ck_assert_int_eq(clock_xen(&pvh.clock), before + 5070);
}
END_TEST

START_TEST(never_back_across_vcpus)
{
	struct xen *xen = guest_upgraded(4);
	uint64_t ahead;

	xen->skew[1] = 300;
	xen->vcpu = 1;
	ahead = clock_read(&pvh.clock);
	xen->vcpu = 0;
	ck_assert_msg(clock_read(&pvh.clock) >= ahead, "vcpu 0 is behind what vcpu 1 read");
	ck_assert_int_eq(pvh.anomalies.count[ANOMALY_TIME_BACKWARDS], 1);
}
END_TEST

START_TEST(tsc_before_its_stamp_counts_as_equal)
{
	struct xen *xen = guest_upgraded(4);
	uint64_t now = xen->now;

	xen->skew[0] = -500;
	ck_assert_int_eq(clock_xen(&pvh.clock), now);
	ck_assert(pvh.anomalies.count[ANOMALY_TSC_BACKWARDS] >= 1);
}
END_TEST

START_TEST(wall_clock)
{
	struct xen *xen = guest_upgraded(4);

	ck_assert(wallclock_read(pvh.host, pvh.evtchn.shared, clock_xen(&pvh.clock)) ==
		  xen->wall_at_boot + xen->now);
}
END_TEST

START_TEST(user_page)
{
	struct xen *xen = guest_upgraded(4);

	ck_assert_int_eq(pvh.time_way, AREA_PHYSICAL);
	xen_advance(xen, 999);
	for (xen->vcpu = 0; xen->vcpu < 4; xen->vcpu++)
		ck_assert(pvclock_user_read(pvh.host, pvh.time_page, pvh.host->ops->vcpu) ==
			  xen->now);
}
END_TEST

START_TEST(stolen_time_goes_on)
{
	struct xen *xen = guest_upgraded(4);

	ck_assert_int_eq(pvh.runstate[1].way, AREA_PHYSICAL);
	xen_steal(xen, 1, 700);
	ck_assert_int_eq(runstate_stolen(&pvh.runstate[1], pvh.host), 700);
	ck_assert_int_eq(runstate_stolen(&pvh.runstate[0], pvh.host), 0);
	runstate_note(&pvh.runstate[1], pvh.host);
	runstate_resume(&pvh.runstate[1]);
	xen->runstate[1] = (struct vcpu_runstate_info){0};
	xen_steal(xen, 1, 50);
	ck_assert_int_eq(runstate_stolen(&pvh.runstate[1], pvh.host), 750);
}
END_TEST

static const struct {
	const char *what;
	struct clock_facts facts;
	enum clock_source source;
} policies[] = {
	{"no Xen", {.xen = false, .tsc_invariant = true}, CLOCK_HOST},
	{"leaf 3 hidden", {.xen = true, .tsc_invariant = true, .stable = true}, CLOCK_XEN},
	{"emulated TSC",
	 {true, true, true, true, {.emulated = true, .host_reliable = true, .khz = 1}},
	 CLOCK_XEN},
	{"no frequency", {true, true, true, true, {.host_reliable = true}}, CLOCK_XEN},
	{"not invariant", {true, true, false, true, {.host_reliable = true, .khz = 1}}, CLOCK_XEN},
	{"nobody trusts it", {true, false, true, true, {.khz = 1, .mode = 2}}, CLOCK_XEN},
	{"the host trusts it",
	 {true, false, true, true, {.host_reliable = true, .khz = 1}},
	 CLOCK_TSC},
	{"Xen vouches for it", {true, true, true, true, {.khz = 1}}, CLOCK_TSC},
};

START_TEST(policy)
{
	const char *why = NULL;

	ck_assert_msg(clock_policy(&policies[_i].facts, &why) == policies[_i].source, "%s",
		      policies[_i].what);
	ck_assert(why && *why);
}
END_TEST

START_TEST(tsc_is_read_directly_and_keeps_pace)
{
	struct xen *xen = guest_make(4);
	uint64_t before;

	xen->tsc_invariant = xen->tsc_reliable = true;
	ck_assert_int_eq(upgrade(&pvh), 0);
	ck_assert_int_eq(pvh.clock.source, CLOCK_TSC);
	before = clock_read(&pvh.clock);
	xen->now += UINT64_C(86400) * 1000000000;
	ck_assert_int_eq(clock_read(&pvh.clock), before + UINT64_C(86400) * 1000000000);
}
END_TEST

/* From each source to each other, with the new one far ahead or behind: no step either way. */
START_TEST(switched_without_a_step)
{
	struct xen *xen = guest_make(4);
	uint64_t before, after;

	xen->tsc_invariant = true;
	xen->host_now = 777;
	ck_assert_int_eq(upgrade(&pvh), 0);
	ck_assert_msg(clock_read(&pvh.clock) == 777, "it goes on where the host's clock was");
	for (unsigned i = 0; i < 6; i++) {
		xen_advance(xen, 1000);
		before = clock_read(&pvh.clock);
		xen->tsc_reliable = i % 2 == 0;
		clock_choose(&pvh.clock, &pvh.xen);
		ck_assert_int_eq(pvh.clock.source, i % 2 == 0 ? CLOCK_TSC : CLOCK_XEN);
		after = clock_read(&pvh.clock);
		ck_assert_int_eq(after, before);
		xen_advance(xen, 10);
		ck_assert_int_eq(clock_read(&pvh.clock), after + 10);
	}
}
END_TEST

static struct {
	struct pvh_ops ops, before;
	uint64_t latest; /* that was read meanwhile */
	bool inside;
} other;

/* What Xen vouches for is not clamped, and it is looked at each time whether it does. */
START_TEST(stable_as_long_as_xen_says_so)
{
	struct xen *xen = guest_upgraded(4);
	uint64_t behind;

	xen->skew[1] = 300;
	xen->stable = true;
	xen_advance(xen, 10);
	behind = clock_xen(&pvh.clock);
	xen->vcpu = 1;
	ck_assert_uint_eq(clock_xen(&pvh.clock), behind + 300);
	xen->vcpu = 0;
	ck_assert_uint_eq(clock_xen(&pvh.clock), behind);
	xen->stable = false;
	xen_advance(xen, 10);
	xen->vcpu = 1;
	ck_assert_uint_eq(clock_xen(&pvh.clock), behind + 310);
	xen->vcpu = 0;
	ck_assert_uint_eq(clock_xen(&pvh.clock), behind + 310);
}
END_TEST

static uint64_t rdtsc_overtaken(struct pvh_host *host)
{
	struct xen *xen = (struct xen *)host;
	uint64_t ticks = other.before.rdtsc(host);

	if (other.inside)
		return ticks;
	other.inside = true;
	xen->now += 70;
	other.latest = clock_xen(&pvh.clock);
	other.inside = false;
	return ticks;
}

/* Who is overtaken between its look at the TSC and its answer has not seen time go back. */
START_TEST(overtaken_is_not_backwards)
{
	struct xen *xen = guest_upgraded(4);
	uint64_t now;

	other.before = other.ops = *xen->host.ops;
	other.ops.rdtsc = rdtsc_overtaken;
	xen->host.ops = &other.ops;
	now = clock_xen(&pvh.clock);
	ck_assert_uint_ge(now, other.latest);
	ck_assert_uint_eq(pvh.anomalies.count[ANOMALY_TIME_BACKWARDS], 0);
}
END_TEST

/* As long as it takes to ask the processor, another vcpu reads the clock. */
static void cpuid_slowly(struct pvh_host *host, uint32_t leaf, uint32_t subleaf,
			 struct pvh_cpuid_words *words)
{
	struct xen *xen = (struct xen *)host;

	xen_advance(xen, 70);
	xen->vcpu = 1;
	other.latest = clock_read(&pvh.clock);
	xen->vcpu = 0;
	other.before.cpuid(host, leaf, subleaf, words);
}

/* What others read while it is thought about is not taken back. */
START_TEST(switched_while_others_read)
{
	struct xen *xen = guest_make(4);

	xen->tsc_invariant = true;
	ck_assert_int_eq(upgrade(&pvh), 0);
	other.before = other.ops = *xen->host.ops;
	other.ops.cpuid = cpuid_slowly;
	xen->host.ops = &other.ops;
	for (unsigned i = 0; i < 4; i++) {
		xen->tsc_reliable = i % 2 == 0;
		clock_choose(&pvh.clock, &pvh.xen);
		ck_assert_int_eq(pvh.clock.source, i % 2 == 0 ? CLOCK_TSC : CLOCK_XEN);
		ck_assert_msg(clock_read(&pvh.clock) >= other.latest, "%lu after %lu",
			      (unsigned long)clock_read(&pvh.clock), (unsigned long)other.latest);
	}
}
END_TEST

static uint64_t rdtsc_interrupted(struct pvh_host *host)
{
	struct xen *xen = (struct xen *)host;

	ck_assert_msg(xen->running || !other.inside, "switched with interrupts on");
	return other.before.rdtsc(host);
}

/* A handler that reads the clock while it is switched would wait for ever. */
START_TEST(switched_with_interrupts_off)
{
	struct xen *xen = guest_make(4);

	xen->tsc_invariant = true;
	ck_assert_int_eq(upgrade(&pvh), 0);
	other.before = other.ops = *xen->host.ops;
	other.ops.rdtsc = rdtsc_interrupted;
	xen->host.ops = &other.ops;
	xen->tsc_reliable = true;
	other.inside = true;
	pvh.evtchn.vcpu[0].info->time.tsc_to_system_mul = 0;
	clock_choose(&pvh.clock, &pvh.xen);
	other.inside = false;
}
END_TEST

/* One that is behind reads the moment of the switch, not one of centuries to come. */
START_TEST(tsc_behind_the_switch)
{
	struct xen *xen = guest_make(4);
	uint64_t before;

	xen->tsc_invariant = xen->tsc_reliable = true;
	ck_assert_int_eq(upgrade(&pvh), 0);
	before = clock_read(&pvh.clock);
	xen->skew[1] = -20;
	xen->vcpu = 1;
	ck_assert_uint_eq(clock_read(&pvh.clock), before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pvh_clock");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, scaled_in_128_bits, 0, TABLE_SIZE(scales));
	tcase_add_test(tc, time_passes);
	tcase_add_test(tc, never_back_across_vcpus);
	tcase_add_test(tc, stable_as_long_as_xen_says_so);
	tcase_add_test(tc, overtaken_is_not_backwards);
	tcase_add_test(tc, tsc_before_its_stamp_counts_as_equal);
	tcase_add_test(tc, wall_clock);
	tcase_add_test(tc, user_page);
	tcase_add_test(tc, stolen_time_goes_on);
	tcase_add_loop_test(tc, policy, 0, TABLE_SIZE(policies));
	tcase_add_test(tc, tsc_is_read_directly_and_keeps_pace);
	tcase_add_test(tc, switched_without_a_step);
	tcase_add_test(tc, switched_while_others_read);
	tcase_add_test(tc, switched_with_interrupts_off);
	tcase_add_test(tc, tsc_behind_the_switch);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
