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
