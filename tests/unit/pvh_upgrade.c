/* The upgrade, part by part refused; the ways of interrupts; unplugging; suspend and resume. */
#include "tests/unit/check.h"
#include "tests/unit/pvh_xen.h"

#include <string.h>

static struct pvh pvh;
static unsigned fired[XEN_VCPUS];

static void timer_fired(void *arg, unsigned vcpu)
{
	fired[vcpu]++;
}

static struct xen *world_make(unsigned vcpus)
{
	struct xen *xen = xen_new();

	memset(&pvh, 0, sizeof(pvh));
	memset(fired, 0, sizeof(fired));
	pvh.host = &xen->host;
	pvh.vcpus = vcpus;
	pvh.vector = 0xf3;
	pvh.line = (struct pvh_line){.gsi = 5, .devfn = 3 << 3, .intx = 0};
	pvh.pci_present = true;
	pvh.unplug = UNPLUG_DISKS | UNPLUG_NICS | UNPLUG_AUX_DISKS | UNPLUG_NVME;
	pvh.build = 42;
	pvh.timer_fired = timer_fired;
	return xen;
}

static void deliver(struct xen *xen)
{
	for (unsigned vcpu = 0; vcpu < pvh.vcpus; vcpu++) {
		xen->vcpu = vcpu;
		if (evtchn_waiting(&pvh.evtchn, vcpu))
			upcall_interrupt(&pvh.upcall, vcpu,
					 upcall_types[pvh.upcall.route].duty == UPCALL_DUTY_LINE);
	}
	xen->vcpu = 0;
}

START_TEST(everything)
{
	struct xen *xen = world_make(4);

	ck_assert_int_eq(upgrade(&pvh), 0);
	for (unsigned part = 0; part < UPGRADE_PARTS; part++)
		ck_assert_msg(pvh.step[part].outcome == UPGRADE_SWITCHED, "%s: %s, %s",
			      upgrade_part_name(part), upgrade_outcome_name(pvh.step[part].outcome),
			      pvh.step[part].what);
	ck_assert(xen->upcall_vector[0] == 0xf3 && xen->upcall_vector[3] == 0xf3);
	ck_assert_msg(xen->via == 1, "the toolstack looks for it");
	ck_assert_int_eq(xen->product, 0xffff);
	ck_assert_int_eq(xen->build, 42);
	ck_assert_int_eq(xen->unplugged, UNPLUG_DISKS | UNPLUG_NICS | UNPLUG_NVME);
	ck_assert_int_eq(suspend_check(&pvh), 0);
}
END_TEST

/* One thing at a time is missing: what becomes of its part, and is all else as before? */
static const struct {
	const char *what;
	unsigned number, op;
	int rc;
	enum upgrade_part part;
	enum upgrade_outcome outcome;
	const char *instead;
} refusals[] = {
	{"FIFO hidden", __HYPERVISOR_event_channel_op, EVTCHNOP_init_control, -ENOSYS,
	 UPGRADE_EVENTS, UPGRADE_FELL_BACK, "2-level"},
	{"no vcpu vectors", __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, -ENOSYS,
	 UPGRADE_INTERRUPT, UPGRADE_FELL_BACK, "vector"},
	{"no callback at all", __HYPERVISOR_hvm_op, HVMOP_set_param, -EPERM, UPGRADE_TOOLSTACK,
	 UPGRADE_FAILED, "takes us for one without PV drivers"},
	{"no runstate by address", __HYPERVISOR_vcpu_op, VCPUOP_register_runstate_phys_area,
	 -ENOSYS, UPGRADE_RUNSTATE, UPGRADE_FELL_BACK, "linear"},
	{"no time area by address", __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_time_phys_area,
	 -ENOSYS, UPGRADE_TIME_AREA, UPGRADE_FELL_BACK, "linear"},
	{"no VIRQ", __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, -EPERM, UPGRADE_TIMER,
	 UPGRADE_FAILED, "VIRQ_TIMER"},
	{"no one-shot timer", __HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, -ENOSYS,
	 UPGRADE_TIMER, UPGRADE_FELL_BACK, "set_timer_op"},
};

START_TEST(one_thing_is_refused)
{
	struct xen *xen = world_make(4);

	xen_refuse(xen, refusals[_i].number, refusals[_i].op, refusals[_i].rc, 0, 999);
	ck_assert_int_eq(upgrade(&pvh), 0);
	for (unsigned part = 0; part < UPGRADE_PARTS; part++) {
		bool ours = part == refusals[_i].part;

		ck_assert_msg(pvh.step[part].outcome ==
				      (ours ? refusals[_i].outcome : UPGRADE_SWITCHED),
			      "%s: %s %s", refusals[_i].what, upgrade_part_name(part),
			      upgrade_outcome_name(pvh.step[part].outcome));
		if (ours)
			ck_assert_str_eq(pvh.step[part].what, refusals[_i].instead);
	}
}
END_TEST

START_TEST(without_xen_nothing_is_touched)
{
	struct xen *xen = world_make(2);

	xen->cpuid_base = 0;
	ck_assert_int_eq(upgrade(&pvh), -ENODEV);
	ck_assert_int_eq(xen->calls, 0);
	ck_assert_int_eq(pvh.step[UPGRADE_XEN].outcome, UPGRADE_FAILED);
	ck_assert_int_eq(pvh.step[UPGRADE_SHARED].outcome, UPGRADE_LEFT);
}
END_TEST

START_TEST(without_memory_it_says_so)
{
	struct xen *xen = world_make(2);

	for (unsigned pages = 0; pages < 8; pages++) {
		memset(&pvh.evtchn, 0, sizeof(pvh.evtchn));
		pvh.time_page = NULL;
		memset(pvh.runstate_page, 0, sizeof(pvh.runstate_page));
		xen_forget(xen, 1000);
		xen->pages = 0;
		xen->pages_max = pages;
		upgrade(&pvh);
		if (xen->pages == pages)
			ck_assert_msg(pvh.step[UPGRADE_RUNSTATE].outcome == UPGRADE_FAILED ||
					      pvh.step[UPGRADE_TIME_AREA].outcome ==
						      UPGRADE_FAILED ||
					      pvh.step[UPGRADE_TIMER].outcome == UPGRADE_FAILED ||
					      pvh.evtchn.abi == &evtchn_abi_2l || pages >= 6,
				      "%u pages", pages);
	}
}
END_TEST

START_TEST(more_vcpus_than_slots)
{
	struct xen *xen = world_make(40);

	ck_assert_int_eq(upgrade(&pvh), 0);
	ck_assert_str_eq(pvh.step[UPGRADE_VCPU_INFO].what, "registered");
	ck_assert(pvh.evtchn.vcpu[31].info == &pvh.evtchn.shared->vcpu_info[31]);
	ck_assert(xen->info[39] == pvh.evtchn.vcpu[39].info);
	xen->vcpu = 39;
	ck_assert_int_eq(oneshot_set(&pvh.timer[39], xen->now + 5), 0);
	xen_advance(xen, 5);
	deliver(xen);
	ck_assert_int_eq(fired[39], 1);
}
END_TEST

static const struct {
	enum upcall_route route;
	unsigned lapic, line;
	bool timers_everywhere;
} routes[] = {
	{UPCALL_POLL, 0, 0, true},   {UPCALL_GSI, 0, 1, false}, {UPCALL_INTX, 0, 1, false},
	{UPCALL_VECTOR, 0, 0, true}, {UPCALL_VCPU, 1, 0, true},
};

START_TEST(each_way_and_its_duty)
{
	struct xen *xen = world_make(2);

	pvh.routes = 1u << routes[_i].route;
	ck_assert_int_eq(upgrade(&pvh), 0);
	ck_assert_int_eq(pvh.upcall.route, routes[_i].route);
	xen->lapic_eois = xen->line_eois = 0;
	oneshot_set(&pvh.timer[0], xen->now);
	deliver(xen);
	ck_assert_int_eq(fired[0], 1);
	ck_assert_int_eq(xen->lapic_eois, routes[_i].lapic);
	ck_assert_int_eq(xen->line_eois, routes[_i].line);
	ck_assert_int_eq(pvh.step[UPGRADE_TIMER].outcome,
			 routes[_i].timers_everywhere ? UPGRADE_SWITCHED : UPGRADE_FELL_BACK);
	ck_assert_int_eq(pvh.upcall.told, routes[_i].route != UPCALL_POLL);
}
END_TEST

START_TEST(best_way_that_works)
{
	struct xen *xen = world_make(2);

	xen->lapic_off[1] = true;
	ck_assert_int_eq(upgrade(&pvh), 0);
	ck_assert_msg(pvh.upcall.route == UPCALL_VECTOR, "a local APIC is off");

	xen->features = 0;
	ck_assert_int_eq(upcall_choose(&pvh.upcall, 0, ~0u), 0);
	ck_assert_int_eq(pvh.upcall.route, UPCALL_INTX);
	ck_assert_int_eq(xen->via, UINT64_C(1) << 56 | 3 << 3 << 8);
	pvh.upcall.pci_present = false;
	ck_assert_int_eq(upcall_choose(&pvh.upcall, 0, ~0u), 0);
	ck_assert_int_eq(pvh.upcall.route, UPCALL_GSI);
	ck_assert_int_eq(xen->via, 5);
	xen->line_missing = true;
	ck_assert_int_eq(upcall_choose(&pvh.upcall, 0, ~0u), -EOPNOTSUPP);
	ck_assert_int_eq(pvh.upcall.route, UPCALL_POLL);
	ck_assert_int_eq(xen->via, 0);
}
END_TEST

/* Of two vectors that work, the one that costs fewer exits. */
START_TEST(own_vectors_where_the_processor_acknowledges)
{
	static const uint32_t flags[] = {0, 1u << 0, 1u << 1};
	struct xen *xen = world_make(2);

	xen->hvm_flags = flags[_i] | 1u << 3 | 1u << 6;
	ck_assert_int_eq(upgrade(&pvh), 0);
	ck_assert_int_eq(pvh.upcall.route, _i ? UPCALL_VCPU : UPCALL_VECTOR);
	ck_assert_int_eq(pvh.step[UPGRADE_INTERRUPT].outcome, UPGRADE_SWITCHED);
	/* An old Xen has no own vectors, or none for the domain. */
	xen_refuse(xen, __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, -ENOSYS, 0, 99);
	upcall_forget(&pvh.upcall);
	ck_assert_int_eq(upcall_choose(&pvh.upcall, pvh.features, ~0u), 0);
	ck_assert_int_eq(pvh.upcall.route, UPCALL_VECTOR);
}
END_TEST

START_TEST(vectors_for_some_vcpus_only)
{
	struct xen *xen = world_make(4);

	xen_refuse(xen, __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, -EINVAL, 2, 99);
	ck_assert_int_eq(upgrade(&pvh), 0);
	ck_assert_int_eq(pvh.upcall.vcpu_vectors, 2);
	ck_assert_msg(xen->via == ((uint64_t)2 << 56 | 0xf3), "the others take the domain's");
	ck_assert_int_eq(upcall_set(&pvh.upcall, pvh.features, UPCALL_GSI), -EBUSY);
	xen->lapic_eois = 0;
	for (unsigned vcpu = 0; vcpu < 4; vcpu++) {
		xen->vcpu = vcpu;
		oneshot_set(&pvh.timer[vcpu], xen->now);
	}
	deliver(xen);
	ck_assert(fired[0] == 1 && fired[3] == 1);
	ck_assert_msg(xen->lapic_eois == 2, "an EOI too many acknowledges another's interrupt");
}
END_TEST

static void interrupted(unsigned vcpu)
{
	upcall_interrupt(&pvh.upcall, vcpu, false);
}

/* One that is not acknowledged blocks all others of its vcpu for good. */
START_TEST(the_upcall_that_comes_with_a_vector_is_acknowledged)
{
	struct xen *xen = world_make(4);

	pvh.routes = 1u << UPCALL_VECTOR;
	ck_assert_int_eq(upgrade(&pvh), 0);
	xen->interrupted = interrupted;
	xen->lapic_eois = 0;
	ck_assert_int_eq(upcall_set(&pvh.upcall, pvh.features, UPCALL_VCPU), 0);
	ck_assert_int_eq(xen->lapic_eois, 4);
	ck_assert_int_eq(xen->via, 1);

	/* Set again, vcpus that have theirs go on acknowledging meanwhile. */
	xen_refuse(xen, __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, -EINVAL, 1, 99);
	ck_assert_int_eq(upcall_set(&pvh.upcall, pvh.features, UPCALL_VCPU), 0);
	ck_assert(pvh.upcall.vcpu_vectors == 4 && xen->via == 1);
}
END_TEST

/* An interrupt of the old way may be under way, and one of the new comes before the call returns.
 */
START_TEST(what_is_owed_goes_by_the_way_it_came)
{
	struct xen *xen = world_make(2);

	pvh.routes = 1u << UPCALL_POLL;
	ck_assert_int_eq(upgrade(&pvh), 0);
	upcall_interrupt(&pvh.upcall, 0, true);
	ck_assert(xen->line_eois == 1 && xen->lapic_eois == 0);
	ck_assert_int_eq(upcall_set(&pvh.upcall, pvh.features, UPCALL_VECTOR), 0);
	upcall_interrupt(&pvh.upcall, 0, true);
	ck_assert(xen->line_eois == 2 && xen->lapic_eois == 0);
	upcall_interrupt(&pvh.upcall, 0, false);
	ck_assert(xen->line_eois == 2 && xen->lapic_eois == 0);
}
END_TEST

START_TEST(what_waits_is_taken_when_the_way_changes)
{
	struct xen *xen = world_make(2);

	pvh.routes = 1u << UPCALL_POLL;
	ck_assert_int_eq(upgrade(&pvh), 0);
	oneshot_set(&pvh.timer[0], xen->now);
	ck_assert_int_eq(fired[0], 0);
	ck_assert_int_eq(upcall_set(&pvh.upcall, pvh.features, UPCALL_VCPU), 0);
	ck_assert_msg(fired[0] == 1, "an edge that came before the vector is lost");
}
END_TEST

static const struct {
	const char *what;
	uint16_t magic;
	uint8_t version;
	bool blacklist;
	int rc;
	uint16_t unplugged;
} unplugs[] = {
	{"the whole handshake", 0x49d2, 1, false, 0, 0xb},
	{"an old device model", 0x49d2, 0, false, 0, 0xb},
	{"on the blacklist", 0x49d2, 1, true, -EPERM, 0},
	{"a version to come", 0x49d2, 2, false, -EPROTONOSUPPORT, 0},
	{"no platform device", 0xffff, 0, false, -ENODEV, 0},
};

START_TEST(unplugging)
{
	struct xen *xen = world_make(1);
	struct unplug unplug;

	xen->magic = unplugs[_i].magic;
	xen->unplug_version = unplugs[_i].version;
	xen->blacklist = unplugs[_i].blacklist;
	ck_assert_msg(unplug_devices(&xen->host, 0xffff, 1,
				     UNPLUG_DISKS | UNPLUG_AUX_DISKS | UNPLUG_NICS | UNPLUG_NVME,
				     &unplug) == unplugs[_i].rc,
		      "%s", unplugs[_i].what);
	ck_assert_msg(xen->unplugged == unplugs[_i].unplugged, "%s", unplugs[_i].what);
	ck_assert_int_eq(unplug.devices, unplugs[_i].unplugged);
	ck_assert_int_eq(xen->product, unplugs[_i].version == 1 ? 0xffff : 0);
}
END_TEST

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
	struct xen *xen = world_make(4);
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
	ck_assert(!report.cancelled && report.errors == 0 && report.wrong == 0);
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
	struct xen *xen = world_make(2);
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
	struct xen *xen = world_make(2);
	struct suspend_report report;

	ck_assert_int_eq(upgrade(&pvh), 0);
	xen->suspended = migrated;
	xen_refuse(xen, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, -ENOSPC, 1, 1);
	ck_assert_int_eq(suspend(&pvh, &report), 0);
	ck_assert_int_eq(report.rc, -ENOSPC);
	ck_assert_int_eq(report.errors, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pvh_upgrade");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, everything);
	tcase_add_loop_test(tc, one_thing_is_refused, 0, TABLE_SIZE(refusals));
	tcase_add_test(tc, without_xen_nothing_is_touched);
	tcase_add_test(tc, without_memory_it_says_so);
	tcase_add_test(tc, more_vcpus_than_slots);
	tcase_add_loop_test(tc, each_way_and_its_duty, 0, TABLE_SIZE(routes));
	tcase_add_test(tc, best_way_that_works);
	tcase_add_loop_test(tc, own_vectors_where_the_processor_acknowledges, 0, 3);
	tcase_add_test(tc, vectors_for_some_vcpus_only);
	tcase_add_test(tc, the_upcall_that_comes_with_a_vector_is_acknowledged);
	tcase_add_test(tc, what_is_owed_goes_by_the_way_it_came);
	tcase_add_test(tc, what_waits_is_taken_when_the_way_changes);
	tcase_add_loop_test(tc, unplugging, 0, TABLE_SIZE(unplugs));
	tcase_add_loop_test(tc, migrated_and_all_works, 0, TABLE_SIZE(hosts));
	tcase_add_test(tc, cancelled_and_all_is_as_before);
	tcase_add_test(tc, resume_reports_what_it_could_not);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
