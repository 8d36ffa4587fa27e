#include "toolstack/xen/tune.h"

#include <errno.h>

#include "toolstack/xen/internal.h"

#include <xen/hvm/params.h>

/* LIBXL_MAXMEM_CONSTANT */
#define MAXMEM_CONSTANT_KIB 1024

/* Each call as Xen's library has it; 0 is success for all of them. */
#define CALL(xen, fault, domid, function, ...) \
	(xen_fresh(xen),                       \
	 function((xen)->xc, domid, ##__VA_ARGS__) ? xen_failed(xen, fault, domid, #function) : 0)

int xen_memory_limit(struct xen *xen, uint16_t domid, uint64_t kib, struct fault *fault)
{
	return CALL(xen, fault, domid, xc_domain_setmaxmem, kib + MAXMEM_CONSTANT_KIB);
}

int xen_memory_target(struct xen *xen, uint16_t domid, uint64_t kib, struct fault *fault)
{
	return CALL(xen, fault, domid, xc_domain_set_pod_target,
		    (kib + MAXMEM_CONSTANT_KIB) / (XC_PAGE_SIZE / 1024), NULL, NULL, NULL);
}

int xen_clock_offset(struct xen *xen, uint16_t domid, int32_t seconds, struct fault *fault)
{
	return CALL(xen, fault, domid, xc_domain_set_time_offset, seconds);
}

int xen_ioports_allow(struct xen *xen, uint16_t domid, uint32_t first, uint32_t count,
		      struct fault *fault)
{
	return CALL(xen, fault, domid, xc_domain_ioport_permission, first, count, 1);
}

int xen_iomem_allow(struct xen *xen, uint16_t domid, uint64_t frame, uint64_t count,
		    struct fault *fault)
{
	return CALL(xen, fault, domid, xc_domain_iomem_permission, frame, count, 1);
}

int xen_iomem_map(struct xen *xen, uint16_t domid, uint64_t guest_frame, uint64_t frame,
		  uint64_t count, struct fault *fault)
{
	return CALL(xen, fault, domid, xc_domain_memory_mapping, guest_frame, frame, count,
		    DPCI_ADD_MAPPING);
}

int xen_irq_allow(struct xen *xen, uint16_t domid, uint32_t irq, struct fault *fault)
{
	int pirq = (int)irq;
	int rc = CALL(xen, fault, domid, xc_physdev_map_pirq, (int)irq, &pirq);

	return rc ? rc : CALL(xen, fault, domid, xc_domain_irq_permission, (uint32_t)pirq, true);
}

int xen_trigger(struct xen *xen, uint16_t domid, enum xen_trigger trigger, unsigned vcpu,
		struct fault *fault)
{
	static const uint32_t triggers[] = {
		[XEN_TRIGGER_NMI] = XEN_DOMCTL_SENDTRIGGER_NMI,
		[XEN_TRIGGER_RESET] = XEN_DOMCTL_SENDTRIGGER_RESET,
		[XEN_TRIGGER_INIT] = XEN_DOMCTL_SENDTRIGGER_INIT,
		[XEN_TRIGGER_POWER] = XEN_DOMCTL_SENDTRIGGER_POWER,
		[XEN_TRIGGER_SLEEP] = XEN_DOMCTL_SENDTRIGGER_SLEEP,
	};

	if (trigger == XEN_TRIGGER_S3RESUME)
		return CALL(xen, fault, domid, xc_hvm_param_set, HVM_PARAM_ACPI_S_STATE, 0);
	return CALL(xen, fault, domid, xc_domain_send_trigger, triggers[trigger], vcpu);
}

int xen_is_pv(struct xen *xen, uint16_t domid, struct fault *fault)
{
	xc_domaininfo_t info;
	int n;

	xen_fresh(xen);
	n = xc_domain_getinfolist(xen->xc, domid, 1, &info);
	if (n < 0)
		return xen_failed(xen, fault, domid, "xc_domain_getinfolist");
	if (n == 0 || info.domain != domid)
		return fault_set(fault, -ESRCH, "domain %u does not exist", domid);
	return !(info.flags & XEN_DOMINF_hvm_guest);
}

bool xen_has_callback(struct xen *xen, uint16_t domid, struct fault *fault)
{
	uint64_t value = 0;

	xen_fresh(xen);
	return !xc_hvm_param_get(xen->xc, domid, HVM_PARAM_CALLBACK_IRQ, &value) && value;
}
