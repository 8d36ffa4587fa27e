/*
 * nettx.h - packets to the backend.
 *
 * A window of 256 pages, shared read-only once and for all, is filled in order: the host writes
 * a packet into it where nettx_reserve says, then nettx_send describes it in slots. A page's
 * index is the id of its request; pages come free in the order they went, whatever order the
 * backend answers in.
 *
 * Wire: netif.h, "Guest transmit". The first slot's size is the whole packet's.
 */
#pragma once

#include "frontend/core/limbo.h"
#include "frontend/core/netpacket.h"
#include "frontend/core/wire.h"

#define NETTX_PAGES 256u

/** A part of the window, contiguous. */
struct net_chunk {
	uint8_t *data;
	size_t length;
};

struct nettx {
	struct platform_area *area;   /* the ring */
	struct platform_area *window; /* NETTX_PAGES */
	struct netif_tx_front_ring ring;
	uint32_t page_prod, page_cons; /* free running; prod - cons pages are in use */
	uint32_t extras;               /* slots outstanding that carry no data */
	bool outstanding[NETTX_PAGES];
	uint64_t errors; /* packets that the backend did not send */
};

/** nettx_make - a new ring for @domid, and the window if there is none. Return: as limbo_share. */
int nettx_make(struct nettx *tx, struct platform *platform, uint16_t domid);

/** nettx_drop_ring - give up the ring; what was outstanding is lost. */
void nettx_drop_ring(struct nettx *tx, struct platform *platform);

/** nettx_drop - give up the ring and the window. */
void nettx_drop(struct nettx *tx, struct platform *platform);

/**
 * nettx_reserve - where the next packet, of up to NETPACKET_MAX bytes, may be written.
 * @chunk: filled; the second is empty unless the window wraps
 *
 * Return: room enough? If not, an event will tell when it is worth to try again.
 */
bool nettx_reserve(struct nettx *tx, struct net_chunk chunk[2]);

/**
 * nettx_send - queue the packet that lies where nettx_reserve said.
 * @length: bytes
 * @with:   what the backend can do
 *
 * A blank checksum that the backend would not find or cannot do is filled in.
 *
 * Return: 0, or an error after which the packet is dropped:
 *   -EMSGSIZE    too short, too long, or more slots than the backend takes
 *   -EOPNOTSUPP  to be segmented in a way that the backend does not know, such as in a VLAN
 */
int nettx_send(struct nettx *tx, const struct netfeatures *with, const struct netpacket_meta *meta,
	       size_t length);

/** nettx_push - show what was queued. Return: must the backend be notified? */
bool nettx_push(struct nettx *tx);

/**
 * nettx_reap - take responses. Return: how many, or a negative errno after which the ring must
 * not be used any more: -EOVERFLOW (more answers than requests), -ENOENT (an id that is not
 * outstanding, or an answer to no packet).
 */
int nettx_reap(struct nettx *tx);
