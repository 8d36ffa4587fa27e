#include "xenstore-tools/store/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct node *node_new(const char *name, size_t length, struct bytes *value, struct perms *perms)
{
	struct node *node = malloc(sizeof(*node) + length + 1);

	if (!node)
		return NULL;
	*node = (struct node){.refs = 1, .length = length};
	node->value = value ? bytes_get(value) : bytes_new(NULL, 0);
	if (!node->value) {
		free(node);
		return NULL;
	}
	node->perms = perms_get(perms);
	memcpy(node->name, name, length);
	node->name[length] = '\0';
	return node;
}

struct node *node_get(struct node *node)
{
	node->refs++;
	return node;
}

/* The children of a dying node that die with it are put before it on the list. */
static struct node *node_bury(struct node *node, struct node *dead)
{
	struct children *children = node->children;

	if (children && children->refs == 1) {
		for (uint32_t b = 0; b < children->blocks; b++) {
			struct block *block = children->block[b];

			/* Another set shares the block, and so holds the nodes in it. */
			if (block->refs > 1)
				continue;
			for (uint32_t i = 0; i < block->count; i++) {
				struct node *child = block->node[i];

				if (!--child->refs) {
					child->dead = dead;
					dead = child;
				}
			}
			block->count = 0;
		}
	}
	children_put(children);
	bytes_put(node->value);
	perms_put(node->perms);
	free(node);
	return dead;
}

void node_put(struct node *node)
{
	struct node *dead;

	if (!node || --node->refs)
		return;
	node->dead = NULL;
	for (dead = node; dead;) {
		node = dead;
		dead = node_bury(node, node->dead);
	}
}

int node_own(struct node **slot)
{
	struct node *node = *slot, *copy;

	if (node->refs == 1)
		return 0;
	copy = node_new(node->name, node->length, node->value, node->perms);
	if (!copy)
		return -ENOMEM;
	copy->order = node->order;
	copy->writer = node->writer;
	copy->children = children_get(node->children);
	*slot = copy;
	node_put(node);
	return 0;
}
