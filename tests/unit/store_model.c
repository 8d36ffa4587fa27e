#include "tests/unit/store_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xs_wire.h>

#define CHILDREN_SIZE 1024

enum { READ = 1, WRITE = 2, ALL = 7 };

void model_init(struct model *model)
{
	memset(model, 0, sizeof(*model));
	model->node[0] = (struct model_node){.path = "/", .letter = 'n'};
	model->count = 1;
	model->order = 1;
}

static struct model_node *find(struct model *model, const char *path)
{
	for (unsigned i = 0; i < model->count; i++)
		if (!strcmp(model->node[i].path, path))
			return &model->node[i];
	return NULL;
}

static void parent_of(const char *path, char *parent)
{
	char *slash;

	memmove(parent, path, strlen(path) + 1);
	slash = strrchr(parent, '/');
	slash[slash == parent] = '\0';
}

static int access_of(const struct model_node *node, bool guest)
{
	if (!guest || node->owner == 1)
		return ALL;
	return node->letter == 'n'   ? 0
	       : node->letter == 'r' ? READ
	       : node->letter == 'w' ? WRITE
				     : 3;
}

/* NULL when @guest may use the node that way, otherwise the error. */
static const char *check(struct model *model, bool guest, const char *path, int need)
{
	struct model_node *node = find(model, path);
	char parent[32];

	if (node)
		return (access_of(node, guest) & need) == need ? NULL : "!EACCES";
	memmove(parent, path, strlen(path) + 1);
	do
		parent_of(parent, parent);
	while (!(node = find(model, parent)));
	return access_of(node, guest) & need ? "!ENOENT" : "!EACCES";
}

static struct model_node *create(struct model *model, bool guest, const char *path)
{
	struct model_node *node = find(model, path), *above;
	char parent[32];

	if (node)
		return node;
	parent_of(path, parent);
	above = create(model, guest, parent);
	node = &model->node[model->count++];
	if (model->count > MODEL_NODES)
		abort();
	*node = *above;
	snprintf(node->path, sizeof(node->path), "%s", path);
	node->value[0] = '\0';
	node->order = model->order++;
	if (guest)
		node->owner = 1;
	return node;
}

static void drop(struct model *model, const char *path)
{
	size_t length = strlen(path);

	for (unsigned i = 0; i < model->count;) {
		const char *is = model->node[i].path;

		if (!strncmp(is, path, length) && (!is[length] || is[length] == '/'))
			model->node[i] = model->node[--model->count];
		else
			i++;
	}
}

static const char *children(struct model *model, const char *path, char *out)
{
	unsigned last = 0;
	size_t used = 0;

	for (out[0] = '\0';;) {
		const struct model_node *next = NULL;
		char parent[32];

		for (unsigned i = 0; i < model->count; i++) {
			const struct model_node *node = &model->node[i];

			if (!node->path[1] || node->order < last ||
			    (next && node->order > next->order))
				continue;
			parent_of(node->path, parent);
			if (!strcmp(parent, path))
				next = node;
		}
		if (!next)
			return out;
		used += snprintf(out + used, CHILDREN_SIZE - used, "%s|",
				 strrchr(next->path, '/') + 1);
		last = next->order + 1;
	}
}

static const char *set_perms(struct model_node *node, bool guest, const char *perm)
{
	if (guest && perm[1] != (char)('0' + node->owner))
		return "!EPERM";
	node->letter = perm[0];
	node->owner = perm[1] - '0';
	return "OK|";
}

const char *model_ask(struct model *model, bool guest, uint32_t type, const char *body)
{
	static char out[CHILDREN_SIZE];
	char path[32], parent[32];
	const char *value = strchr(body, '|') + 1, *error;
	int need = type == XS_WRITE || type == XS_MKDIR || type == XS_RM ? WRITE
		   : type == XS_SET_PERMS                                ? 6
									 : READ;
	struct model_node *node;

	snprintf(path, sizeof(path), "%.*s", (int)(value - 1 - body), body);
	error = check(model, guest, path, need);
	node = find(model, path);
	if (error && (strcmp(error, "!ENOENT") != 0 || need != WRITE))
		return error;
	if (!node && need != WRITE)
		return "!ENOENT";
	switch (type) {
	case XS_READ:
		return node->value;
	case XS_DIRECTORY:
		return children(model, path, out);
	case XS_GET_PERMS:
		snprintf(out, sizeof(out), "%c%u|", node->letter, node->owner);
		return out;
	case XS_WRITE:
		node = create(model, guest, path);
		snprintf(node->value, sizeof(node->value), "%s", value);
		return "OK|";
	case XS_MKDIR:
		create(model, guest, path);
		return "OK|";
	case XS_RM:
		parent_of(path, parent);
		if (!node)
			return find(model, parent) ? "OK|" : "!ENOENT";
		if (!path[1])
			return "!EINVAL";
		drop(model, path);
		return "OK|";
	default:
		return set_perms(node, guest, value);
	}
}
