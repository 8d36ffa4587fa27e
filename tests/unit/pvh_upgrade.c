/* The upgrade, part by part refused, and unplugging. */
#include "tests/unit/check.h"
#include "tests/unit/pvh_guest.h"

#include <string.h>

START_TEST(everything)
{
	struct xen *xen = guest_make(4);

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
	struct xen *xen = guest_make(4);

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
	struct xen *xen = guest_make(2);

	xen->cpuid_base = 0;
	ck_assert_int_eq(upgrade(&pvh), -ENODEV);
	ck_assert_int_eq(xen->calls, 0);
	ck_assert_int_eq(pvh.step[UPGRADE_XEN].outcome, UPGRADE_FAILED);
	ck_assert_int_eq(pvh.step[UPGRADE_SHARED].outcome, UPGRADE_LEFT);
}
END_TEST

START_TEST(without_memory_it_says_so)
{
	struct xen *xen = guest_make(2);

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
	struct xen *xen = guest_make(40);

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
	struct xen *xen = guest_make(1);
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

int main(void)
{
	Suite *suite = suite_create("pvh_upgrade");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, everything);
	tcase_add_loop_test(tc, one_thing_is_refused, 0, TABLE_SIZE(refusals));
	tcase_add_test(tc, without_xen_nothing_is_touched);
	tcase_add_test(tc, without_memory_it_says_so);
	tcase_add_test(tc, more_vcpus_than_slots);
	tcase_add_loop_test(tc, unplugging, 0, TABLE_SIZE(unplugs));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
