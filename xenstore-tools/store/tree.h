/*
 * tree.h - a tree of nodes, immutable where it is shared, changed by copying the path.
 *
 * A snapshot is one reference to the root. A change copies the nodes from the root down to
 * the changed one that somebody else holds too, and changes those that nobody else holds in place.
 * Every change either happens wholly or, when memory is short, not at all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xenstore-tools/store/node.h"
#include "xenstore-tools/store/usage.h"

struct tree {
	struct node *root;    /* never NULL after tree_init() */
	uint64_t *generation; /* the store's counter, raised with every change of a set of names */
	uint16_t writer;      /* the domain that changes it now */
};

/** What a path leads to. Everything is borrowed from the tree. */
struct lookup {
	struct node *node;      /* NULL when there is none */
	struct node *ancestor;  /* the deepest node on the way that exists, the node itself apart */
	size_t ancestor_length; /* bytes of its path; 1 for the root */
	size_t missing_length;  /* bytes of the path of the first node that is missing; 0: none */
};

/** tree_init - a tree of "/" alone. Return: 0 or -ENOMEM. */
int tree_init(struct tree *tree, struct perms *perms, uint64_t *generation);

/** tree_snapshot - the same tree once more, O(1). */
struct tree tree_snapshot(const struct tree *tree);

/** tree_free - give the tree back. */
void tree_free(struct tree *tree);

/** tree_lookup - walk down @path, which is valid (path.h). For "/" the ancestor is "/" itself. */
struct lookup tree_lookup(const struct tree *tree, const char *path);

/** tree_find - the node at @path (its first @length bytes), borrowed, or NULL. */
struct node *tree_find(const struct tree *tree, const char *path, size_t length);

/**
 * tree_create - make the node at @path, which does not exist, and those above it that are missing.
 * @value: of the node; NULL for empty. Those above are empty.
 * @owner: the domain that owns what is new, or -1: the permissions are the parent's, owner too
 * @usage: what changes is added
 *
 * Return: 0 or -ENOMEM.
 */
int tree_create(struct tree *tree, const char *path, struct bytes *value, int owner,
		struct usage *usage);

/** tree_write - give the existing node at @path another value. Return: 0 or -ENOMEM. */
int tree_write(struct tree *tree, const char *path, struct bytes *value, struct usage *usage);

/** tree_set_perms - give the existing node at @path other permissions. Return: 0 or -ENOMEM. */
int tree_set_perms(struct tree *tree, const char *path, struct perms *perms, struct usage *usage);

/**
 * tree_remove - remove the existing node at @path, which is not "/", and all below it.
 * Return: 0 or -ENOMEM.
 */
int tree_remove(struct tree *tree, const char *path, struct usage *usage);

/**
 * tree_walk - visit a node and all below it, parents first, without recursion.
 * @path:  of @node; what visit() gets is the full path of each
 * @visit: returns 0 to go on, 1 to go on but not below this node, or a negative errno to stop
 *
 * Return: 0, what @visit returned, or -ENOMEM.
 */
int tree_walk(const struct node *node, const char *path,
	      int (*visit)(const char *path, const struct node *node, const struct node *parent,
			   void *arg),
	      void *arg);

/** tree_usage - add up what a node and all below it cost, into @usage. Return: 0 or -ENOMEM. */
int tree_usage(const struct node *node, struct usage *usage);
