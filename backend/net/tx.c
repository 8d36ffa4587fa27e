/* Packets out of the slots of a TX ring: see tx.h. */
#include "backend/net/tx.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct netif_tx_request *slot_at(const struct net_tx_cursor *cursor, uint32_t index)
{
	return &cursor->mirror[index % NET_TX_RING];
}

static void fault_set(struct net_tx_packet *packet, enum net_tx_fault fault)
{
	if (packet->fault == NET_TX_FINE)
		packet->fault = fault;
}

static void gso_take(struct net_tx_packet *packet, const struct netif_extra_info *extra)
{
	packet->gso_type = extra->u.gso.type;
	packet->gso_size = extra->u.gso.size;
	if (packet->gso_size == 0 || (packet->gso_type != XEN_NETIF_GSO_TYPE_TCPV4 &&
				      packet->gso_type != XEN_NETIF_GSO_TYPE_TCPV6))
		fault_set(packet, NET_TX_GSO);
}

static void extra_take(struct net_tx_packet *packet, const struct netif_extra_info *extra)
{
	switch (extra->type) {
	case XEN_NETIF_EXTRA_TYPE_GSO:
		gso_take(packet, extra);
		break;
	case XEN_NETIF_EXTRA_TYPE_MCAST_ADD:
	case XEN_NETIF_EXTRA_TYPE_MCAST_DEL:
		fault_set(packet, NET_TX_MULTICAST);
		break;
	case XEN_NETIF_EXTRA_TYPE_HASH:
		break;
	default:
		fault_set(packet, NET_TX_EXTRA);
	}
}

/* The extras behind slot 0, if it announces any; @index is moved behind them. */
static int extras_walk(const struct net_tx_cursor *cursor, uint32_t *index,
		       struct net_tx_packet *packet)
{
	struct netif_extra_info extra;
	bool more = slot_at(cursor, packet->first)->flags & NETTXF_extra_info;

	for (; more; more = extra.flags & XEN_NETIF_EXTRA_FLAG_MORE) {
		if (*index == cursor->end)
			return -EPROTO;
		memcpy(&extra, slot_at(cursor, (*index)++), sizeof(extra));
		packet->extras++;
		extra_take(packet, &extra);
	}
	return 0;
}

/* Follow more_data from slot 0 to the last data slot; *@rest is what the others carry. */
static int data_walk(const struct net_tx_cursor *cursor, uint32_t *index,
		     const struct net_tx_packet *packet, uint32_t *rest)
{
	const struct netif_tx_request *slot = slot_at(cursor, packet->first);

	*rest = 0;
	while (slot->flags & NETTXF_more_data) {
		if (*index == cursor->end)
			return -EPROTO;
		slot = slot_at(cursor, (*index)++);
		*rest += slot->size;
	}
	return 0;
}

static void fragment_add(struct net_tx_packet *packet, const struct netif_tx_request *slot,
			 uint32_t length)
{
	struct net_tx_fragment *fragment = &packet->fragment[packet->fragments];

	if (slot->offset + length > XEN_PAGE) {
		fault_set(packet, NET_TX_PAGE);
		return;
	}
	/* Legal, and nothing to copy (XSA-448). */
	if (length == 0)
		return;
	fragment->gref = slot->gref;
	fragment->offset = slot->offset;
	fragment->length = (uint16_t)length;
	packet->fragments++;
}

/* The data slots of a chain that is known to be whole. */
static void fragments_take(const struct net_tx_cursor *cursor, struct net_tx_packet *packet,
			   uint32_t rest)
{
	uint32_t index = packet->first + 1 + packet->extras;
	uint32_t end = packet->first + packet->slots;

	/* A packet of 64 KiB or more wraps its size; real frontends do it, so the ring goes on. */
	if (rest > packet->length)
		fault_set(packet, NET_TX_SUM);
	if (end - index + 1 > NET_TX_FRAGMENTS_MAX)
		fault_set(packet, NET_TX_FRAGMENTS);
	if (packet->fault != NET_TX_FINE)
		return;
	fragment_add(packet, slot_at(cursor, packet->first), packet->length - rest);
	for (; index != end; index++)
		fragment_add(packet, slot_at(cursor, index), slot_at(cursor, index)->size);
}

int net_tx_next(struct net_tx_cursor *cursor, struct net_tx_packet *packet)
{
	uint32_t index = cursor->next, rest;
	const struct netif_tx_request *slot;
	int rc;

	if (index == cursor->end)
		return -EAGAIN;
	memset(packet, 0, offsetof(struct net_tx_packet, fragment));
	packet->first = index++;
	slot = slot_at(cursor, packet->first);
	packet->length = slot->size;
	packet->csum_blank = slot->flags & NETTXF_csum_blank;
	packet->csum_valid = slot->flags & NETTXF_data_validated;
	if (packet->length < NET_PACKET_MIN)
		fault_set(packet, NET_TX_SHORT);
	rc = extras_walk(cursor, &index, packet);
	if (rc == 0)
		rc = data_walk(cursor, &index, packet, &rest);
	if (rc)
		return rc;
	packet->slots = (uint16_t)(index - packet->first);
	fragments_take(cursor, packet, rest);
	if (packet->fault != NET_TX_FINE)
		packet->fragments = 0;
	cursor->next = index;
	return 0;
}

struct netif_tx_response net_tx_response(const struct netif_tx_request *mirror,
					 const struct net_tx_packet *packet, unsigned int slot)
{
	struct netif_tx_response response = {0};

	if (slot >= 1 && slot <= packet->extras) {
		response.status = NETIF_RSP_NULL;
		return response;
	}
	response.id = mirror[(packet->first + slot) % NET_TX_RING].id;
	response.status = packet->fault == NET_TX_FINE ? NETIF_RSP_OKAY : NETIF_RSP_ERROR;
	return response;
}

const char *net_tx_fault_text(enum net_tx_fault fault)
{
	static const char *const text[NET_TX_FAULTS] = {
		[NET_TX_FINE] = "nothing wrong",
		[NET_TX_SHORT] = "shorter than an Ethernet header",
		[NET_TX_FRAGMENTS] = "more than 18 data slots",
		[NET_TX_SUM] = "fragments longer than the packet",
		[NET_TX_PAGE] = "a fragment leaves its page",
		[NET_TX_EXTRA] = "an extra of unknown type",
		[NET_TX_MULTICAST] = "multicast control, which was not offered",
		[NET_TX_GSO] = "segmentation without size or of unknown kind",
		[NET_TX_HEADERS] = "offload without the headers it needs",
		[NET_TX_COPY] = "a grant that cannot be copied",
	};

	return text[fault];
}
