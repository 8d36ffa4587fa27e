/*
 * port.h - the word of an event channel in shared memory: pending, masked, and of which
 * incarnation the port is.
 *
 * It does what Xen's pending and mask bits do together with the enabled bit of Linux's
 * drivers/xen/evtchn.c: an event on an unmasked port masks it and is delivered (its token, the
 * port's number, is sent to the owner's handle, once); one on a masked port waits until it is
 * unmasked. So there is never more than one token of a port under way, and none is ever lost.
 *
 * Who is told to deliver sends the token and then calls port_delivered(). Between the two the word
 * counts one delivery under way, so that the daemon can make up for a process killed in between.
 *
 * Pure: atomic operations on the word alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "embedded/shared.h"

enum port_raised {
	PORT_STALE,   /* the port was closed, or is another by now: drop the event */
	PORT_HELD,    /* masked, or pending already: nothing to send */
	PORT_DELIVER, /* send the token */
};

/** A peer as shared_port.link names it. */
struct port_link {
	uint16_t domid;
	uint16_t port;
	uint32_t generation; /* never 0 */
};

static inline uint64_t port_link_pack(struct port_link link)
{
	return (uint64_t)link.generation << 32 | (uint32_t)link.domid << 16 | link.port;
}

static inline struct port_link port_link_unpack(uint64_t word)
{
	return (struct port_link){
		.domid = (uint16_t)(word >> 16),
		.port = (uint16_t)word,
		.generation = (uint32_t)(word >> 32),
	};
}

/** port_open - a new incarnation; the daemon alone calls it. @generation: never 0. */
void port_open(struct shared_port *port, uint32_t generation, bool masked);

/** port_shut - no incarnation any more; the daemon alone calls it. */
void port_shut(struct shared_port *port);

/** port_generation - of the present incarnation, or 0. */
uint32_t port_generation(const struct shared_port *port);

/** port_raise - an event for incarnation @generation of the port. */
enum port_raised port_raise(struct shared_port *port, uint32_t generation);

/** port_unmask - hear of it again. PORT_DELIVER when an event waits: the port stays masked. */
enum port_raised port_unmask(struct shared_port *port);

/** port_mask - hear nothing of it for now. */
void port_mask(struct shared_port *port);

/** port_delivered - the token of PORT_DELIVER was sent. */
void port_delivered(struct shared_port *port, uint32_t generation);

/**
 * port_recover - after the death of all who might have been delivering.
 * Return: true when one was cut short; send the token in its place (it may come twice).
 */
bool port_recover(struct shared_port *port);
