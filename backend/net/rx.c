/* A packet into the slots of an RX ring: see rx.h. */
#include "backend/net/rx.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static void gso_plan(const struct virtio_net_hdr *header, struct net_rx_plan *plan)
{
	if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return;
	plan->flags |= NETRXF_extra_info;
	plan->extras = 1;
	plan->gso_size = header->gso_size;
	plan->gso_type = header->gso_type == VIRTIO_NET_HDR_GSO_TCPV6 ? XEN_NETIF_GSO_TYPE_TCPV6
								      : XEN_NETIF_GSO_TYPE_TCPV4;
}

int net_rx_plan(size_t length, const struct virtio_net_hdr *header,
		const struct net_features *features, struct net_rx_plan *plan)
{
	if (length < NET_PACKET_MIN)
		return -EINVAL;
	if (length > NET_RX_PACKET_MAX || (length > XEN_PAGE && !features->sg))
		return -EMSGSIZE;
	memset(plan, 0, sizeof(*plan));
	plan->length = (uint32_t)length;
	if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		plan->flags |= NETRXF_csum_blank | NETRXF_data_validated;
	else if (header->flags & VIRTIO_NET_HDR_F_DATA_VALID)
		plan->flags |= NETRXF_data_validated;
	gso_plan(header, plan);
	plan->slots = (uint16_t)((length + XEN_PAGE - 1) / XEN_PAGE + plan->extras);
	return 0;
}

static void extra_fill(const struct net_rx_plan *plan, union net_rx_answer *answer)
{
	answer->extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
	answer->extra.u.gso.size = plan->gso_size;
	answer->extra.u.gso.type = plan->gso_type;
}

unsigned int net_rx_fill(const struct net_rx_plan *plan, const struct netif_rx_request *requests,
			 union net_rx_answer *answers, struct net_rx_part *parts)
{
	unsigned int count = 0;
	uint32_t done = 0;

	memset(answers, 0, plan->slots * sizeof(answers[0]));
	for (unsigned int slot = 0; slot < plan->slots; slot++) {
		struct netif_rx_response *response = &answers[slot].response;
		uint32_t length = plan->length - done < XEN_PAGE ? plan->length - done : XEN_PAGE;

		if (slot >= 1 && slot <= plan->extras) {
			extra_fill(plan, &answers[slot]);
			continue;
		}
		parts[count].gref = requests[slot].gref;
		parts[count].start = done;
		parts[count].length = (uint16_t)length;
		count++;
		done += length;
		response->id = requests[slot].id;
		response->flags = slot == 0 ? plan->flags : 0;
		if (done < plan->length)
			response->flags |= NETRXF_more_data;
		response->status = (int16_t)length;
	}
	return count;
}

void net_rx_fail(const struct net_rx_plan *plan, union net_rx_answer *answers)
{
	for (unsigned int slot = 0; slot < plan->slots; slot++)
		if (slot == 0 || slot > plan->extras)
			answers[slot].response.status = NETIF_RSP_ERROR;
}
