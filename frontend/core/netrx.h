/*
 * netrx.h - packets from the backend.
 *
 * 256 pages, one for each slot of the ring, shared once and for all and posted again as soon as
 * a packet was taken out of them. A response belongs to the request in the same slot of the ring,
 * its id says nothing (netif.h). Slots are copied once; the pages remain the backend's to change,
 * so only the host's private copy of the headers is ever looked at.
 */
#pragma once

#include "frontend/core/limbo.h"
#include "frontend/core/nethdr.h"
#include "frontend/core/nettx.h"

#define NETRX_SLOTS      256u
/** A packet in more pieces than this is dropped: 16 full pages hold the longest. */
#define NETRX_CHUNKS_MAX 20u

struct netrx {
	struct platform_area *area;   /* the ring */
	struct platform_area *window; /* NETRX_SLOTS pages */
	struct netif_rx_front_ring ring;
	uint64_t dropped; /* packets that made no sense */
};

/** The longest IP packet, an Ethernet header and a VLAN tag. */
#define NETRX_LENGTH_MAX (65535u + 18u)

/** One packet. Its data is gone once netrx_post was called. */
struct netrx_packet {
	struct netpacket_meta meta;
	size_t length;
	/* The first head_length bytes, as a private copy; the chunks hold those after them. */
	uint8_t head[NETHDR_SIZE];
	size_t head_length;
	struct net_chunk chunk[NETRX_CHUNKS_MAX];
	uint32_t chunks;
};

/** netrx_make - a new ring for @domid with all pages posted. Return: as limbo_share. */
int netrx_make(struct netrx *rx, struct platform *platform, uint16_t domid);

/** netrx_drop_ring, netrx_drop - give up the ring; the ring and the pages. */
void netrx_drop_ring(struct netrx *rx, struct platform *platform);
void netrx_drop(struct netrx *rx, struct platform *platform);

/**
 * netrx_take - the next packet that is whole and makes sense; others are counted and skipped.
 *
 * Return: 1, 0 (none now; an event will tell), or -EOVERFLOW (more answers than requests) or
 * -EPROTO (a packet that never ends) after which the ring must not be used
 * any more.
 */
int netrx_take(struct netrx *rx, struct netrx_packet *packet);

/** netrx_post - post the pages of all packets taken so far again. Return: must the backend be
 * notified? */
bool netrx_post(struct netrx *rx);
