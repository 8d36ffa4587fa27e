#include "embedded/xenbus/guest.h"

#include <errno.h>
#include <sys/mman.h>
#include <xen/xen.h>

#include <xen/hvm/params.h>

#include "embedded/evtchn/evtchn.h"
#include "embedded/wire.h"

static int param_get(struct client *client, uint32_t index, uint64_t *value)
{
	struct wire_domain_param request = {
		.opcode = WIRE_DOMAIN_PARAM, .domid = DOMID_SELF, .index = index};
	struct wire_domain_param_value reply;
	int rc;

	rc = client_call(client, &request, sizeof(request), &reply, sizeof(reply), NULL, NULL);
	if (!rc)
		*value = reply.value;
	return rc;
}

static int page_map(struct guest *guest, struct client *client, uint64_t frame)
{
	struct client_domain domain;
	void *page;
	int rc;

	rc = client_domain_open(client, DOMID_SELF, &domain);
	if (rc)
		return rc;
	if (frame >= domain.frames) {
		rc = -EINVAL;
	} else {
		page = mmap(NULL, FRAME_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, domain.memory,
			    (off_t)(frame << FRAME_SHIFT));
		if (page == MAP_FAILED)
			rc = -errno;
		else
			guest->page = page;
	}
	client_domain_close(&domain);
	return rc;
}

/* Its builder allocated the port, before there was anybody to hear of it. */
static int port_adopt(struct guest *guest, uint64_t port)
{
	struct wire_evtchn request = {.opcode = WIRE_EVTCHN_ADOPT, .value = (uint32_t)port};
	struct wire_evtchn_bound reply;

	guest->port = (evtchn_port_t)port;
	return client_call(&guest->evtchn->client, &request, sizeof(request), &reply, sizeof(reply),
			   NULL, NULL);
}

int guest_open(struct guest *guest)
{
	struct client *client;
	uint64_t frame = 0, port = 0;
	int rc;

	*guest = (struct guest){0};
	guest->evtchn = xenevtchn_open(NULL, 0);
	if (!guest->evtchn)
		return -errno;
	client = &guest->evtchn->client;
	rc = param_get(client, HVM_PARAM_STORE_PFN, &frame);
	if (!rc)
		rc = param_get(client, HVM_PARAM_STORE_EVTCHN, &port);
	if (!rc && (!frame || !port))
		rc = -ENOENT;
	if (!rc)
		rc = page_map(guest, client, frame);
	if (!rc)
		rc = port_adopt(guest, port);
	if (rc)
		guest_close(guest);
	return rc;
}

void guest_close(struct guest *guest)
{
	if (guest->page)
		munmap(guest->page, FRAME_SIZE);
	xenevtchn_close(guest->evtchn);
	*guest = (struct guest){0};
}
