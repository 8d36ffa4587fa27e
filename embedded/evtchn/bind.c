/* xenevtchn_bind_*, xenevtchn_unbind: one message to the host daemon each. */
#include <errno.h>

#include "embedded/evtchn/evtchn.h"
#include "embedded/wire.h"

static xenevtchn_port_or_error_t bind_call(xenevtchn_handle *xce, const void *request, size_t size)
{
	struct wire_evtchn_bound reply;
	int rc;

	rc = client_call(&xce->client, request, size, &reply, sizeof(reply), NULL, NULL);
	return rc ? evtchn_fail(rc) : (xenevtchn_port_or_error_t)reply.port;
}

xenevtchn_port_or_error_t xenevtchn_bind_unbound_port(xenevtchn_handle *xce, uint32_t domid)
{
	struct wire_evtchn request = {.opcode = WIRE_EVTCHN_BIND_UNBOUND, .value = domid};

	return bind_call(xce, &request, sizeof(request));
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid,
						     evtchn_port_t remote_port)
{
	struct wire_evtchn_bind_interdomain request = {
		.opcode = WIRE_EVTCHN_BIND_INTERDOMAIN, .domid = domid, .port = remote_port};

	return bind_call(xce, &request, sizeof(request));
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
	struct wire_evtchn request = {.opcode = WIRE_EVTCHN_BIND_VIRQ, .value = virq};

	return bind_call(xce, &request, sizeof(request));
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	struct wire_evtchn request = {.opcode = WIRE_EVTCHN_UNBIND, .value = port};
	struct wire_result reply;
	int rc;

	rc = client_call(&xce->client, &request, sizeof(request), &reply, sizeof(reply), NULL,
			 NULL);
	if (rc)
		return evtchn_fail(rc);
	pthread_rwlock_wrlock(&xce->lock);
	if (xce->peers[port])
		evtchn_peer_drop(xce, port);
	pthread_rwlock_unlock(&xce->lock);
	return 0;
}
