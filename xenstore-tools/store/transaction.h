/*
 * transaction.h - a snapshot, what was seen in it, and what is to be changed.
 *
 * A transaction starts with two references to the root of the tree: the base, which it never
 * changes, and the work, on which its operations run. For each path it notes what the answers
 * depended on. It may commit when all of that is still so in the live tree: then every answer
 * that it gave would be given now, and its changes are made on the live tree. So two
 * transactions that touch different things never hinder each other, even below one parent.
 *
 * "Still so" compares references: value and permissions are the same object in base and live
 * tree, a set of children has the same generation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "xenstore-tools/store/table.h"
#include "xenstore-tools/store/tree.h"
#include "xenstore-tools/store/usage.h"

/* What an answer depended on. */
#define SEEN_EXISTENCE 1u /* is it there or not */
#define SEEN_VALUE     2u
#define SEEN_PERMS     4u
#define SEEN_CHILDREN  8u

/* What was done. */
#define CHANGED_VALUE   1u
#define CHANGED_PERMS   2u
#define CHANGED_CREATED 4u /* alone: only as a missing parent of another */
#define CHANGED_REMOVED 8u /* at some time; it may have been created again */

/** One path that the transaction touched. */
struct touch {
	struct table_link link;
	TAILQ_ENTRY(touch) order; /* of the first touch, or of the last creation */
	uint8_t seen, changed;
	uint32_t held; /* bytes of the value that the transaction wrote there */
	size_t length;
	char path[]; /* with a NUL */
};

struct transaction {
	TAILQ_ENTRY(transaction) all;
	uint32_t id;
	struct tree base, work;
	struct usage usage; /* work minus base */
	struct table table;
	uint64_t secret; /* of its keys, which guests choose */
	TAILQ_HEAD(, touch) touches;
	size_t count;    /* touches */
	size_t bytes;    /* that they take, the values written included */
	uint64_t deaths; /* the store's count of removed domains at the start */
	uint64_t since;  /* the store's count of changes when the snapshot was taken */
	bool stale;      /* its snapshot was given up: it has to start again */
	bool failed;     /* it ran into a quota or out of memory and cannot commit */
};

/**
 * transaction_new - start one on the tree as it is now.
 * @secret: the store's
 * Return: NULL when memory is short.
 */
struct transaction *transaction_new(const struct tree *live, uint64_t secret);

/** transaction_free - forget it; NULL is allowed. */
void transaction_free(struct transaction *transaction);

/**
 * transaction_touch - note that the node at @path (its first @length bytes) was seen or changed.
 * @max: paths that may be touched in all; 0 for any number
 *
 * Return: 0, -ENOSPC (too many) or -ENOMEM; then the transaction can no longer commit.
 */
int transaction_touch(struct transaction *transaction, const char *path, size_t length,
		      unsigned seen, unsigned changed, size_t max);

/**
 * transaction_hold - note that a path touched before now has a value of @size bytes written by the
 * transaction.
 */
void transaction_hold(struct transaction *transaction, const char *path, size_t length,
		      size_t size);

/**
 * transaction_conflict - is something that was seen no longer so in @live?
 * Return: -1 when all still is, otherwise the domain that changed what differs.
 */
int transaction_conflict(const struct transaction *transaction, const struct tree *live);

/**
 * transaction_renew - give the snapshot up, so that it keeps no old nodes in memory. The
 * transaction goes on with what is there now, but cannot commit.
 */
void transaction_renew(struct transaction *transaction, const struct tree *live);

/**
 * transaction_merge - make the changes of a valid transaction on top of @live.
 * @merged: set to a tree of its own on success; @live is not changed
 * @usage:  what @merged costs more than @live is added
 *
 * Return: 0 or -ENOMEM.
 */
int transaction_merge(const struct transaction *transaction, const struct tree *live,
		      struct tree *merged, struct usage *usage);
