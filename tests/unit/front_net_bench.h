/*
 * front_net_bench.h - a netfront and the backend's end of its rings, for the tests of netfront.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frontend/core/netfront.h"
#include "tests/unit/front_fake.h"

#define FRONT "device/vif/0"
#define BACK  "/local/domain/0/backend/vif/5/0"

/** The backend's end, and the frontend's owner. */
struct bench {
	struct fake fake;
	struct netfront *front;
	struct netif_tx_sring *tx;
	struct netif_rx_sring *rx;
	RING_IDX tx_at, tx_done, rx_at;    /* requests seen, answered; receive slots used */
	uint32_t rx_gref[256];             /* of each slot: responses overwrite requests */
	const struct netfeatures *carrier; /* what it can do; NULL: not connected */
	unsigned ended;
	const char *broken;
};

extern struct bench bench;

/** back_put - write one of the backend's nodes, or remove it (NULL). */
void back_put(const char *name, const char *value);

/** back_attach - map the rings that the frontend offers. */
void back_attach(void);

/** bench_open, bench_connect - a frontend before its handshake, or after it. @absent: a feature not
 * offered */
void bench_open(const char *absent);
void bench_connect(const char *absent);
void bench_close(void);

/**
 * frame_make - a frame: Ethernet, IPv4 or IPv6, TCP or UDP, then bytes that @seed chooses.
 * @version: 4, 6, 14 for IPv4 in a VLAN, 0 for no IP
 */
void frame_make(uint8_t *frame, size_t length, int version, uint8_t protocol, unsigned seed);
