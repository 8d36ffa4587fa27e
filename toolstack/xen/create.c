#include "toolstack/xen/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/hvm/params.h>

/* Of xen-tscmode(7): only then, or when it stays on this host, is its TSC invariant. */
#define TSC_MODE_ALWAYS_EMULATE 1
/* LIBXL_MAXMEM_CONSTANT */
#define MAXMEM_CONSTANT_KIB     1024

static int capabilities_get(struct xen *xen, uint32_t *capabilities, struct fault *fault)
{
	xc_physinfo_t info = {0};
	int rc;

	xen_fresh(xen);
	if (xc_physinfo(xen->xc, &info)) {
		rc = errno ? -errno : -EIO;
		return fault_set(fault, rc, "xc_physinfo: %s", strerror(-rc));
	}
	*capabilities = info.capabilities;
	return 0;
}

static int container_set(struct xen *xen, const struct xen_limits *limits,
			 struct xen_domctl_createdomain *create, struct fault *fault)
{
	uint32_t capabilities = 0;
	int rc = capabilities_get(xen, &capabilities, fault);

	if (rc)
		return rc;
	if (limits->container == XEN_PV)
		return capabilities & XEN_SYSCTL_PHYSCAP_pv
			       ? 0
			       : fault_set(fault, -ENOTSUP,
					   "this Xen runs no PV guests; use type=\"pvh\"");
	if (!(capabilities & XEN_SYSCTL_PHYSCAP_hvm))
		return fault_set(fault, -ENOTSUP,
				 "this host runs no PVH or HVM guests; switch virtualization on in "
				 "its firmware or use type=\"pv\"");
	create->flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_oos_off;
	if (capabilities & XEN_SYSCTL_PHYSCAP_hap && !limits->no_hap)
		create->flags |= XEN_DOMCTL_CDF_hap;
	if (limits->nested)
		create->flags |= XEN_DOMCTL_CDF_nested_virt;
	create->arch.emulation_flags = limits->container == XEN_PVH
					       ? XEN_X86_EMU_LAPIC
					       : XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI;
	return 0;
}

/* A MiB a vcpu and a page a MiB of RAM for the guest's page tables; shadowed ones take more. */
static uint64_t paging_bytes(const struct xen_limits *limits, bool hap)
{
	uint64_t mib = limits->maxmem_kib >> 10;
	uint64_t pages = 256 * (uint64_t)limits->vcpus + (hap ? 1 : 2) * mib;

	if (limits->shadow_mib)
		return (uint64_t)limits->shadow_mib << 20;
	return (pages * XC_PAGE_SIZE + (1 << 20) - 1) & ~(uint64_t)((1 << 20) - 1);
}

/* hvm_set_conf_params, libxl_x86.c */
static int hvm_params_set(struct xen *xen, uint16_t domid, const struct xen_limits *limits)
{
	if (limits->container == XEN_HVM &&
	    (xc_hvm_param_set(xen->xc, domid, HVM_PARAM_HPET_ENABLED, limits->hpet) ||
	     xc_hvm_param_set(xen->xc, domid, HVM_PARAM_VPT_ALIGN, 1)))
		return -1;
	return xc_hvm_param_set(xen->xc, domid, HVM_PARAM_TIMER_MODE, limits->timer_mode);
}

/* libxl__arch_domain_create */
static const char *arch_set(struct xen *xen, uint16_t domid, const struct xen_limits *limits,
			    bool hap)
{
	if (limits->container == XEN_PV) {
		if (xc_domain_set_memmap_limit(xen->xc, domid, limits->maxmem_kib))
			return "xc_domain_set_memmap_limit";
	} else {
		if (hvm_params_set(xen, domid, limits))
			return "xc_hvm_param_set";
		if (xc_set_paging_mempool_size(xen->xc, domid, paging_bytes(limits, hap)))
			return "xc_set_paging_mempool_size";
	}
	return xc_domain_set_tsc_info(xen->xc, domid, limits->tsc_mode, 0, 0, 0)
		       ? "xc_domain_set_tsc_info"
		       : NULL;
}

/* Both lists end with an entry of its own kind. */
static const char *cpuid_set(struct xen *xen, uint16_t domid, const struct xen_limits *limits)
{
	const struct xen_cpuid *from = &limits->cpuid;
	struct xc_xend_cpuid *leaves = calloc(from->leaves + 1, sizeof(*leaves));
	struct xc_msr *msrs = calloc(from->msrs + 1, sizeof(*msrs));
	int rc = leaves && msrs ? 0 : -ENOMEM;

	for (size_t i = 0; i < from->leaves && !rc; i++) {
		leaves[i].leaf = from->leaf[i].leaf;
		leaves[i].subleaf = from->leaf[i].subleaf;
		memcpy(leaves[i].policy, from->leaf[i].policy, sizeof(leaves[i].policy));
	}
	for (size_t i = 0; i < from->msrs && !rc; i++) {
		msrs[i].index = from->msr[i].index;
		memcpy(msrs[i].policy, from->msr[i].policy, sizeof(msrs[i].policy));
	}
	if (!rc) {
		leaves[from->leaves].leaf = XEN_CPUID_INPUT_UNUSED;
		msrs[from->msrs].index = XC_MSR_INPUT_UNUSED;
		rc = xc_cpuid_apply_policy(
			xen->xc, domid, false, NULL, 0, !limits->no_pae,
			limits->tsc_mode == TSC_MODE_ALWAYS_EMULATE || limits->no_migrate,
			limits->nested, from->leaves ? leaves : NULL, from->msrs ? msrs : NULL);
	}
	free(leaves);
	free(msrs);
	errno = -rc; /* other than the rest of the library */
	return rc ? "xc_cpuid_apply_policy" : NULL;
}

/* libxl__build_pre */
static const char *limits_set(struct xen *xen, uint16_t domid, const struct xen_limits *limits,
			      bool hap)
{
	const char *call;

	if (xc_domain_max_vcpus(xen->xc, domid, limits->vcpus))
		return "xc_domain_max_vcpus";
	if (xc_domain_setmaxmem(xen->xc, domid,
				limits->memory_kib + limits->model_kib + MAXMEM_CONSTANT_KIB))
		return "xc_domain_setmaxmem";
	call = arch_set(xen, domid, limits, hap);
	if (call || limits->restored)
		return call;
	return cpuid_set(xen, domid, limits);
}

int xen_domain_create(struct xen *xen, const struct xen_limits *limits, uint16_t *domid,
		      struct fault *fault)
{
	struct xen_domctl_createdomain create = {
		.max_vcpus = limits->vcpus,
		.max_evtchn_port = (int32_t)limits->event_channels,
		.max_grant_frames = limits->grant_frames,
		.max_maptrack_frames = limits->maptrack_frames,
		.grant_opts = XEN_DOMCTL_GRANT_version(limits->grant_version),
		.cpupool_id = limits->pool,
	};
	uint32_t id = limits->domid;
	const char *call;
	int rc;

	memcpy(create.handle, limits->uuid, sizeof(create.handle));
	rc = container_set(xen, limits, &create, fault);
	if (rc)
		return rc;
	if (limits->vpmu)
		create.flags |= XEN_DOMCTL_CDF_vpmu;
	xen_fresh(xen);
	if (xc_domain_create(xen->xc, &id, &create)) {
		rc = errno ? -errno : -EIO;
		return id && rc == -EEXIST
			       ? fault_set(fault, rc, "a domain of number %u is there already", id)
			       : fault_set(fault, rc, "xc_domain_create: %s", strerror(-rc));
	}
	call = limits_set(xen, (uint16_t)id, limits, create.flags & XEN_DOMCTL_CDF_hap);
	if (call) {
		rc = xen_failed(xen, fault, (uint16_t)id, call);
		xc_domain_destroy(xen->xc, id);
		return rc;
	}
	*domid = (uint16_t)id;
	return 0;
}
