/* Finding Xen, its leaves and their clamp, and the hypercall's instruction. */
#include "tests/unit/check.h"
#include "tests/unit/pvh_xen.h"

#include "pvh-timer/hypercall.h"

static const struct {
	const char *what;
	uint32_t base, leaves;
	int rc;
} places[] = {
	{"the usual place", 0x40000000, 5, 0},
	{"behind viridian", 0x40000100, 5, 0},
	{"the last place", 0x4000ff00, 5, 0},
	{"clamped to 2", 0x40000000, 2, 0},
	{"too few leaves to be Xen", 0x40000000, 1, -ENODEV},
	{"more leaves than there is room", 0x40000000, 0x100, -ENODEV},
	{"no Xen", 0, 0, -ENODEV},
};

START_TEST(found_where_it_is)
{
	struct xen *xen = xen_new();
	struct cpuid_xen found;

	xen->cpuid_base = places[_i].base;
	xen->cpuid_leaves = places[_i].leaves;
	ck_assert_msg(cpuid_find(&xen->host, &found) == places[_i].rc, "%s", places[_i].what);
	ck_assert_msg(found.base == (places[_i].rc ? 0 : places[_i].base), "%s", places[_i].what);
	if (!places[_i].rc)
		ck_assert(found.major == 4 && found.minor == 18);
	xen_free(xen);
}
END_TEST

START_TEST(clamped_leaves_are_not_believed)
{
	struct xen *xen = xen_new();
	struct cpuid_xen found;
	struct cpuid_time time;
	struct cpuid_hvm hvm;

	for (uint32_t leaves = 2; leaves <= 5; leaves++) {
		xen->cpuid_leaves = leaves;
		ck_assert(cpuid_find(&xen->host, &found) == 0);
		ck_assert(cpuid_time_read(&xen->host, &found, &time) ==
			  (leaves >= 3 ? 0 : -EOPNOTSUPP));
		ck_assert(cpuid_hvm_read(&xen->host, &found, &hvm) ==
			  (leaves >= 4 ? 0 : -EOPNOTSUPP));
	}
	found.base = 0;
	ck_assert(cpuid_time_read(&xen->host, &found, &time) == -ENODEV);
	xen_free(xen);
}
END_TEST

START_TEST(leaves_are_read)
{
	struct xen *xen = xen_new();
	struct cpuid_xen found;
	struct cpuid_time time;
	struct cpuid_hvm hvm;

	xen->tsc_emulated = true;
	xen->tsc_mode = 1;
	xen->incarnation = 3;
	xen->hvm_flags = 1u << 1 | 1u << 3 | 1u << 6;
	xen->vcpu = 5;
	ck_assert(!cpuid_find(&xen->host, &found));
	ck_assert(!cpuid_time_read(&xen->host, &found, &time));
	ck_assert(time.emulated && !time.host_reliable && time.mode == 1 && time.khz == 1000000 &&
		  time.incarnation == 3 && time.mul == 0x80000000 && time.shift == 1);
	ck_assert(!cpuid_hvm_read(&xen->host, &found, &hvm));
	ck_assert(!hvm.apic_virtual && hvm.x2apic_virtual && hvm.upcall_vector);
	ck_assert(hvm.has_vcpu && hvm.vcpu == 5 && !hvm.has_domid && hvm.domid == 0);
	xen_free(xen);
}
END_TEST

static const struct {
	struct cpuid_xen xen;
	enum hypercall_way way;
} ways[] = {
	{{.base = 0x40000000, .vendor = CPUID_VENDOR_INTEL}, HYPERCALL_VMCALL},
	{{.base = 0x40000000, .vendor = CPUID_VENDOR_AMD}, HYPERCALL_VMMCALL},
	{{.base = 0x40000000, .hypercall_msr = 0x40000000}, HYPERCALL_PAGE},
	{{.base = 0x40000000}, HYPERCALL_NONE},
	{{.vendor = CPUID_VENDOR_AMD}, HYPERCALL_NONE},
};

START_TEST(instruction_by_vendor)
{
	ck_assert_int_eq(hypercall_way_choose(&ways[_i].xen), ways[_i].way);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pvh_cpuid");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, found_where_it_is, 0, TABLE_SIZE(places));
	tcase_add_test(tc, clamped_leaves_are_not_believed);
	tcase_add_test(tc, leaves_are_read);
	tcase_add_loop_test(tc, instruction_by_vendor, 0, TABLE_SIZE(ways));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
