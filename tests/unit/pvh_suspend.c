/* Suspend, resume on the same and on other hosts, and a suspend that is cancelled. */
#include "tests/unit/check.h"
#include "tests/unit/pvh_guest.h"

static bool store_event(void *arg)
{
	++*(unsigned *)arg;
	return true;
}

/* Another host: it booted 5 s ago, its ports are others, the store's is 9. */
static void migrated(struct xen *xen)
{
	xen_forget(xen, UINT64_C(5000000000));
	xen->wall_at_boot += UINT64_C(3600000000000);
	xen->first_port = 20;
	xen->port[9] = (struct xen_port){.kind = XEN_INTERDOMAIN, .priority = 7};
	xen->param[HVM_PARAM_STORE_EVTCHN] = 9;
}

static void migrated_to_an_old_host(struct xen *xen)
{
	migrated(xen);
	xen->fifo_offered = false;
	xen->features = 1u << XENFEAT_hvm_callback_vector;
	xen_refuse(xen, __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, -ENOSYS, 0, 99);
}

static void (*const hosts[])(struct xen *xen) = {migrated, migrated_to_an_old_host};

START_TEST(migrated_and_all_works)
{
	unsigned stores = 0;
	struct evtchn_channel store = {.handler = store_event, .arg = &stores};
	struct xen *xen = guest_make(4);
	struct suspend_report report;
	uint64_t before, stolen;

	xen->tsc_invariant = xen->tsc_reliable = true;
	xen->port[3] = (struct xen_port){.kind = XEN_INTERDOMAIN, .priority = 7};
	ck_assert_int_eq(upgrade(&pvh), 0);
	ck_assert_int_eq(evtchn_adopt(&pvh.evtchn, &store, 3), 0);
	pvh.store = &store;
	deliver(xen);
	xen_advance(xen, UINT64_C(100000000000));
	xen_steal(xen, 1, 12345);
	xen->vcpu = 2;
	ck_assert_int_eq(oneshot_set(&pvh.timer[2], xen->now + 1000), 0);
	xen->vcpu = 0;
	before = clock_read(&pvh.clock);
	stolen = runstate_stolen(&pvh.runstate[1], pvh.host);

	xen->suspended = hosts[_i];
	ck_assert_int_eq(suspend(&pvh, &report), 0);
	ck_assert(!report.cancelled && !report.in_place);
	ck_assert(report.errors == 0 && report.wrong == 0);
	ck_assert(report.incarnation == report.incarnation_before + 1);
	ck_assert_msg(clock_read(&pvh.clock) >= before, "the clock went back");
	ck_assert_msg(clock_read(&pvh.clock) < before + 1000000, "the clock jumped");
	ck_assert(report.wall_after > report.wall_before);
	ck_assert_int_eq(runstate_stolen(&pvh.runstate[1], pvh.host), stolen);
	ck_assert_int_eq(store.port, 9);
	stores = 0;
	xen_event(xen, 9);
	deliver(xen);
	ck_assert_int_eq(stores, 1);
	ck_assert(!xen->periodic[0] && !xen->periodic[3]);
	ck_assert_int_eq(xen->unplugged, 0xb);
	xen_advance(xen, 2000);
	deliver(xen);
	ck_assert_msg(fired[2] == 1, "a timer that was armed is dead");
	ck_assert_str_eq(pvh.evtchn.abi->name, _i ? "2-level" : "FIFO");
	ck_assert_int_eq(pvh.upcall.route, _i ? UPCALL_VECTOR : UPCALL_VCPU);
	ck_assert(xen->via != 0);
}
END_TEST

START_TEST(cancelled_and_all_is_as_before)
{
	struct xen *xen = guest_make(2);
	struct suspend_report report;
	unsigned calls;

	ck_assert_int_eq(upgrade(&pvh), 0);
	oneshot_set(&pvh.timer[0], xen->now + 1000);
	xen->suspend_result = 1;
	calls = xen->calls;
	ck_assert_int_eq(suspend(&pvh, &report), 0);
	ck_assert(report.cancelled && report.wrong == 0 && report.errors == 0);
	ck_assert(report.incarnation == report.incarnation_before);
	ck_assert_msg(xen->calls < calls + 8, "nothing is to be made anew");
	xen_advance(xen, 1000);
	deliver(xen);
	ck_assert_int_eq(fired[0], 1);
	xen->suspend_result = -EINVAL;
	ck_assert_int_eq(suspend(&pvh, &report), -EINVAL);
}
END_TEST

START_TEST(resume_reports_what_it_could_not)
{
	struct xen *xen = guest_make(2);
	struct suspend_report report;

	ck_assert_int_eq(upgrade(&pvh), 0);
	xen->suspended = migrated;
	xen_refuse(xen, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, -ENOSPC, 1, 1);
	ck_assert_int_eq(suspend(&pvh, &report), 0);
	ck_assert_int_eq(report.rc, -ENOSPC);
	ck_assert_int_eq(report.errors, 1);
}
END_TEST

START_TEST(resume_reports_a_timer_that_it_could_not_arm)
{
	struct xen *xen = guest_make(2);
	struct suspend_report report;

	ck_assert_int_eq(upgrade(&pvh), 0);
	/* So far ahead that it is armed in one way only. */
	ck_assert_int_eq(oneshot_set(&pvh.timer[0], xen->now + (UINT64_C(1) << 52)), 0);
	xen->suspended = migrated;
	xen_refuse(xen, __HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, -EINVAL, 0, 1);
	ck_assert_int_eq(suspend(&pvh, &report), 0);
	ck_assert_int_eq(report.rc, -EINVAL);
	ck_assert_int_eq(report.errors, 1);
	ck_assert(!pvh.timer[0].deadline);
}
END_TEST

/* Resumed in place, but told nothing (xc_domain_resume without its fast way): ports, control blocks
 * and vcpu areas are as they were. */
START_TEST(resumed_in_place)
{
	unsigned stores = 0;
	struct evtchn_channel store = {.handler = store_event, .arg = &stores};
	struct xen *xen = guest_make(2);
	struct suspend_report report;

	pvh.two_level = _i & 1;
	pvh.register_vcpu_info = _i & 2;
	xen->port[3] = (struct xen_port){.kind = XEN_INTERDOMAIN, .remote_port = 77, .priority = 7};
	xen->param[HVM_PARAM_STORE_EVTCHN] = 3;
	ck_assert_int_eq(upgrade(&pvh), 0);
	ck_assert_int_eq(evtchn_adopt(&pvh.evtchn, &store, 3), 0);
	pvh.store = &store;
	deliver(xen);
	ck_assert_int_eq(oneshot_set(&pvh.timer[0], xen->now + 1000), 0);
	ck_assert_int_eq(suspend(&pvh, &report), 0);
	ck_assert(!report.cancelled && report.in_place && report.wrong == 0);
	ck_assert_int_eq(report.rc, 0);
	ck_assert_str_eq(pvh.evtchn.abi->name, pvh.two_level ? "2-level" : "FIFO");
	ck_assert_int_eq(xen->fifo, !pvh.two_level);
	ck_assert_int_eq(xen->port[store.port].remote_port, 77);
	ck_assert_ptr_eq(pvh.evtchn.vcpu[1].info, xen->info[1]);
	stores = 0;
	xen_event(xen, store.port);
	xen_advance(xen, 2000);
	deliver(xen);
	ck_assert_int_eq(stores, 1);
	ck_assert_int_eq(fired[0], 1);
}
END_TEST

/* What the old host's queues held means nothing on the new one. */
START_TEST(old_queues_are_not_looked_at)
{
	unsigned events = 0;
	struct evtchn_channel ipi = {.handler = store_event, .arg = &events};
	struct xen *xen = guest_make(1);
	struct suspend_report report;

	pvh.register_vcpu_info = true;
	ck_assert_int_eq(upgrade(&pvh), 0);
	ck_assert_int_eq(evtchn_bind_ipi(&pvh.evtchn, &ipi, 0), 0);
	deliver(xen);
	xen->suspended = migrated;
	xen_event(xen, ipi.port);
	events = 0;
	ck_assert_int_eq(suspend(&pvh, &report), 0);
	ck_assert(report.errors == 0 && report.wrong == 0);
	ck_assert_int_eq(events, 0);
	xen_event(xen, ipi.port);
	deliver(xen);
	ck_assert_int_eq(events, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pvh_suspend");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, migrated_and_all_works, 0, TABLE_SIZE(hosts));
	tcase_add_test(tc, cancelled_and_all_is_as_before);
	tcase_add_test(tc, resume_reports_what_it_could_not);
	tcase_add_test(tc, resume_reports_a_timer_that_it_could_not_arm);
	tcase_add_loop_test(tc, resumed_in_place, 0, 4);
	tcase_add_test(tc, old_queues_are_not_looked_at);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
