#include "pvh-timer/cpuid.h"

#include <string.h>

#include <xen/arch-x86/cpuid.h>

#define SCAN_LAST 0x4000ff00u
#define SCAN_STEP 0x100u

/* Newer than some headers that we are built with. */
#ifndef XEN_HVM_CPUID_UPCALL_VECTOR
#define XEN_HVM_CPUID_UPCALL_VECTOR (1u << 6)
#endif

#define CPUID_EXTENDED_MAX  0x80000000u
#define CPUID_POWER         0x80000007u
#define CPUID_INVARIANT_TSC (1u << 8)

static struct pvh_cpuid_words cpuid(struct pvh_host *host, uint32_t leaf, uint32_t subleaf)
{
	struct pvh_cpuid_words words;

	host->ops->cpuid(host, leaf, subleaf, &words);
	return words;
}

static enum cpuid_vendor vendor_read(struct pvh_host *host)
{
	struct pvh_cpuid_words words = cpuid(host, 0, 0);

	if (words.ebx == 0x756e6547 && words.edx == 0x49656e69 && words.ecx == 0x6c65746e)
		return CPUID_VENDOR_INTEL;
	if (words.ebx == 0x68747541 && words.edx == 0x69746e65 && words.ecx == 0x444d4163)
		return CPUID_VENDOR_AMD;
	if (words.ebx == 0x6f677948 && words.edx == 0x6e65476e && words.ecx == 0x656e6975)
		return CPUID_VENDOR_AMD; /* Hygon: SVM all the same */
	return CPUID_VENDOR_OTHER;
}

static bool tsc_invariant(struct pvh_host *host)
{
	if (cpuid(host, CPUID_EXTENDED_MAX, 0).eax < CPUID_POWER)
		return false;
	return cpuid(host, CPUID_POWER, 0).edx & CPUID_INVARIANT_TSC;
}

static bool signature_is_xen(const struct pvh_cpuid_words *words, uint32_t base)
{
	return words->ebx == XEN_CPUID_SIGNATURE_EBX && words->ecx == XEN_CPUID_SIGNATURE_ECX &&
	       words->edx == XEN_CPUID_SIGNATURE_EDX && words->eax >= base + 2 &&
	       words->eax < base + SCAN_STEP;
}

int cpuid_find(struct pvh_host *host, struct cpuid_xen *xen)
{
	struct pvh_cpuid_words words;

	memset(xen, 0, sizeof(*xen));
	xen->vendor = vendor_read(host);
	for (uint32_t base = XEN_CPUID_FIRST_LEAF; base <= SCAN_LAST; base += SCAN_STEP) {
		words = cpuid(host, base, 0);
		if (!signature_is_xen(&words, base))
			continue;
		xen->base = base;
		xen->leaves = words.eax - base;
		words = cpuid(host, base + 1, 0);
		xen->major = (uint16_t)(words.eax >> 16);
		xen->minor = (uint16_t)words.eax;
		words = cpuid(host, base + 2, 0);
		xen->hypercall_msr = words.eax ? words.ebx : 0;
		xen->tsc_invariant = tsc_invariant(host);
		return 0;
	}
	return -ENODEV;
}

static int leaf_check(const struct cpuid_xen *xen, uint32_t leaf)
{
	if (!xen->base)
		return -ENODEV;
	return leaf <= xen->leaves ? 0 : -EOPNOTSUPP;
}

int cpuid_time_read(struct pvh_host *host, const struct cpuid_xen *xen, struct cpuid_time *time)
{
	struct pvh_cpuid_words words;
	int rc = leaf_check(xen, 3);

	if (rc)
		return rc;
	words = cpuid(host, xen->base + 3, 0);
	time->emulated = words.eax & 1;
	time->host_reliable = words.eax & 2;
	time->mode = words.ebx;
	time->khz = words.ecx;
	time->incarnation = words.edx;
	words = cpuid(host, xen->base + 3, 1);
	time->offset = words.eax | (uint64_t)words.ebx << 32;
	time->mul = words.ecx;
	time->shift = (int8_t)words.edx;
	time->host_khz = cpuid(host, xen->base + 3, 2).eax;
	return 0;
}

int cpuid_hvm_read(struct pvh_host *host, const struct cpuid_xen *xen, struct cpuid_hvm *hvm)
{
	struct pvh_cpuid_words words;
	int rc = leaf_check(xen, 4);

	if (rc)
		return rc;
	words = cpuid(host, xen->base + 4, 0);
	hvm->apic_virtual = words.eax & XEN_HVM_CPUID_APIC_ACCESS_VIRT;
	hvm->x2apic_virtual = words.eax & XEN_HVM_CPUID_X2APIC_VIRT;
	hvm->upcall_vector = words.eax & XEN_HVM_CPUID_UPCALL_VECTOR;
	hvm->has_vcpu = words.eax & XEN_HVM_CPUID_VCPU_ID_PRESENT;
	hvm->has_domid = words.eax & XEN_HVM_CPUID_DOMID_PRESENT;
	hvm->vcpu = hvm->has_vcpu ? words.ebx : 0;
	hvm->domid = hvm->has_domid ? words.ecx : 0;
	return 0;
}
