/* Clocks, stolen time and timers on the scripted hypervisor. */
#include "tests/unit/check.h"
#include "tests/unit/pvh_xen.h"

#include <string.h>

static struct pvh pvh;
static unsigned fired[XEN_VCPUS];
static uint64_t again; /* ns after which the handler arms its timer again */

static void timer_fired(void *arg, unsigned vcpu)
{
	fired[vcpu]++;
	if (again)
		oneshot_set(&pvh.timer[vcpu], clock_xen(&pvh.clock) + again);
}

static struct xen *world_make(void)
{
	struct xen *xen = xen_new();

	memset(&pvh, 0, sizeof(pvh));
	memset(fired, 0, sizeof(fired));
	again = 0;
	pvh.host = &xen->host;
	pvh.vcpus = 4;
	pvh.vector = 0xf3;
	pvh.timer_fired = timer_fired;
	return xen;
}

static struct xen *world_upgraded(void)
{
	struct xen *xen = world_make();

	ck_assert_int_eq(upgrade(&pvh), 0);
	return xen;
}

static void deliver(struct xen *xen)
{
	for (unsigned vcpu = 0; vcpu < pvh.vcpus; vcpu++) {
		xen->vcpu = vcpu;
		if (evtchn_waiting(&pvh.evtchn, vcpu))
			upcall_interrupt(&pvh.upcall, vcpu, false);
	}
	xen->vcpu = 0;
}

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
	struct xen *xen = world_upgraded();
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
	struct xen *xen = world_upgraded();
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
	struct xen *xen = world_upgraded();
	uint64_t now = xen->now;

	xen->skew[0] = -500;
	ck_assert_int_eq(clock_xen(&pvh.clock), now);
	ck_assert(pvh.anomalies.count[ANOMALY_TSC_BACKWARDS] >= 1);
}
END_TEST

START_TEST(wall_clock)
{
	struct xen *xen = world_upgraded();

	ck_assert(wallclock_read(pvh.host, pvh.evtchn.shared, clock_xen(&pvh.clock)) ==
		  xen->wall_at_boot + xen->now);
}
END_TEST

START_TEST(user_page)
{
	struct xen *xen = world_upgraded();

	ck_assert_int_eq(pvh.time_way, AREA_PHYSICAL);
	xen_advance(xen, 999);
	for (xen->vcpu = 0; xen->vcpu < 4; xen->vcpu++)
		ck_assert(pvclock_user_read(pvh.host, pvh.time_page, pvh.host->ops->vcpu) ==
			  xen->now);
}
END_TEST

START_TEST(stolen_time_goes_on)
{
	struct xen *xen = world_upgraded();

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

START_TEST(timer_fires_once)
{
	struct xen *xen = world_upgraded();

	ck_assert(!xen->periodic[0] && !xen->periodic[3]);
	ck_assert_int_eq(oneshot_set(&pvh.timer[0], xen->now + 1000), 0);
	xen_advance(xen, 999);
	deliver(xen);
	ck_assert_int_eq(fired[0], 0);
	xen_advance(xen, 1);
	deliver(xen);
	ck_assert_int_eq(fired[0], 1);
	xen_advance(xen, 100000);
	deliver(xen);
	ck_assert_int_eq(fired[0], 1);
}
END_TEST

START_TEST(timer_in_the_past_fires_at_once)
{
	struct xen *xen = world_upgraded();

	ck_assert_int_eq(oneshot_set(&pvh.timer[0], xen->now - 1), 0);
	deliver(xen);
	ck_assert_int_eq(fired[0], 1);
	ck_assert_int_eq(pvh.anomalies.count[ANOMALY_TIMER_PAST], 1);
	/* An old Xen refuses it. */
	xen->etime = true;
	pvh.timer[0].way = ONESHOT_VCPUOP;
	ck_assert_int_eq(oneshot_set(&pvh.timer[0], 5), 0);
	xen_advance(xen, 2);
	deliver(xen);
	ck_assert_int_eq(fired[0], 2);
	ck_assert_int_eq(pvh.timer[0].way, ONESHOT_VCPUOP);
}
END_TEST

START_TEST(timer_replaced_cancelled)
{
	struct xen *xen = world_upgraded();

	oneshot_set(&pvh.timer[0], xen->now + 1000);
	oneshot_set(&pvh.timer[0], xen->now + 5000);
	xen_advance(xen, 2000);
	deliver(xen);
	ck_assert_int_eq(fired[0], 0);
	ck_assert_int_eq(oneshot_cancel(&pvh.timer[0]), 0);
	xen_advance(xen, 5000);
	deliver(xen);
	ck_assert_int_eq(fired[0], 0);
}
END_TEST

static struct {
	struct pvh_ops ops, before;
	uint64_t ns;
} open_call;

/* With interrupts on: what is due comes before the call, which takes a while, and after it. */
static long call_interrupted(struct pvh_host *host, unsigned number, unsigned long a,
			     unsigned long b, unsigned long c, unsigned long d, unsigned long e)
{
	struct xen *xen = (struct xen *)host;
	uint64_t ns = open_call.ns;
	long rc;

	open_call.ns = 0;
	if (ns) {
		xen_advance(xen, ns);
		deliver(xen);
	}
	rc = open_call.before.hypercall(host, number, a, b, c, d, e);
	if (ns)
		deliver(xen);
	return rc;
}

START_TEST(timer_set_while_the_last_one_fires)
{
	struct xen *xen = world_upgraded();

	open_call.before = open_call.ops = *xen->host.ops;
	open_call.ops.hypercall = call_interrupted;
	xen->host.ops = &open_call.ops;
	oneshot_set(&pvh.timer[0], xen->now + 1000);
	again = 3000;
	open_call.ns = 1500;
	ck_assert_int_eq(oneshot_set(&pvh.timer[0], xen->now + 1200), 0);
	ck_assert_int_eq(fired[0], 1);
	/* The handler's own is what Xen has in the end. */
	ck_assert_int_eq(xen->deadline[0], xen->now + 3000);
	again = 0;
	xen_advance(xen, 3000);
	deliver(xen);
	ck_assert_int_eq(fired[0], 2);
}
END_TEST

START_TEST(timer_early_and_stray)
{
	struct xen *xen = world_upgraded();

	xen_event(xen, pvh.timer[0].channel.port);
	deliver(xen);
	ck_assert_int_eq(pvh.anomalies.count[ANOMALY_TIMER_STRAY], 1);
	oneshot_set(&pvh.timer[0], xen->now + 1000);
	xen_event(xen, pvh.timer[0].channel.port);
	deliver(xen);
	ck_assert_int_eq(pvh.anomalies.count[ANOMALY_TIMER_EARLY], 1);
	ck_assert_int_eq(fired[0], 0);
	/* As much later as it was early, for clocks that are not quite the same. */
	ck_assert_int_eq(xen->deadline[0], xen->now + 2000);
	xen_advance(xen, 2000);
	deliver(xen);
	ck_assert_int_eq(fired[0], 1);
}
END_TEST

START_TEST(timer_of_another_vcpu)
{
	struct xen *xen = world_upgraded();

	ck_assert_int_eq(oneshot_set(&pvh.timer[2], xen->now + 1), -EXDEV);
	ck_assert_int_eq(oneshot_cancel(&pvh.timer[2]), -EXDEV);
	ck_assert_int_eq(oneshot_set(&pvh.timer[0], 0), -EINVAL);
	xen->vcpu = 2;
	ck_assert_int_eq(oneshot_set(&pvh.timer[2], xen->now + 1), 0);
	xen_advance(xen, 1);
	deliver(xen);
	ck_assert(fired[2] == 1 && fired[0] == 0);
}
END_TEST

START_TEST(timer_falls_back)
{
	struct xen *xen = world_make();

	xen_refuse(xen, __HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, -ENOSYS, 0, 99);
	ck_assert_int_eq(upgrade(&pvh), 0);
	ck_assert_int_eq(pvh.timer[0].way, ONESHOT_SET_TIMER);
	ck_assert_int_eq(pvh.step[UPGRADE_TIMER].outcome, UPGRADE_FELL_BACK);
	again = 10;
	oneshot_set(&pvh.timer[0], xen->now + 10);
	for (unsigned i = 0; i < 5; i++) {
		xen_advance(xen, 10);
		deliver(xen);
	}
	ck_assert_int_eq(fired[0], 5);
}
END_TEST

/* A year ahead is not 100 ms. */
START_TEST(timer_far_ahead)
{
	struct xen *xen = world_upgraded();
	uint64_t year = UINT64_C(31536000) * 1000000000;

	oneshot_set(&pvh.timer[0], xen->now + year);
	ck_assert_uint_eq(xen->deadline[0], xen->now + year);
	ck_assert_int_eq(pvh.timer[0].way, ONESHOT_BOTH);
	xen_advance(xen, year);
	deliver(xen);
	ck_assert_int_eq(fired[0], 1);
	/* Without the other way it takes many steps, and is not early. */
	pvh.timer[0].way = ONESHOT_SET_TIMER;
	oneshot_set(&pvh.timer[0], xen->now + year);
	xen_advance(xen, 100000000);
	deliver(xen);
	ck_assert_int_eq(fired[0], 1);
	ck_assert_uint_ne(xen->deadline[0], 0);
}
END_TEST

START_TEST(timer_falls_back_when_it_is_refused_later)
{
	struct xen *xen = world_upgraded();

	xen_refuse(xen, __HYPERVISOR_set_timer_op, (unsigned)(xen->now + 10), -ENOSYS, 0, 1);
	ck_assert_int_eq(oneshot_set(&pvh.timer[0], xen->now + 10), 0);
	ck_assert_int_eq(pvh.timer[0].way, ONESHOT_VCPUOP);
	xen_advance(xen, 10);
	deliver(xen);
	ck_assert_int_eq(fired[0], 1);
}
END_TEST

START_TEST(lateness_is_counted)
{
	struct xen *xen = world_upgraded();
	char text[200];

	oneshot_set(&pvh.timer[0], xen->now + 1000);
	xen_advance(xen, 1000 + 5500);
	deliver(xen);
	ck_assert_int_eq(pvh.anomalies.late[3], 1);
	ck_assert_int_eq(pvh.anomalies.late_max, 5500);
	anomaly_note(&pvh.anomalies, ANOMALY_EVENT_STORM);
	pvh.anomalies.count[ANOMALY_UPCALL_SPURIOUS] = 0;
	pvh.anomalies.count[ANOMALY_CLOCK_SWITCHED] = 0;
	ck_assert_int_eq(anomalies_print(&pvh.anomalies, text, sizeof(text)), strlen(text));
	ck_assert_str_eq(text, "event-storm=1 late=<8us:1");
	ck_assert_int_eq(anomalies_print(&pvh.anomalies, text, 6), 5);
	ck_assert_str_eq(text, "event");
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
	struct xen *xen = world_make();
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
	struct xen *xen = world_make();
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

int main(void)
{
	Suite *suite = suite_create("pvh_time");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, scaled_in_128_bits, 0, TABLE_SIZE(scales));
	tcase_add_test(tc, time_passes);
	tcase_add_test(tc, never_back_across_vcpus);
	tcase_add_test(tc, tsc_before_its_stamp_counts_as_equal);
	tcase_add_test(tc, wall_clock);
	tcase_add_test(tc, user_page);
	tcase_add_test(tc, stolen_time_goes_on);
	tcase_add_test(tc, timer_fires_once);
	tcase_add_test(tc, timer_in_the_past_fires_at_once);
	tcase_add_test(tc, timer_replaced_cancelled);
	tcase_add_test(tc, timer_set_while_the_last_one_fires);
	tcase_add_test(tc, timer_early_and_stray);
	tcase_add_test(tc, timer_of_another_vcpu);
	tcase_add_test(tc, timer_falls_back);
	tcase_add_test(tc, timer_far_ahead);
	tcase_add_test(tc, timer_falls_back_when_it_is_refused_later);
	tcase_add_test(tc, lateness_is_counted);
	tcase_add_loop_test(tc, policy, 0, TABLE_SIZE(policies));
	tcase_add_test(tc, tsc_is_read_directly_and_keeps_pace);
	tcase_add_test(tc, switched_without_a_step);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
