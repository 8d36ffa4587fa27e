#include "toolstack/xen/reset.h"

#include "toolstack/xen/internal.h"

#include <xen/hvm/params.h>

int xen_domain_soft_reset(struct xen *xen, uint16_t domid, struct fault *fault)
{
	xen_fresh(xen);
	return xc_domain_soft_reset(xen->xc, domid)
		       ? xen_failed(xen, fault, domid, "xc_domain_soft_reset")
		       : 0;
}

int xen_domain_ports_set(struct xen *xen, uint16_t domid, uint32_t xenstore_port,
			 uint32_t console_port, struct xen_built *built, struct fault *fault)
{
	xen_fresh(xen);
	if (xc_hvm_param_set(xen->xc, domid, HVM_PARAM_STORE_EVTCHN, xenstore_port) ||
	    xc_hvm_param_set(xen->xc, domid, HVM_PARAM_CONSOLE_EVTCHN, console_port))
		return xen_failed(xen, fault, domid, "xc_hvm_param_set");
	if (xc_hvm_param_get(xen->xc, domid, HVM_PARAM_STORE_PFN, &built->xenstore_frame) ||
	    xc_hvm_param_get(xen->xc, domid, HVM_PARAM_CONSOLE_PFN, &built->console_frame))
		return xen_failed(xen, fault, domid, "xc_hvm_param_get");
	return 0;
}
