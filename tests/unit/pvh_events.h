/*
 * pvh_events.h - what tests of event channels stand on: the scripted hypervisor with one of the two
 * ABIs started, and channels that count.
 */
#pragma once

#include "tests/unit/pvh_xen.h"

#define VCPUS 4u

struct world {
	struct xen *xen;
	struct evtchn evtchn;
	struct anomalies anomalies;
};

extern struct world world;

/** world_make - a new world. @fifo: with that ABI, else 2-level. */
void world_make(int fifo);

/** dispatch - what is pending for @vcpu. Return: how many events. */
unsigned dispatch(unsigned vcpu);

/** A channel's owner. */
struct owner {
	struct evtchn_channel channel;
	unsigned count, again; /* events to send to itself from the handler */
	bool useless;
};

/** The ports whose handlers ran, in their order. */
extern unsigned order[64], ordered;

/** owner_handler - of a channel whose arg is its owner: counts. */
bool owner_handler(void *arg);

/** owner_bind - an IPI; owner_interdomain - a port of domain 3's, with its first event taken. */
void owner_bind(struct owner *owner, unsigned vcpu);
void owner_interdomain(struct owner *owner);
