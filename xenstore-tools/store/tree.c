#include "xenstore-tools/store/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore-tools/store/path.h"

int tree_init(struct tree *tree, struct perms *perms, uint64_t *generation)
{
	tree->generation = generation;
	tree->writer = 0;
	tree->root = node_new("", 0, NULL, perms);
	return tree->root ? 0 : -ENOMEM;
}

struct tree tree_snapshot(const struct tree *tree)
{
	return (struct tree){node_get(tree->root), tree->generation, tree->writer};
}

void tree_free(struct tree *tree)
{
	node_put(tree->root);
	tree->root = NULL;
}

struct lookup tree_lookup(const struct tree *tree, const char *path)
{
	struct lookup found = {
		.node = tree->root,
		.ancestor = tree->root,
		.ancestor_length = 1,
	};
	const char *at = path, *name;
	size_t length, done = 1;

	while ((name = path_component(&at, &length))) {
		struct node *child = children_find(found.node->children, name, length);

		found.ancestor = found.node;
		found.ancestor_length = done;
		done = at - path;
		found.node = child;
		if (!child) {
			found.missing_length = done;
			break;
		}
	}
	return found;
}

struct node *tree_find(const struct tree *tree, const char *path, size_t size)
{
	struct node *node = tree->root;
	const char *at = path, *name;
	size_t length;

	while (node && at + 1 < path + size && (name = path_component(&at, &length)))
		node = children_find(node->children, name, length);
	return node;
}

/*
 * The slot of an existing node, all nodes down to it owned by this tree alone. When memory
 * runs out on the way the tree still means the same.
 */
static struct node **tree_slot(struct tree *tree, const char *path, size_t size)
{
	struct node **slot = &tree->root;
	const char *at = path, *name;
	size_t length;

	if (node_own(slot))
		return NULL;
	while (at + 1 < path + size && (name = path_component(&at, &length))) {
		slot = children_slot(&(*slot)->children, name, length);
		if (!slot || node_own(slot))
			return NULL;
	}
	return slot;
}

/* The missing nodes below @parent as a chain of their own, so that they are attached in one step.
 */
static int chain_new(const struct tree *tree, const struct node *parent, const char *at,
		     struct bytes *value, int owner, struct node **chain, size_t *count)
{
	struct perms *perms;
	struct node **slot = chain;
	const char *name;
	size_t length;

	*chain = NULL;
	*count = 0;
	perms = owner < 0 ? perms_get(parent->perms) : perms_owned(parent->perms, owner);
	if (!perms)
		return -ENOMEM;
	while ((name = path_component(&at, &length))) {
		struct node *node = node_new(name, length, *at ? NULL : value, perms);

		if (!node)
			goto fail;
		node->writer = tree->writer;
		if (!*chain) {
			*chain = node;
		} else {
			struct node *above = *slot;

			if (children_add(&above->children, node, ++*tree->generation)) {
				node_put(node);
				goto fail;
			}
			slot = children_slot(&above->children, name, length);
			if (!slot)
				goto fail;
		}
		++*count;
	}
	perms_put(perms);
	return *chain ? 0 : -EEXIST;

fail:
	perms_put(perms);
	node_put(*chain);
	*chain = NULL;
	return -ENOMEM;
}

int tree_create(struct tree *tree, const char *path, struct bytes *value, int owner,
		struct usage *usage)
{
	struct lookup found = tree_lookup(tree, path);
	uint16_t domid = owner < 0 ? perms_owner(found.ancestor->perms) : owner;
	const char *at = path + (found.ancestor_length > 1 ? found.ancestor_length : 0);
	struct node *chain, **slot;
	size_t count;
	int rc;

	rc = usage_reserve(usage, domid);
	if (!rc)
		rc = usage_reserve(usage, perms_owner(found.ancestor->perms));
	if (!rc)
		rc = chain_new(tree, found.ancestor, at, value, owner, &chain, &count);
	if (rc)
		return rc;

	slot = tree_slot(tree, path, found.ancestor_length);
	if (!slot || children_add(&(*slot)->children, chain, ++*tree->generation)) {
		node_put(chain);
		return -ENOMEM;
	}
	(*slot)->writer = tree->writer;
	usage_add(usage, perms_owner((*slot)->perms), 0, chain->length + 1);
	for (const struct node *node = chain; node;
	     node = node->children ? node->children->block[0]->node[0] : NULL)
		usage_add(usage, domid, 1, node_size(node));
	return 0;
}

int tree_write(struct tree *tree, const char *path, struct bytes *value, struct usage *usage)
{
	struct node **slot = tree_slot(tree, path, strlen(path));
	uint16_t owner;

	if (!slot)
		return -ENOMEM;
	owner = perms_owner((*slot)->perms);
	if (usage_reserve(usage, owner))
		return -ENOMEM;
	usage_add(usage, owner, 0, (int64_t)value->size - (*slot)->value->size);
	(*slot)->writer = tree->writer;
	bytes_put((*slot)->value);
	(*slot)->value = bytes_get(value);
	return 0;
}

int tree_set_perms(struct tree *tree, const char *path, struct perms *perms, struct usage *usage)
{
	struct node **slot = tree_slot(tree, path, strlen(path));
	uint16_t before, after = perms_owner(perms);

	if (!slot)
		return -ENOMEM;
	before = perms_owner((*slot)->perms);
	if (usage_reserve(usage, before) || usage_reserve(usage, after))
		return -ENOMEM;
	(*slot)->writer = tree->writer;
	usage_add(usage, before, -1, -(int64_t)node_size(*slot));
	perms_put((*slot)->perms);
	(*slot)->perms = perms_get(perms);
	usage_add(usage, after, 1, node_size(*slot));
	return 0;
}

int tree_remove(struct tree *tree, const char *path, struct usage *usage)
{
	size_t length = strlen(path), parent = path_parent(path, length);
	const char *name = path + (parent > 1 ? parent + 1 : 1);
	struct node **slot = tree_slot(tree, path, parent), *node;
	struct usage gone = {0};
	int rc = -ENOMEM;

	if (!slot)
		return -ENOMEM;
	node = children_find((*slot)->children, name, path + length - name);
	if (!node || tree_usage(node, &gone))
		goto out;
	if (usage_reserve(usage, perms_owner((*slot)->perms)))
		goto out;
	for (size_t i = 0; i < gone.count; i++)
		if (usage_reserve(usage, gone.entry[i].domid))
			goto out;

	node = children_remove(&(*slot)->children, name, path + length - name, ++*tree->generation);
	if (!node)
		goto out;
	(*slot)->writer = tree->writer;
	usage_add(usage, perms_owner((*slot)->perms), 0, -(int64_t)node->length - 1);
	for (size_t i = 0; i < gone.count; i++)
		usage_add(usage, gone.entry[i].domid, -gone.entry[i].nodes, -gone.entry[i].bytes);
	node_put(node);
	rc = 0;
out:
	usage_clear(&gone);
	return rc;
}
