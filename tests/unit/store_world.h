/*
 * store_world.h - a store without I/O for the tests: clients that speak in text, and a hypervisor
 * that does what the test says.
 *
 * In the text of requests and replies '|' stands for a NUL byte; an error reads "!ENOENT".
 */
#pragma once

#include <stdint.h>
#include <xen/io/xs_wire.h>

#include "tests/unit/check.h"
#include "xenstore-tools/store/connection.h"
#include "xenstore-tools/store/domain.h"
#include "xenstore-tools/store/hypervisor.h"
#include "xenstore-tools/store/transport.h"

#define WORLD_DOMAINS 16

/** A domain of the scripted hypervisor. */
struct world_domain {
	bool exists, shutdown, dying;
	bool mapped;
	uint32_t port;     /* of the guest that is bound; 0: none. The local port is 100 + domid */
	unsigned notified; /* how often */
	struct xenstore_domain_interface page;
};

struct world {
	struct store store;
	struct hypervisor hypervisor;
	struct world_domain domain[WORLD_DOMAINS];
	struct connection *dom0; /* a socket */
	struct scratch scratch;
	char reply[XENSTORE_PAYLOAD_MAX + 16]; /* the last one */
	size_t reply_size;                     /* bytes of its body */
};

/** A store that has domains 1 to 5 in its hypervisor, none introduced. */
struct world *world_new(void);

/** Check the accounts against the tree and free all. */
void world_free(struct world *world);

/** One more privileged socket. */
struct connection *world_socket(struct world *world);

/** Introduce a domain and return its connection; it speaks through say() like the others. */
struct connection *world_guest(struct world *world, uint16_t domid);

/** Ask for something in a transaction (0: none). Return: the reply, valid until the next. */
const char *say_in(struct world *world, struct connection *who, uint32_t transaction, uint32_t type,
		   const char *body);

/** The same with no transaction. */
const char *say(struct world *world, struct connection *who, uint32_t type, const char *body);

/** The same with a body that is not text. */
const char *say_bytes(struct world *world, struct connection *who, uint32_t transaction,
		      uint32_t type, const void *body, size_t size);

/** Start a transaction. Return: its id. */
uint32_t begin(struct world *world, struct connection *who);

/** Commit one. Return: the reply. */
const char *commit(struct world *world, struct connection *who, uint32_t transaction);

/** The events that wait for a client, "path:token path:token", which are taken. */
const char *events(struct connection *who);

/** A world in which domain 1 is introduced and owns its home, /local/domain/1. */
struct world *world_with_home(struct connection **guest);

/** A body of @size bytes: @head, then 'v's; valid until the next. */
const char *long_body(const char *head, size_t size);

/** The same with a NUL at its end, for a token. */
const char *long_token(const char *head, size_t size);

/** Compare texts and name the row. */
#define ck_says(what, got, expected)                                                               \
	do {                                                                                       \
		const char *ck_got = (got);                                                        \
		ck_assert_msg(!strcmp(ck_got, (expected)), "%s: \"%s\", not \"%s\"", what, ck_got, \
			      expected);                                                           \
	} while (0)
