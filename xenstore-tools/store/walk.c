/* Visiting a whole subtree without recursion: a guest chooses how deep it is (XSA-418). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore-tools/store/path.h"
#include "xenstore-tools/store/tree.h"

struct step {
	const struct node *node;
	uint32_t block, place; /* of the next child */
	size_t length;         /* of the path of the node */
};

struct walk {
	struct step *step;
	size_t depth, room;
	char path[PATH_SIZE];
};

static int walk_enter(struct walk *walk, const struct node *node, size_t length)
{
	if (walk->depth == walk->room) {
		size_t room = walk->room ? walk->room * 2 : 16;
		struct step *step = realloc(walk->step, room * sizeof(*step));

		if (!step)
			return -ENOMEM;
		walk->step = step;
		walk->room = room;
	}
	walk->step[walk->depth++] = (struct step){.node = node, .length = length};
	return 0;
}

static const struct node *step_next(struct step *step)
{
	const struct children *children = step->node->children;

	while (children && step->block < children->blocks) {
		const struct block *block = children->block[step->block];

		if (step->place < block->count)
			return block->node[step->place++];
		step->block++;
		step->place = 0;
	}
	return NULL;
}

/* "/a" and "b" -> "/a/b"; 0 when that is longer than any path. */
static size_t path_extend(char *path, size_t length, const struct node *node)
{
	if (length > 1)
		path[length++] = '/';
	if (length + node->length >= PATH_SIZE)
		return 0;
	memcpy(path + length, node->name, node->length + 1);
	return length + node->length;
}

int tree_walk(const struct node *node, const char *path,
	      int (*visit)(const char *path, const struct node *node, const struct node *parent,
			   void *arg),
	      void *arg)
{
	struct walk walk = {0};
	const struct node *parent = NULL;
	size_t length = strlen(path);
	int rc;

	memcpy(walk.path, path, length + 1);
	for (;;) {
		rc = visit(walk.path, node, parent, arg);
		if (rc < 0)
			break;
		if (rc == 0 && node->children) {
			rc = walk_enter(&walk, node, length);
			if (rc)
				break;
		}
		node = NULL;
		while (walk.depth && !(node = step_next(&walk.step[walk.depth - 1])))
			walk.depth--;
		rc = 0;
		if (!node)
			break;
		parent = walk.step[walk.depth - 1].node;
		length = path_extend(walk.path, walk.step[walk.depth - 1].length, node);
		if (!length) {
			rc = -ENAMETOOLONG;
			break;
		}
	}
	free(walk.step);
	return rc;
}

static int add_up(const char *path, const struct node *node, const struct node *parent, void *arg)
{
	struct usage *usage = (struct usage *)arg;
	uint16_t owner = perms_owner(node->perms);

	if (usage_reserve(usage, owner))
		return -ENOMEM;
	usage_add(usage, owner, 1, node_size(node));
	return 0;
}

int tree_usage(const struct node *node, struct usage *usage)
{
	return tree_walk(node, "/", add_up, usage);
}
