/*
 * children.h - the children of a node: found by name, listed in the order they came.
 *
 * Two levels: blocks of nodes sorted by name, and the array of blocks. Finding is two binary
 * searches. A set that more than one node holds never changes: children_own() copies the array
 * of blocks, a change in a block copies that block, so adding to 10,000 siblings while a
 * transaction holds the old set copies some hundred pointers.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct bytes;
struct node;

/** Nodes in a block at most. */
#define BLOCK_NODES 64u

struct block {
	uint32_t refs;
	uint32_t count;
	struct node *node[]; /* room for 4, or BLOCK_NODES: see block_room() */
};

struct children {
	uint32_t refs;
	uint32_t count;        /* nodes */
	uint32_t names;        /* bytes of their names, a NUL for each included */
	uint32_t blocks;       /* in use */
	uint32_t room;         /* for blocks */
	uint64_t generation;   /* changes whenever a name comes or goes; unique in the process */
	uint64_t order;        /* of the next child */
	struct bytes *listing; /* all names in order; NULL until somebody asks */
	struct block *block[]; /* sorted by name */
};

/** children_get - one more reference; NULL stays NULL. */
struct children *children_get(struct children *children);

/**
 * children_put - give a reference back; NULL is allowed. It doesn't free nodes that lose their last
 * reference here: node_put() takes them out first.
 */
void children_put(struct children *children);

/** children_find - the child called @name (@length bytes), borrowed, or NULL. @children may be
 * NULL. */
struct node *children_find(const struct children *children, const char *name, size_t length);

/**
 * children_slot - where the reference to an existing child lies, ready to be replaced.
 * @set: the set of a node that nobody shares; replaced by a copy when it is shared
 *
 * Return: the slot, valid until the set changes; NULL when there is no such child or memory is
 * short (errno is ENOENT or ENOMEM).
 */
struct node **children_slot(struct children **set, const char *name, size_t length);

/**
 * children_add - add @node, whose name is new to the set, as the youngest; takes the reference
 * over.
 * @set:        as for children_slot; *set may be NULL
 * @generation: what the set's becomes
 *
 * Return: 0, or -ENOMEM: nothing changed and the reference stays the caller's.
 */
int children_add(struct children **set, struct node *node, uint64_t generation);

/**
 * children_remove - take the child called @name out.
 * Return: its reference, the caller's now; NULL with errno as for children_slot.
 */
struct node *children_remove(struct children **set, const char *name, size_t length,
			     uint64_t generation);

/**
 * children_listing - all names in the order in which they came, NUL behind each.
 * Return: borrowed bytes, valid until the set changes or goes; NULL when memory is short.
 */
const struct bytes *children_listing(struct children *children);
