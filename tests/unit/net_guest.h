/*
 * net_guest.h - a guest in the same process: its pages, rings and grants, and the other ends of
 * what a net queue calls (grants, event channels, worker), so that every step can be counted and
 * made to fail.
 */
#pragma once

#include <event2/event.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "backend/net/queue.h"
#include "backend/net/wire.h"

/** Shortly before the indices wrap, so that most tests pass over it. */
#define GUEST_START (UINT32_MAX - 20)

#define GUEST_PAGES     600u
#define GUEST_TX_REF    1u
#define GUEST_RX_REF    2u
/** The grant of the guest's page @page. */
#define GUEST_REF(page) (100u + (page))
#define GUEST_TX_PORT   11u
#define GUEST_RX_PORT   12u

struct guest {
	/* The guest's. */
	_Alignas(4096) uint8_t tx_page[XEN_PAGE];
	_Alignas(4096) uint8_t rx_page[XEN_PAGE];
	uint8_t page[GUEST_PAGES][XEN_PAGE];
	struct netif_tx_sring *tx;
	struct netif_rx_sring *rx;
	uint32_t tx_next, rx_next; /* requests written; not yet seen by the other side */

	/* Ours: what the queue did. */
	struct worker worker;
	struct worker_device dev;
	struct net_queue_config config;
	struct net_log log;
	struct net_queue *queue;
	int network; /* the other end of the TAP */
	int mapped, bound, copies, notified[64], errors;
	int offload_calls;
	unsigned long offload;            /* what TUNSETOFFLOAD last said */
	unsigned int fail_map, fail_bind; /* which of the next calls shall fail, from 1; 0: none */
	bool fail_copy;
	void (*during_copy)(struct guest *guest);
	struct {
		events_handler handler;
		void *arg;
	} port[64];
};

/**
 * guest_make - fresh rings whose indices start at GUEST_START, all features, split channels, no
 * queue yet; every byte of page N is N modulo 251.
 */
struct guest *guest_make(void);

/** guest_free - close the queue and check that nothing is mapped or bound any more. */
void guest_free(struct guest *guest);

/** guest_open - open the queue and let it settle. Return: what net_queue_open says. */
int guest_open(struct guest *guest);

/** guest_kick - the guest notifies @port; then the loop runs until nothing is left to do. */
void guest_kick(struct guest *guest, uint32_t port);

/** guest_settle - run the loop until nothing is left to do. */
void guest_settle(struct guest *guest);

/** guest_wait - let the clock jump by @ms and run the loop. */
void guest_wait(struct guest *guest, unsigned int ms);

/** guest_send - put a TX request for (@page, @offset) into the ring; not yet posted. */
struct netif_tx_request *guest_send(struct guest *guest, uint32_t page, uint16_t offset,
				    uint16_t size, uint16_t flags);

/** guest_post - put @count RX requests into the ring, with pages from @page on, and post all. */
void guest_post(struct guest *guest, unsigned int count, uint32_t page);

/** guest_push - post the TX requests written so far and kick. */
void guest_push(struct guest *guest);

/** guest_tx_response, guest_rx_response - what lies in the slot of request @index. */
struct netif_tx_response guest_tx_response(struct guest *guest, uint32_t index);
struct netif_rx_response guest_rx_response(struct guest *guest, uint32_t index);

/** answered_tx, answered_rx - how many responses were posted since guest_make. */
uint32_t answered_tx(struct guest *guest);
uint32_t answered_rx(struct guest *guest);

/** network_read - what came out of the TAP, without its header: its length, or -1. */
ssize_t network_read(struct guest *guest, uint8_t *data, size_t size);

/** network_write - @length bytes of @fill into the TAP; without a @header nothing is offloaded. */
void network_write(struct guest *guest, const struct virtio_net_hdr *header, uint8_t fill,
		   size_t length);

/** network_write_gso - TCP over IPv4 to be segmented, with the headers that it needs. */
void network_write_gso(struct guest *guest, size_t length);

/** network_write_tagged_gso - the same behind @tag bytes of VLAN tags. */
void network_write_tagged_gso(struct guest *guest, size_t length, uint16_t tag);

/** Indices that no guest can have: what req_prod says first and then, from GUEST_START on. */
struct guest_lie {
	const char *what;
	uint32_t first, then;
};
#define GUEST_LIES 4
extern const struct guest_lie guest_lies[GUEST_LIES];
