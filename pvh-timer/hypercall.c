#include "pvh-timer/hypercall.h"

enum hypercall_way hypercall_way_choose(const struct cpuid_xen *xen)
{
	if (!xen->base)
		return HYPERCALL_NONE;
	switch (xen->vendor) {
	case CPUID_VENDOR_INTEL:
		return HYPERCALL_VMCALL;
	case CPUID_VENDOR_AMD:
		return HYPERCALL_VMMCALL;
	default:
		return xen->hypercall_msr ? HYPERCALL_PAGE : HYPERCALL_NONE;
	}
}

uint32_t hypercall_features(struct pvh_host *host)
{
	struct xen_feature_info info = {.submap_idx = 0};

	if (hypercall3(host, __HYPERVISOR_xen_version, XENVER_get_features, (unsigned long)&info,
		       0))
		return 0;
	return info.submap;
}

int hypercall_param_get(struct pvh_host *host, uint32_t index, uint64_t *value)
{
	struct xen_hvm_param param = {.domid = DOMID_SELF, .index = index};
	int rc = hypercall_hvm(host, HVMOP_get_param, &param);

	if (!rc)
		*value = param.value;
	return rc;
}

int hypercall_param_set(struct pvh_host *host, uint32_t index, uint64_t value)
{
	struct xen_hvm_param param = {.domid = DOMID_SELF, .index = index, .value = value};

	return hypercall_hvm(host, HVMOP_set_param, &param);
}

int hypercall_map(struct pvh_host *host, unsigned space, uint64_t index, uint64_t gfn)
{
	struct xen_add_to_physmap map = {
		.domid = DOMID_SELF, .space = space, .idx = index, .gpfn = gfn};

	return (int)hypercall_memory(host, XENMEM_add_to_physmap, &map);
}
