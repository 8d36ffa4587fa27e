/*
 * store_client.h - clients of one daemon that runs with store_stub.so: raw messages on its
 * socket, and as a guest in a ring.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <xen/io/xs_wire.h>

/** One daemon, found by its $STORE_STUB directory. */
struct daemon {
	const char *name; /* the directory */
	char *domains;    /* as store_stub.c has it */
	int events;       /* a socket connected to it */
};

struct client {
	struct daemon *daemon;
	int socket;                             /* -1: a guest */
	unsigned domid;                         /* of a guest */
	struct xenstore_domain_interface *ring; /* of a guest */
	char heard[65536]; /* events since client_ask(): sorted words "path|token|" */
};

struct reply {
	uint32_t type, size;
	char body[XENSTORE_PAYLOAD_MAX + 1]; /* '|' for NUL, terminated */
};

/** Open a daemon; exits with a message when it cannot. */
void daemon_open(struct daemon *daemon, const char *directory);

/** Tell it of an event on a local port: 99 is VIRQ_DOM_EXC. */
void daemon_event(const struct daemon *daemon, uint32_t port);

/** One more socket. */
void client_socket(struct client *client, struct daemon *daemon);

/** The other end of domain @domid's ring, which is to be introduced by somebody. */
void client_guest(struct client *client, struct daemon *daemon, unsigned domid);

/** Ask, and wait for the reply; events that come before it are added to client->heard. */
void client_ask(struct client *client, uint32_t type, uint32_t transaction, const void *body,
		size_t size, struct reply *reply);
