/*
 * block-front.h - a block frontend that does what it is told, right or wrong.
 *
 * On libxenstore, libxengnttab and libxenevtchn alone, so it runs as a process guest and on real
 * Xen.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include <xen/io/blkif.h>
#include <xen/io/xenbus.h>

#define FRONT_RINGS_MAX  16
#define FRONT_DATA_PAGES 64

/** How to connect. */
struct front_options {
	const char *order_text;  /* of ring-page-order, if not what belongs to order */
	const char *pages_text;  /* num-ring-pages, in place of ring-page-order */
	const char *queues_text; /* of multi-queue-num-queues, if not what belongs to rings */
	const char *protocol;    /* if not what belongs to abi_32; "": not written */
	unsigned order;          /* ring pages are 1 << order */
	unsigned rings;          /* above 1: queue-N folders */
	enum xenbus_state ready; /* 3 or 4; 0 is 3 */
	uint32_t bad_ref;        /* write this instead of the first ring-ref, if not 0 */
	uint32_t bad_port;       /* write this instead of the event channel, if not 0 */
	bool numbered;           /* one page, as ring-ref0 */
	bool abi_32;
	bool at_once; /* do not wait for InitWait */
};

struct front_ring {
	void *pages;
	unsigned entries;
	evtchn_port_t port;
	RING_IDX prod, cons;
};

struct front {
	struct xs_handle *xs;
	xengntshr_handle *gntshr;
	xenevtchn_handle *evtchn;
	char path[64], back[128];
	uint32_t backend;
	uint8_t (*data)[4096]; /* FRONT_DATA_PAGES */
	uint32_t ref[FRONT_DATA_PAGES];
	struct front_options options;
	struct front_ring ring[FRONT_RINGS_MAX];
};

/** front_open - the disk @devid of this domain; ends the program when there is none. */
void front_open(struct front *front, unsigned devid);

/** front_free - give back what front_open took, and the rings. */
void front_free(struct front *front);

/** front_connect - allocate rings, write the nodes and the state; does not wait for the backend. */
void front_connect(struct front *front, const struct front_options *options);

/** front_forget - give the rings back without a word to the backend. */
void front_forget(struct front *front);

/** front_state - write our state. */
void front_state(struct front *front, enum xenbus_state state);

/** front_wait - up to ten seconds for the backend to be in one of the states (a mask of 1 <<
 * state). */
bool front_wait(struct front *front, unsigned states);

/** front_close - Closing, Closed, Initialising, each with the backend following; forgets the rings.
 */
bool front_close(struct front *front);

/** front_put - put a slot, in the ABI's layout. */
void front_put(struct front *front, unsigned ring, const void *wire);

/** front_push - show what was put, and kick. */
void front_push(struct front *front, unsigned ring);

/** front_answer - wait up to @ms for a response. Return: its status, or 1 when none came. */
int front_answer(struct front *front, unsigned ring, unsigned ms, uint64_t *id);

/** front_request - a request for one data page, whole. */
union front_wire {
	struct blkif_request direct;
	struct blkif_request_indirect indirect;
	struct blkif_request_discard discard;
};
union front_wire front_request(const struct front *front, uint8_t operation, uint64_t sector,
			       unsigned page);

/** front_do - put one request, push, and wait for its answer's status. */
int front_do(struct front *front, const union front_wire *wire);
