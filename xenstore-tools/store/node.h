/*
 * node.h - one node of a tree: value, permissions and children, each counted and shared.
 *
 * A node that more than one tree (or transaction) holds never changes; node_own() replaces it by
 * a copy first. A copy shares value, permissions and children with the original, so it
 * costs the same whatever the node carries.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "xenstore-tools/store/bytes.h"
#include "xenstore-tools/store/children.h"
#include "xenstore-tools/store/perms.h"

struct node {
	uint32_t refs;
	uint16_t writer;           /* the domain that last changed it, or which children it has */
	uint32_t length;           /* of the name */
	uint64_t order;            /* among its siblings: the younger, the higher */
	struct bytes *value;       /* never NULL */
	struct perms *perms;       /* never NULL */
	struct children *children; /* NULL when there are none and never were */
	struct node *dead;         /* links nodes that are being freed */
	char name[];               /* with a NUL; "" for the root */
};

/**
 * node_new - a node without children.
 * @name:  @length bytes without '/'
 * @value: a new reference is taken; NULL for an empty value
 * @perms: a new reference is taken
 *
 * Return: one reference, or NULL when memory is short.
 */
struct node *node_new(const char *name, size_t length, struct bytes *value, struct perms *perms);

struct node *node_get(struct node *node);

/** node_put - give a reference back; frees what nobody else holds, at any depth, without recursion.
 */
void node_put(struct node *node);

/**
 * node_own - make the node in @slot one that only the slot holds.
 * Return: 0, or -ENOMEM and nothing changed.
 */
int node_own(struct node **slot);

/** node_names - bytes of the children's names, a NUL for each included. */
static inline uint32_t node_names(const struct node *node)
{
	return node->children ? node->children->names : 0;
}

/**
 * node_size - what the node costs its owner: the record that C xenstored would keep, 24 bytes
 * of header, 8 for each permission, the value, the children's names.
 */
static inline uint32_t node_size(const struct node *node)
{
	return 24 + 8 * node->perms->count + node->value->size + node_names(node);
}
