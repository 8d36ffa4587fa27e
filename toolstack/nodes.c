#include "toolstack/nodes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xs.h"
#include "toolstack/goners.h"

static void append(struct nodes *nodes, struct node *node)
{
	struct node *grown = NULL;

	if (node->path && node->value)
		grown = realloc(nodes->node, (nodes->count + 1) * sizeof(*grown));
	if (!grown) {
		free(node->path);
		free(node->value);
		nodes->rc = -ENOMEM;
		return;
	}
	nodes->node = grown;
	grown[nodes->count++] = *node;
}

void nodes_dir(struct nodes *nodes, uint16_t owner, int reader, const char *path, ...)
{
	struct node node = {.permissions = true, .owner = owner, .reader = reader};
	va_list args;

	va_start(args, path);
	if (vasprintf(&node.path, path, args) < 0)
		node.path = NULL;
	va_end(args);
	node.value = strdup("");
	append(nodes, &node);
}

void nodes_add(struct nodes *nodes, const char *dir, const char *name, const char *value, ...)
{
	struct node node = {0};
	va_list args;

	va_start(args, value);
	if (vasprintf(&node.value, value, args) < 0)
		node.value = NULL;
	va_end(args);
	if (asprintf(&node.path, "%s/%s", dir, name) < 0)
		node.path = NULL;
	append(nodes, &node);
}

static bool is_below(const struct node *node, const struct node *folder)
{
	size_t length = strlen(folder->path);

	return !strncmp(node->path, folder->path, length) && node->path[length] == '/';
}

/* Would it get these permissions all the same, from the folder above it that was written before? */
static bool inherits(const struct nodes *nodes, size_t n)
{
	const struct node *node = &nodes->node[n], *above = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct node *folder = &nodes->node[i];

		if (folder->permissions && is_below(node, folder) &&
		    (!above || is_below(folder, above)))
			above = folder;
	}
	return above && above->owner == node->owner && above->reader == node->reader;
}

/* Will it come to be with something below it? */
static bool is_implied(const struct nodes *nodes, size_t n)
{
	for (size_t i = n + 1; i < nodes->count; i++)
		if (is_below(&nodes->node[i], &nodes->node[n]))
			return true;
	return false;
}

static bool node_write(const struct nodes *nodes, size_t n, struct xs_handle *xs,
		       xs_transaction_t t)
{
	const struct node *node = &nodes->node[n];
	bool permissions = node->permissions && !inherits(nodes, n);
	struct xs_permissions who[2] = {
		{.id = node->owner, .perms = XS_PERM_NONE},
		{.id = (unsigned)node->reader, .perms = XS_PERM_READ},
	};

	if (node->permissions && !permissions && is_implied(nodes, n))
		return true;
	if (!xs_write(xs, t, node->path, node->value, (unsigned)strlen(node->value)))
		return false;
	return !permissions ||
	       xs_set_permissions(xs, t, node->path, who, node->reader == NODES_NO_READER ? 1 : 2);
}

int nodes_write(const struct nodes *nodes, struct xs_handle *xs, xs_transaction_t t)
{
	if (nodes->rc)
		return nodes->rc;
	for (size_t i = 0; i < nodes->count; i++)
		if (!node_write(nodes, i, xs, t))
			return -errno;
	return 0;
}

void nodes_free(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->count; i++) {
		free(nodes->node[i].path);
		free(nodes->node[i].value);
	}
	free(nodes->node);
	*nodes = (struct nodes){0};
}

int nodes_remove(struct xs_handle *xs, xs_transaction_t t, const char *format, ...)
{
	struct goners goners = {0};
	char path[XS_PATH_SIZE];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof(path))
		return -ENAMETOOLONG;
	goners_add(&goners, "%s", path);
	return goners_remove(&goners, xs, t);
}

static int forget_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	return nodes_remove(xs, t, "%s", (const char *)arg);
}

int nodes_forget(struct xs_handle *xs, const char *format, ...)
{
	char path[XS_PATH_SIZE];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return xs_transact(xs, forget_write, path);
}

char **nodes_list(struct xs_handle *xs, xs_transaction_t t, unsigned *count, const char *format,
		  ...)
{
	char path[XS_PATH_SIZE], **names;
	va_list args;
	int n;

	*count = 0;
	va_start(args, format);
	n = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof(path))
		return NULL;
	names = xs_directory(xs, t, path, count);
	if (!names || !*count) {
		free(names);
		*count = 0;
		return NULL;
	}
	return names;
}
