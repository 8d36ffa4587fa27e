/*
 * net_guest.h - a guest in the same process: its pages, rings and grants, and the other ends of
 * what a net queue calls (grants, event channels, worker), so that every step can be counted and
 * made to fail.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend/net/queue.h"
#include "backend/net/wire.h"

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

/** guest_make - fresh rings whose indices start at @start, all features, split channels, no queue.
 */
struct guest *guest_make(uint32_t start);

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
