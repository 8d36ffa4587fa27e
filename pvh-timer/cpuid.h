/*
 * cpuid.h - what Xen says of itself in CPUID. Follows xen/arch-x86/cpuid.h.
 *
 * Toolstacks may clamp the number of leaves, and other interfaces (viridian) may come first, so
 * nothing is believed beyond the maximum that the first leaf names.
 */
#pragma once

#include "pvh-timer/host.h"

enum cpuid_vendor { CPUID_VENDOR_OTHER, CPUID_VENDOR_INTEL, CPUID_VENDOR_AMD };

/** Fixed for a domain's life on one host; read again after a migration. */
struct cpuid_xen {
	uint32_t base, leaves; /* first leaf, and how many follow it */
	uint16_t major, minor;
	uint32_t hypercall_msr; /* 0: no hypercall page is offered */
	enum cpuid_vendor vendor;
	bool tsc_invariant; /* the processor's own word: CPUID 0x80000007 */
};

/**
 * cpuid_find - look for Xen. Return: 0, or -ENODEV (@xen is zeroed but for the vendor).
 */
int cpuid_find(struct pvh_host *host, struct cpuid_xen *xen);

/** Leaf 3: how the domain's TSC behaves. */
struct cpuid_time {
	bool emulated;        /* reads of the TSC trap */
	bool host_reliable;   /* the host trusts its own TSC */
	uint32_t mode;        /* of xl's tsc_mode: 0 default, 1 always emulated, 2 never */
	uint32_t khz;         /* of the guest's TSC */
	uint32_t incarnation; /* how often the domain was restored or migrated */
	uint64_t offset;      /* of TSC to ns, with @mul and @shift: as pvclock */
	uint32_t mul;
	int8_t shift;
	uint32_t host_khz;
};

/** cpuid_time_read - Return: 0, -ENODEV (no Xen), -EOPNOTSUPP (the toolstack hides the leaf). */
int cpuid_time_read(struct pvh_host *host, const struct cpuid_xen *xen, struct cpuid_time *time);

/** Leaf 4: an HVM domain's view, of the vcpu that asks. */
struct cpuid_hvm {
	bool apic_virtual, x2apic_virtual; /* the processor does it: no exits */
	bool upcall_vector;                /* per-vcpu vectors, PIRQs included */
	bool has_vcpu, has_domid;
	uint32_t vcpu, domid;
};

/** cpuid_hvm_read - Return: as cpuid_time_read. */
int cpuid_hvm_read(struct pvh_host *host, const struct cpuid_xen *xen, struct cpuid_hvm *hvm);
