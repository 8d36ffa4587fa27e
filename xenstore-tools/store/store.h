/*
 * store.h - everything that the daemon keeps: the tree, its watchers, the domains, the quotas.
 *
 * No I/O here or below: the server moves bytes between connections and their transports, the
 * hypervisor is a table of functions. One thread; there are no locks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "xenstore-tools/store/perms.h"
#include "xenstore-tools/store/quota.h"
#include "xenstore-tools/store/table.h"
#include "xenstore-tools/store/tree.h"
#include "xenstore-tools/store/wire.h"

struct connection;
struct hypervisor;

struct store {
	struct tree tree;
	uint64_t generation; /* raised with every change of a set of names */
	uint64_t now;        /* ms of CLOCK_MONOTONIC; who runs the store keeps it true */
	uint64_t changes;    /* of the live tree so far */
	uint64_t renewed;    /* changes when old transactions were last looked for */
	bool pausing;        /* a guest has to since connections_resume() was asked */
	uint64_t deaths;     /* domains removed so far */
	uint64_t secret;     /* of the hash tables whose keys strangers choose */
	struct quota quota;
	struct perms *introduce, *release; /* of the two special nodes */
	struct table watches;              /* by path */
	struct table domains;              /* by domid */
	struct table ports;                /* domains by the local port of their ring */
	TAILQ_HEAD(, connection) connections;
	TAILQ_HEAD(, connection) dirty;      /* have something for the server to do */
	struct connection *cause;            /* the guest whose request is being served, or NULL */
	const struct hypervisor *hypervisor; /* NULL: plain Linux */
	uint64_t requests[XS_TYPE_COUNT];    /* served, by type */
	uint64_t errors, events, conflicts;
};

/**
 * store_init - the first tree: "/", "/tool", "/tool/xenstored", all dom0's, as in C.
 * @secret: a random number
 *
 * Return: 0 or -ENOMEM (call store_free() also then).
 */
int store_init(struct store *store, const struct quota *quota, uint64_t secret);

/** store_free - give everything back, connections and domains too. */
void store_free(struct store *store);

/** store_special - where the permissions of "@introduceDomain", "@releaseDomain" lie, or NULL. */
struct perms **store_special(struct store *store, const char *name);
