/*
 * tx.h - packets out of the slots of a TX ring.
 *
 * Pure: no I/O, no allocation, no globals. It sees only the private mirror of the ring, into which
 * the queue copied each slot once (XSA-155).
 *
 * A packet is slot 0, then its extras, then its other data slots. Slot 0's size is the whole
 * packet's, every other slot's is its own fragment's; more_data chains data slots, an extra's own
 * flag chains extras. Wire format: xen/io/netif.h.
 *
 * Two kinds of wrong: a packet whose chain can be followed to its end but that cannot be sent is
 * a fault, its slots are answered with NETIF_RSP_ERROR and the ring goes on; a chain that leaves
 * the requests that were posted is the end of the ring, since nothing after it can be trusted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backend/net/wire.h"

/** Slots of a TX ring, which is always one page. */
#define NET_TX_RING 256u

/** The most data slots of a packet that is sent; netif.h demands at least as many of a backend. */
#define NET_TX_FRAGMENTS_MAX XEN_NETIF_NR_SLOTS_MIN

/** Why a packet that was well chained is not sent. */
enum net_tx_fault {
	NET_TX_FINE,
	NET_TX_SHORT,     /* less than an Ethernet header */
	NET_TX_FRAGMENTS, /* more than NET_TX_FRAGMENTS_MAX data slots */
	NET_TX_SUM,       /* the fragments are longer than the packet */
	NET_TX_PAGE,      /* a fragment leaves its page */
	NET_TX_EXTRA,     /* an extra of a type that netif.h does not have */
	NET_TX_MULTICAST, /* multicast control, which was not offered; never carries data */
	NET_TX_GSO,       /* a segment size of 0 or an unknown kind of segmentation */
	NET_TX_HEADERS,   /* offload asked for headers that are not there (offload.h) */
	NET_TX_COPY,      /* its grants could not be copied */
	NET_TX_FAULTS,
};

/** Where we are in the mirror: [next, end) is posted and not looked at; indices run freely. */
struct net_tx_cursor {
	const struct netif_tx_request *mirror; /* NET_TX_RING slots, index modulo NET_TX_RING */
	uint32_t next, end;                    /* end - next is at most NET_TX_RING */
};

/** The granted part of one page. */
struct net_tx_fragment {
	uint32_t gref;
	uint16_t offset; /* bytes into the page */
	uint16_t length; /* bytes, at least 1; offset + length is at most 4096 */
};

struct net_tx_packet {
	uint32_t first;    /* index of slot 0 */
	uint16_t slots;    /* in the ring, with extras */
	uint16_t extras;   /* of these, directly after slot 0 */
	uint16_t length;   /* bytes; the sum of the fragments when nothing is wrong */
	uint16_t gso_size; /* bytes of payload of each segment; 0: not to be segmented */
	uint8_t gso_type;  /* XEN_NETIF_GSO_TYPE_* */
	bool csum_blank;
	bool csum_valid;
	enum net_tx_fault fault;
	uint8_t fragments; /* 0 when there is a fault; fragments of no bytes are left out */
	struct net_tx_fragment fragment[NET_TX_FRAGMENTS_MAX];
};

/**
 * net_tx_next - take the next packet.
 * @cursor: moved behind the packet on success, untouched otherwise
 * @packet: filled on success only
 *
 * Return: 0, also for a packet with a fault;
 *   -EAGAIN  nothing is left
 *   -EPROTO  the chain leaves the posted requests: the ring must be stopped
 */
int net_tx_next(struct net_tx_cursor *cursor, struct net_tx_packet *packet);

/**
 * net_tx_response - what slot @slot of a packet is answered with.
 * @mirror: as in the cursor
 * @slot:   0 to packet->slots - 1
 *
 * Extras get NETIF_RSP_NULL; data slots get their own id, and NETIF_RSP_OKAY or, when the
 * packet has a fault, NETIF_RSP_ERROR.
 */
struct netif_tx_response net_tx_response(const struct netif_tx_request *mirror,
					 const struct net_tx_packet *packet, unsigned int slot);

/** net_tx_fault_text - the fault in words, for the log. */
const char *net_tx_fault_text(enum net_tx_fault fault);
