/*
 * evtchn.h - inside of libxenevtchn: a handle and what it knows of its ports' peers.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <xenevtchn.h>

#include "embedded/client.h"
#include "embedded/port.h"

/** The table of a domain that peers are in; shared by all ports with a peer there. */
struct evtchn_domain {
	struct client_domain mapped;
	unsigned int users;
	struct evtchn_domain *next;
};

/** What notifying through a port takes; valid for one link and one owner. */
struct evtchn_peer {
	uint64_t link;  /* shared_port.link of our port */
	uint64_t owner; /* the handle that fd leads to */
	int fd;         /* -1: nobody has the peer's port yet */
	struct evtchn_domain *domain;
};

struct xenevtchn_handle {
	int fd;  /* the process's end */
	int own; /* the end that tokens for ourselves are sent into */
	uint64_t id;
	struct client client;
	struct client_domain domain;
	pthread_rwlock_t lock; /* of all below: read to use, write to change */
	struct evtchn_domain *domains;
	struct evtchn_peer *peers[SHARED_PORTS]; /* by our port */
};

/** evtchn_mine - the port's shared state, or NULL when it is not this handle's. */
struct shared_port *evtchn_mine(xenevtchn_handle *xce, evtchn_port_t port);

/** evtchn_peer_drop - forget what notifying through a port takes. */
void evtchn_peer_drop(xenevtchn_handle *xce, evtchn_port_t port);

/** evtchn_fail - set errno from a negative one. Return: -1. */
int evtchn_fail(int rc);
