/*
 * guest.h - what a kernel has of its domain: its store page and the event channel to xenstored.
 */
#pragma once

#include <stdint.h>
#include <xen/io/xs_wire.h>
#include <xenevtchn.h>

struct guest {
	xenevtchn_handle *evtchn;
	evtchn_port_t port;
	struct xenstore_domain_interface *page;
};

/**
 * guest_open - as the domain that $XSPLIT_EMBEDDED names, take up its connection to XenStore.
 * Return: 0; -ENOENT (its builder gave it none); or what the host daemon says.
 */
int guest_open(struct guest *guest);

/** guest_close - give it up. */
void guest_close(struct guest *guest);
