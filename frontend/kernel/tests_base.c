/* Finding Xen, calling it, and the upgrade itself. */
#include "frontend/kernel/kernel.h"
#include "frontend/kernel/store.h"
#include "frontend/kernel/test.h"
#include "frontend/kernel/world.h"

static enum verdict xen_found(void)
{
	struct cpuid_xen xen;

	CHECK(!cpuid_find(&kernel.host, &xen), "not found");
	CHECK(xen.base >= 0x40000000 && xen.leaves >= 2, "base %x, %u leaves", xen.base,
	      xen.leaves);
	return test_say(VERDICT_OK, "%u.%u, %u leaves at %x", xen.major, xen.minor, xen.leaves,
			xen.base);
}

static enum verdict vcpu_number(void)
{
	struct cpuid_hvm hvm;
	int rc = cpuid_hvm_read(&kernel.host, &kernel.xen, &hvm);

	if (rc || !hvm.has_vcpu)
		return test_say(VERDICT_SKIP, "the toolstack hides leaf 4");
	CHECK(hvm.vcpu == 0, "vcpu 0 reads %u", hvm.vcpu);
	return test_say(VERDICT_OK, "domain %u, APIC virtualised: %u", hvm.domid, hvm.apic_virtual);
}

static void vcpu_number_read(void *arg)
{
	cpuid_hvm_read(&kernel.host, &kernel.xen, arg);
}

static enum verdict vcpu_number_of_others(void)
{
	struct cpuid_hvm hvm;

	if (kernel.vcpus < 2)
		return test_say(VERDICT_SKIP, "one vcpu");
	if (kernel.xen.leaves < 4)
		return test_say(VERDICT_SKIP, "the toolstack hides leaf 4");
	for (unsigned vcpu = 1; vcpu < kernel.vcpus; vcpu++) {
		CHECK(!smp_run(vcpu, vcpu_number_read, &hvm), "vcpu %u does not answer", vcpu);
		CHECK(hvm.vcpu == vcpu, "vcpu %u reads %u", vcpu, hvm.vcpu);
	}
	return VERDICT_OK;
}

static long version(void)
{
	return kernel.host.ops->hypercall(&kernel.host, __HYPERVISOR_xen_version, XENVER_version, 0,
					  0, 0, 0);
}

static enum verdict hypercall_direct(void)
{
	long seen = version();

	CHECK(seen == (kernel.xen.major << 16 | kernel.xen.minor), "version %lx",
	      (unsigned long)seen);
	return test_say(VERDICT_OK, "%s", kernel.way == HYPERCALL_VMMCALL ? "vmmcall" : "vmcall");
}

static enum verdict hypercall_by_page(void)
{
	enum hypercall_way way = kernel.way;
	long seen;

	if (!kernel.xen.hypercall_msr)
		return test_say(VERDICT_SKIP, "Xen offers no page");
	kernel.way = HYPERCALL_PAGE;
	seen = version();
	kernel.way = way;
	CHECK(seen == (kernel.xen.major << 16 | kernel.xen.minor), "version %lx",
	      (unsigned long)seen);
	return VERDICT_OK;
}

static enum verdict hypercall_unknown(void)
{
	long rc = kernel.host.ops->hypercall(&kernel.host, 63, 0, 0, 0, 0, 0);

	CHECK(rc == -ENOSYS, "%ld instead of -ENOSYS", rc);
	return VERDICT_OK;
}

static enum verdict poll_times_out(void)
{
	struct sched_poll poll = {.nr_ports = 0, .timeout = 1};

	CHECK(hypercall_sched(&kernel.host, SCHEDOP_poll, &poll) == 0, "refused");
	return VERDICT_OK;
}

static enum verdict upgraded(void)
{
	int rc = world_upgrade();
	const struct upgrade_step *step = kernel.pvh.step;

	CHECK(!rc, "error %d", rc);
	for (unsigned part = 0; part < UPGRADE_PARTS; part++) {
		print("upgrade %s: %s, %s, %d\n", upgrade_part_name((enum upgrade_part)part),
		      upgrade_outcome_name(step[part].outcome),
		      step[part].what ? step[part].what : "-", step[part].rc);
	}
	CHECK(step[UPGRADE_EVENTS].outcome != UPGRADE_FAILED, "no event channels");
	CHECK(step[UPGRADE_TIMER].outcome != UPGRADE_FAILED, "no timer");
	CHECK(step[UPGRADE_RUNSTATE].outcome != UPGRADE_FAILED, "no runstate");
	CHECK(step[UPGRADE_CLOCK].outcome != UPGRADE_FAILED, "no clock");
	return VERDICT_OK;
}

static const struct test tests[] = {
	{"cpuid", "3.0", xen_found},
	{"vcpu-id", "4.4", vcpu_number},
	{"vcpu-id-of-others", "4.4", vcpu_number_of_others},
	{"hypercall-direct", "3.0", hypercall_direct},
	{"hypercall-page", "3.0", hypercall_by_page},
	{"hypercall-unknown", "3.0", hypercall_unknown},
	{"poll-times-out", "3.1", poll_times_out},
	{"upgrade", "3.0", upgraded},
};

void tests_base(void)
{
	test_cases("base", tests, sizeof(tests) / sizeof(tests[0]));
}
