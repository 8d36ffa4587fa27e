/* Event channels and parameters of other domains. */
#include <stdint.h>

#include "embedded/ctrl/interface.h"

xc_evtchn_port_or_error_t xc_evtchn_alloc_unbound(xc_interface *xch, uint32_t dom,
						  uint32_t remote_dom)
{
	struct wire_evtchn_alloc_unbound request = {
		.opcode = WIRE_EVTCHN_ALLOC_UNBOUND, .domid = dom, .remote = remote_dom};
	struct wire_evtchn_bound reply;

	if (interface_call(xch, &request, sizeof(request), &reply, sizeof(reply)))
		return -1;
	return (xc_evtchn_port_or_error_t)reply.port;
}

int xc_evtchn_status(xc_interface *xch, xc_evtchn_status_t *status)
{
	struct wire_evtchn_status request = {
		.opcode = WIRE_EVTCHN_STATUS, .domid = status->dom, .port = status->port};
	struct wire_evtchn_state reply;

	if (interface_call(xch, &request, sizeof(request), &reply, sizeof(reply)))
		return -1;
	status->status = reply.status;
	status->vcpu = 0;
	switch (reply.status) {
	case EVTCHNSTAT_unbound:
		status->u.unbound.dom = (domid_t)reply.domid;
		break;
	case EVTCHNSTAT_interdomain:
		status->u.interdomain.dom = (domid_t)reply.domid;
		status->u.interdomain.port = reply.port;
		break;
	case EVTCHNSTAT_virq:
		status->u.virq = reply.virq;
		break;
	default:
		break;
	}
	return 0;
}

static int param(xc_interface *xch, struct wire_domain_param request, uint64_t *value)
{
	struct wire_domain_param_value reply;

	request.opcode = WIRE_DOMAIN_PARAM;
	if (interface_call(xch, &request, sizeof(request), &reply, sizeof(reply)))
		return -1;
	*value = reply.value;
	return 0;
}

int xc_hvm_param_get(xc_interface *xch, uint32_t dom, uint32_t index, uint64_t *value)
{
	return param(xch, (struct wire_domain_param){.domid = dom, .index = index}, value);
}

int xc_hvm_param_set(xc_interface *xch, uint32_t dom, uint32_t index, uint64_t value)
{
	return param(
		xch,
		(struct wire_domain_param){.domid = dom, .index = index, .set = 1, .value = value},
		&value);
}

int xc_get_hvm_param(xc_interface *xch, uint32_t dom, int index, unsigned long *value)
{
	uint64_t wide;

	if (xc_hvm_param_get(xch, dom, (uint32_t)index, &wide))
		return -1;
	*value = wide;
	return 0;
}

int xc_set_hvm_param(xc_interface *xch, uint32_t dom, int index, unsigned long value)
{
	return xc_hvm_param_set(xch, dom, (uint32_t)index, value);
}
