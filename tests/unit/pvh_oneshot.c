/* Timers on the scripted hypervisor. */
#include "tests/unit/check.h"
#include "tests/unit/pvh_guest.h"

#include <string.h>

START_TEST(timer_fires_once)
{
	struct xen *xen = guest_upgraded(4);

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
	struct xen *xen = guest_upgraded(4);

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
	struct xen *xen = guest_upgraded(4);

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
	struct xen *xen = guest_upgraded(4);

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
	struct xen *xen = guest_upgraded(4);

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
	struct xen *xen = guest_upgraded(4);

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
	struct xen *xen = guest_make(4);

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
	struct xen *xen = guest_upgraded(4);
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

/* What a host takes for "never" is not a moment before Xen began. */
START_TEST(timer_never)
{
	struct xen *xen = guest_upgraded(4);

	ck_assert_int_eq(oneshot_set(&pvh.timer[0], UINT64_MAX), 0);
	for (unsigned i = 0; i < 3; i++) {
		xen_advance(xen, 1000);
		deliver(xen);
	}
	ck_assert_int_eq(fired[0], 0);
	ck_assert_int_eq(pvh.anomalies.count[ANOMALY_TIMER_EARLY], 0);
	/* Nor when it fires for nothing. */
	xen_event(xen, pvh.timer[0].channel.port);
	deliver(xen);
	deliver(xen);
	ck_assert_int_eq(pvh.anomalies.count[ANOMALY_TIMER_EARLY], 1);
	oneshot_set(&pvh.timer[0], xen->now + 10);
	xen_advance(xen, 10);
	deliver(xen);
	ck_assert_int_eq(fired[0], 1);
}
END_TEST

START_TEST(timer_falls_back_when_it_is_refused_later)
{
	struct xen *xen = guest_upgraded(4);

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
	struct xen *xen = guest_upgraded(4);
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

int main(void)
{
	Suite *suite = suite_create("pvh_oneshot");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, timer_fires_once);
	tcase_add_test(tc, timer_in_the_past_fires_at_once);
	tcase_add_test(tc, timer_replaced_cancelled);
	tcase_add_test(tc, timer_set_while_the_last_one_fires);
	tcase_add_test(tc, timer_early_and_stray);
	tcase_add_test(tc, timer_of_another_vcpu);
	tcase_add_test(tc, timer_falls_back);
	tcase_add_test(tc, timer_far_ahead);
	tcase_add_test(tc, timer_never);
	tcase_add_test(tc, timer_falls_back_when_it_is_refused_later);
	tcase_add_test(tc, lateness_is_counted);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
