/*
 * rx.h - a packet into the slots of an RX ring.
 *
 * Pure: no I/O, no allocation, no globals. The caller learns first how many requests a packet
 * takes, and hands in private copies of just so many.
 *
 * The first slot carries the flags of the packet and, like every other, the length of its own
 * part; an extra follows the first slot and uses up a request too. Each response lies in the
 * slot of its request, for frontends know it by the slot, not by the id. Wire format:
 * xen/io/netif.h, whose RX flags have other values than the TX flags of the same names.
 */
#pragma once

#include <linux/virtio_net.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/net/offload.h"
#include "backend/net/wire.h"

/** Slots of an RX ring, which is always one page. */
#define NET_RX_RING 256u

/** The longest packet to a guest: 64 KiB of IP under an Ethernet header with two tags. */
#define NET_RX_PACKET_MAX (65535u + 22u)

/** The most slots a packet takes: its pages and one extra. */
#define NET_RX_SLOTS_MAX (NET_RX_PACKET_MAX / 4096u + 1u + 1u)

/** What lies in a slot on the way to the frontend. */
union net_rx_answer {
	struct netif_rx_response response;
	struct netif_extra_info extra;
};

struct net_rx_plan {
	uint32_t length; /* bytes */
	uint16_t slots;  /* requests it takes, with the extra */
	uint16_t extras; /* of these, directly after the first: 0 or 1 */
	uint16_t flags;  /* NETRXF_* of the first slot, without more_data */
	uint16_t gso_size;
	uint8_t gso_type; /* XEN_NETIF_GSO_TYPE_* */
};

/** The part of the packet that goes to the page of one request. */
struct net_rx_part {
	uint32_t gref;
	uint32_t start; /* bytes into the packet; into the page it is always 0 */
	uint16_t length;
};

/**
 * net_rx_plan - how a packet will lie in the ring.
 * @length: bytes, without @header
 * @header: as net_offload_to_guest() left it
 * @plan:   filled on success
 *
 * Return: 0; -EMSGSIZE (longer than NET_RX_PACKET_MAX, or than a page and the frontend takes
 * but one slot); -EINVAL (shorter than an Ethernet header).
 */
int net_rx_plan(size_t length, const struct virtio_net_hdr *header,
		const struct net_features *features, struct net_rx_plan *plan);

/**
 * net_rx_fill - lay a packet into its slots.
 * @requests: plan->slots private copies, in ring order
 * @answers:  set to plan->slots answers, in the same order
 * @parts:    set to the copies to make, at most plan->slots
 *
 * Return: how many parts there are.
 */
unsigned int net_rx_fill(const struct net_rx_plan *plan, const struct netif_rx_request *requests,
			 union net_rx_answer *answers, struct net_rx_part *parts);

/**
 * net_rx_fail - turn the answers of a packet into errors, since a part could not be copied. The
 * chain stays as it was: the frontend drops the packet and finds the next one.
 */
void net_rx_fail(const struct net_rx_plan *plan, union net_rx_answer *answers);
