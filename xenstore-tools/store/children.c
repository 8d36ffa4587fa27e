#include "xenstore-tools/store/children.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore-tools/store/bytes.h"
#include "xenstore-tools/store/node.h"

#define BLOCK_SMALL 4u

static uint32_t block_room(uint32_t count)
{
	return count <= BLOCK_SMALL ? BLOCK_SMALL : BLOCK_NODES;
}

static struct block *block_new(uint32_t room)
{
	struct block *block = malloc(sizeof(*block) + room * sizeof(struct node *));

	if (block) {
		block->refs = 1;
		block->count = 0;
	}
	return block;
}

static void block_put(struct block *block)
{
	if (--block->refs)
		return;
	for (uint32_t i = 0; i < block->count; i++)
		node_put(block->node[i]);
	free(block);
}

/* The order of names in a set; any total order does. */
static int compare(const struct node *node, const char *name, size_t length)
{
	int rc = memcmp(node->name, name, node->length < length ? node->length : length);

	if (rc)
		return rc;
	return (node->length > length) - (node->length < length);
}

/* The block that holds, or would hold, the name: the last that starts at or before it. */
static uint32_t find_block(const struct children *children, const char *name, size_t length)
{
	uint32_t low = 0, high = children->blocks;

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (compare(children->block[middle]->node[0], name, length) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The first place in the block that is not before the name. */
static uint32_t find_place(const struct block *block, const char *name, size_t length, bool *found)
{
	uint32_t low = 0, high = block->count;

	*found = false;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		int rc = compare(block->node[middle], name, length);

		if (!rc) {
			*found = true;
			return middle;
		}
		if (rc < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct children *children_get(struct children *children)
{
	if (children)
		children->refs++;
	return children;
}

void children_put(struct children *children)
{
	if (!children || --children->refs)
		return;
	for (uint32_t b = 0; b < children->blocks; b++)
		block_put(children->block[b]);
	bytes_put(children->listing);
	free(children);
}

struct node *children_find(const struct children *children, const char *name, size_t length)
{
	const struct block *block;
	uint32_t place;
	bool found;

	if (!children || !children->blocks)
		return NULL;
	block = children->block[find_block(children, name, length)];
	place = find_place(block, name, length, &found);
	return found ? block->node[place] : NULL;
}

/* Make the set one that only its node holds, with room for one more block. */
static int children_own(struct children **set)
{
	struct children *old = *set, *own;
	uint32_t room = old ? old->room : 2;

	if (old && old->refs == 1 && old->blocks < old->room)
		return 0;
	if (old && old->blocks == old->room)
		room = old->room * 2;

	if (!old || old->refs == 1) {
		own = realloc(old, sizeof(*own) + room * sizeof(struct block *));
		if (!own)
			return -ENOMEM;
		if (!old)
			*own = (struct children){.refs = 1};
	} else {
		own = malloc(sizeof(*own) + room * sizeof(struct block *));
		if (!own)
			return -ENOMEM;
		memcpy(own, old, sizeof(*own) + old->blocks * sizeof(struct block *));
		own->refs = 1;
		bytes_get(own->listing);
		for (uint32_t b = 0; b < own->blocks; b++)
			own->block[b]->refs++;
		children_put(old);
	}
	own->room = room;
	*set = own;
	return 0;
}

/* Make a block one that only its set holds, with room for @extra more nodes. */
static int block_own(struct block **at, uint32_t extra)
{
	struct block *old = *at, *own;
	uint32_t room = block_room(old->count + extra);

	if (old->refs == 1 && room <= block_room(old->count))
		return 0;
	own = block_new(room);
	if (!own)
		return -ENOMEM;
	own->count = old->count;
	for (uint32_t i = 0; i < own->count; i++)
		own->node[i] = node_get(old->node[i]);
	block_put(old);
	*at = own;
	return 0;
}

static void children_changed(struct children *children, uint64_t generation)
{
	children->generation = generation;
	bytes_put(children->listing);
	children->listing = NULL;
}

/* Find a name in a set, and make set and block ones that may be changed. */
static int children_locate(struct children **set, const char *name, size_t length, uint32_t *b,
			   uint32_t *place)
{
	bool found;

	if (!*set || !(*set)->blocks)
		return -ENOENT;
	*b = find_block(*set, name, length);
	*place = find_place((*set)->block[*b], name, length, &found);
	if (!found)
		return -ENOENT;
	if (children_own(set) || block_own(&(*set)->block[*b], 0))
		return -ENOMEM;
	return 0;
}

struct node **children_slot(struct children **set, const char *name, size_t length)
{
	uint32_t b, place;
	int rc = children_locate(set, name, length, &b, &place);

	if (rc) {
		errno = -rc;
		return NULL;
	}
	return &(*set)->block[b]->node[place];
}

static void block_insert(struct children *children, uint32_t at, struct block *block)
{
	memmove(&children->block[at + 1], &children->block[at],
		(children->blocks - at) * sizeof(struct block *));
	children->block[at] = block;
	children->blocks++;
}

/* Move the upper half of a full block, which its set owns, into a new one behind it. */
static int block_split(struct children *children, uint32_t b)
{
	struct block *low = children->block[b], *high = block_new(BLOCK_NODES);

	if (!high)
		return -ENOMEM;
	high->count = low->count / 2;
	low->count -= high->count;
	memcpy(high->node, low->node + low->count, high->count * sizeof(struct node *));
	block_insert(children, b + 1, high);
	return 0;
}

int children_add(struct children **set, struct node *node, uint64_t generation)
{
	struct children *children;
	struct block *block;
	uint32_t b, place;
	bool found;

	if (children_own(set))
		return -ENOMEM;
	children = *set;
	if (!children->blocks) {
		block = block_new(BLOCK_SMALL);
		if (!block)
			return -ENOMEM;
		block_insert(children, 0, block);
	}
	/* An empty block is only met here, where find_block() does not look into it. */
	b = children->blocks > 1 ? find_block(children, node->name, node->length) : 0;
	if (children->block[b]->count == BLOCK_NODES) {
		if (block_own(&children->block[b], 0) || block_split(children, b))
			return -ENOMEM;
		b = find_block(children, node->name, node->length);
	}
	if (block_own(&children->block[b], 1))
		return -ENOMEM;

	block = children->block[b];
	place = find_place(block, node->name, node->length, &found);
	memmove(&block->node[place + 1], &block->node[place],
		(block->count - place) * sizeof(struct node *));
	block->node[place] = node;
	block->count++;
	node->order = children->order++;
	children->count++;
	children->names += node->length + 1;
	children_changed(children, generation);
	return 0;
}

struct node *children_remove(struct children **set, const char *name, size_t length,
			     uint64_t generation)
{
	struct children *children;
	struct block *block;
	struct node *node;
	uint32_t b, place;
	int rc = children_locate(set, name, length, &b, &place);

	if (rc) {
		errno = -rc;
		return NULL;
	}
	children = *set;
	block = children->block[b];
	node = block->node[place];
	block->count--;
	memmove(&block->node[place], &block->node[place + 1],
		(block->count - place) * sizeof(struct node *));
	if (!block->count) {
		block_put(block);
		children->blocks--;
		memmove(&children->block[b], &children->block[b + 1],
			(children->blocks - b) * sizeof(struct block *));
	}
	children->count--;
	children->names -= length + 1;
	children_changed(children, generation);
	return node;
}

static int by_order(const void *a, const void *b)
{
	const struct node *one = *(const struct node *const *)a,
			  *two = *(const struct node *const *)b;

	return (one->order > two->order) - (one->order < two->order);
}

const struct bytes *children_listing(struct children *children)
{
	const struct node **node;
	struct bytes *listing;
	uint32_t n = 0;
	char *at;

	if (children->listing)
		return children->listing;
	listing = bytes_new(NULL, children->names);
	node = malloc((children->count + 1) * sizeof(struct node *));
	if (!listing || !node) {
		bytes_put(listing);
		free(node);
		return NULL;
	}
	for (uint32_t b = 0; b < children->blocks; b++)
		for (uint32_t i = 0; i < children->block[b]->count; i++)
			node[n++] = children->block[b]->node[i];
	qsort(node, n, sizeof(struct node *), by_order);
	at = listing->data;
	for (uint32_t i = 0; i < n; i++) {
		memcpy(at, node[i]->name, node[i]->length + 1);
		at += node[i]->length + 1;
	}
	free(node);
	children->listing = listing;
	return listing;
}
