/*
 * sender.h - the guest's packets: from a TX ring to the TAP.
 *
 * One pass takes what is posted as far as its buffer reaches, copies it with one
 * xengnttab_grant_copy, writes each packet to the TAP with one write(2), and answers in ring order.
 * Nothing is in flight between passes, so a ring can be taken up or left at any of them; and in the
 * middle of one with its log (log.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <xengnttab.h>

#include "backend/net/log.h"
#include "backend/net/pass.h"
#include "backend/net/rate.h"
#include "backend/net/tx.h"

/** Bytes of packets that one pass copies at most; more would only fall out of the cache. */
#define NET_SENDER_BYTES (256u * 1024u)

struct net_sender {
	struct netif_tx_back_ring ring;
	xengnttab_handle *gnttab;
	uint16_t domid;
	int tap;               /* not owned */
	struct net_log *log;   /* not owned; its copies are where packets are parsed */
	struct net_rate *rate; /* not owned; NULL: no limit */
	uint64_t wait_ns;      /* after a pass: what is left has to wait for so long */
	uint32_t pulled;       /* slots before this index are in there */
	unsigned int packets, segments;
	struct net_tx_packet packet[NET_TX_RING];
	uint32_t place[NET_TX_RING]; /* of the packet, in bytes into the buffer */
	xengnttab_grant_copy_segment_t segment[NET_TX_RING];
	enum net_tx_fault fault; /* the last one that was met, for the log */
	uint8_t buffer[NET_SENDER_BYTES];
};

/**
 * net_sender_init - take up a ring where it is.
 * @sring: the mapped page; stays the caller's
 * @tap:   non-blocking, with vnet headers of 10 bytes
 * @log:   of this queue; stays the caller's
 * @rate:  of the vif; stays the caller's; or NULL
 *
 * Return: 0, or -EPROTO when its indices, or the log's, are impossible.
 */
int net_sender_init(struct net_sender *sender, struct netif_tx_sring *sring,
		    xengnttab_handle *gnttab, uint16_t domid, int tap, struct net_log *log,
		    struct net_rate *rate);

/**
 * net_sender_pass - one bounded pass.
 * @pass:   what it left behind
 * @notify: set when the guest wants to be kicked
 * sender->wait_ns says when to go on after NET_PASS_MORE; 0: at once.
 * sender->fault is NET_TX_FINE, or says what was wrong with the last faulty packet.
 *
 * Return: 0, or, when the ring must be stopped, -EPROTO (the guest broke its protocol) or
 * -ENODEV (the TAP is gone). @pass and @notify count in any case.
 */
int net_sender_pass(struct net_sender *sender, enum net_pass *pass, bool *notify);
