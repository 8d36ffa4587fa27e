/*
 * receiver.h - packets to the guest: from the TAP to an RX ring.
 *
 * One pass reads packets as long as the guest has posted requests for them and its buffer has room,
 * copies all with one xengnttab_grant_copy and answers in ring order. What the ring cannot take
 * stays in the TAP, whose queue drops what is too much; one packet at most waits here, since a
 * packet's need of slots is known only when it was read (XSA-392).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <xengnttab.h>

#include "backend/net/log.h"
#include "backend/net/pass.h"
#include "backend/net/rx.h"

/** Bytes of packets that one pass copies at most. */
#define NET_RECEIVER_BYTES (256u * 1024u)

/** A packet in the buffer. */
struct net_receiver_packet {
	struct net_rx_plan plan;
	unsigned int parts;
};

struct net_receiver {
	struct netif_rx_back_ring ring;
	xengnttab_handle *gnttab;
	struct net_features features;
	uint16_t domid;
	int tap;             /* not owned */
	struct net_log *log; /* not owned */
	bool unsegmented;    /* the TAP was told to leave segmenting to the kernel */
	uint32_t posted;     /* requests before this index may be taken */
	bool held;           /* a packet waits at @held_at for enough requests */
	uint32_t held_at;    /* bytes into the buffer */
	struct net_rx_plan held_plan;
	unsigned int packets, answers, segments;
	struct net_receiver_packet packet[NET_RX_RING];
	union net_rx_answer answer[NET_RX_RING];
	xengnttab_grant_copy_segment_t segment[NET_RX_RING];
	uint8_t buffer[NET_RECEIVER_BYTES];
};

/**
 * net_receiver_init - take up a ring where it is.
 * @sring:    the mapped page; stays the caller's
 * @features: what the frontend takes
 * @tap:      non-blocking, with vnet headers of 10 bytes
 * @log:      of this queue; stays the caller's
 *
 * Return: 0, or -EPROTO when its indices, or the log's, are impossible.
 */
int net_receiver_init(struct net_receiver *receiver, struct netif_rx_sring *sring,
		      xengnttab_handle *gnttab, uint16_t domid, int tap,
		      const struct net_features *features, struct net_log *log);

/**
 * net_receiver_pass - one bounded pass.
 * @pass:   NET_PASS_IDLE when the TAP is empty, NET_PASS_FULL when the ring is: the guest is then
 *          asked to kick when it has posted what is needed
 * @notify: set when the guest wants to be kicked
 *
 * Return: 0, or, when the ring must be stopped, -EPROTO (the guest broke its protocol) or
 * -ENODEV (the TAP is gone). @pass and @notify count in any case.
 */
int net_receiver_pass(struct net_receiver *receiver, enum net_pass *pass, bool *notify);

/** net_receiver_forget - give up the packet that waits for requests, if there is one. */
void net_receiver_forget(struct net_receiver *receiver);
