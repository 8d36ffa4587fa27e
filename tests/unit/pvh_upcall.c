/* The ways of interrupts, and what each owes. */
#include "tests/unit/check.h"
#include "tests/unit/pvh_guest.h"

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
	struct xen *xen = guest_make(2);

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
	struct xen *xen = guest_make(2);

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
	struct xen *xen = guest_make(2);

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
	struct xen *xen = guest_make(4);

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
	struct xen *xen = guest_make(4);

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
	struct xen *xen = guest_make(2);

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
	struct xen *xen = guest_make(2);

	pvh.routes = 1u << UPCALL_POLL;
	ck_assert_int_eq(upgrade(&pvh), 0);
	oneshot_set(&pvh.timer[0], xen->now);
	ck_assert_int_eq(fired[0], 0);
	ck_assert_int_eq(upcall_set(&pvh.upcall, pvh.features, UPCALL_VCPU), 0);
	ck_assert_msg(fired[0] == 1, "an edge that came before the vector is lost");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pvh_upcall");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, each_way_and_its_duty, 0, TABLE_SIZE(routes));
	tcase_add_test(tc, best_way_that_works);
	tcase_add_loop_test(tc, own_vectors_where_the_processor_acknowledges, 0, 3);
	tcase_add_test(tc, vectors_for_some_vcpus_only);
	tcase_add_test(tc, the_upcall_that_comes_with_a_vector_is_acknowledged);
	tcase_add_test(tc, what_is_owed_goes_by_the_way_it_came);
	tcase_add_test(tc, what_waits_is_taken_when_the_way_changes);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
