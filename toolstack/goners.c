#include "toolstack/goners.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xs.h"

enum fate {
	FATE_OPEN, /* its folder was not looked into yet */
	FATE_GOES,
	FATE_NOTHING, /* it is not there, or goes with its folder */
};

struct goner {
	char *path;
	enum fate fate;
};

/* @path: NULL, or ours from here on */
static void add(struct goners *goners, char *path)
{
	struct goner *grown = NULL;

	if (path)
		grown = realloc(goners->goner, (goners->count + 1) * sizeof(*grown));
	if (!grown) {
		free(path);
		goners->rc = -ENOMEM;
		return;
	}
	goners->goner = grown;
	grown[goners->count++] = (struct goner){path, FATE_OPEN};
}

void goners_add(struct goners *goners, const char *format, ...)
{
	char *path;
	va_list args;

	va_start(args, format);
	if (vasprintf(&path, format, args) < 0)
		path = NULL;
	va_end(args);
	add(goners, path);
}

void goners_add_empty(struct goners *goners, struct xs_handle *xs, xs_transaction_t t,
		      const char *path)
{
	unsigned count = 0;
	char **names = xs_directory(xs, t, path, &count);

	if (names && !count)
		add(goners, strdup(path));
	free(names);
}

static size_t depth(const char *path)
{
	size_t slashes = 0;

	for (; *path; path++)
		slashes += *path == '/';
	return slashes;
}

/* What is below others first, for these may become empty by it. */
static const struct goner *deepest(const struct goners *goners)
{
	const struct goner *found = NULL;

	for (size_t i = 0; i < goners->count; i++)
		if (goners->goner[i].fate == FATE_OPEN &&
		    (!found || depth(goners->goner[i].path) > depth(found->path)))
			found = &goners->goner[i];
	return found;
}

/* Its name in that folder, NULL when it is not directly there. */
static const char *name_in(const struct goner *goner, const char *folder)
{
	size_t length = strlen(folder);

	if (strncmp(goner->path, folder, length) != 0 || goner->path[length] != '/' ||
	    strchr(goner->path + length + 1, '/'))
		return NULL;
	return goner->path + length + 1;
}

static bool is_listed(const char *name, char **names, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* Does all that a folder has go? */
static bool all_go(const struct goners *goners, const char *folder, char **names, unsigned count)
{
	for (unsigned n = 0; n < count; n++) {
		bool goes = false;

		for (size_t i = 0; i < goners->count && !goes; i++) {
			const char *name = goners->goner[i].fate == FATE_OPEN
						   ? name_in(&goners->goner[i], folder)
						   : NULL;

			goes = name && !strcmp(name, names[n]);
		}
		if (!goes)
			return false;
	}
	return true;
}

/* "/local/domain/5": its domain may be without nodes for a while, but it is there. */
static bool stays(const char *folder)
{
	static const char domains[] = "/local/domain/";

	return !*folder || (!strncmp(folder, domains, sizeof(domains) - 1) &&
			    !strchr(folder + sizeof(domains) - 1, '/'));
}

/* What becomes of those that are directly in a folder. */
static void settle(struct goners *goners, struct xs_handle *xs, xs_transaction_t t, char *folder)
{
	unsigned count = 0;
	bool keep = stays(folder), there, all;
	char **names = keep ? NULL : xs_directory(xs, t, folder, &count);

	there = names || keep || errno != ENOENT;
	all = names && all_go(goners, folder, names, count);
	for (size_t i = 0; i < goners->count; i++) {
		struct goner *goner = &goners->goner[i];
		const char *name = goner->fate == FATE_OPEN ? name_in(goner, folder) : NULL;

		if (name)
			goner->fate = there && !all && (!names || is_listed(name, names, count))
					      ? FATE_GOES
					      : FATE_NOTHING;
	}
	free(names);
	if (all)
		add(goners, folder);
	else
		free(folder);
}

static char *folder_of(const char *path)
{
	return strndup(path, (size_t)(strrchr(path, '/') - path));
}

static void clear(struct goners *goners)
{
	for (size_t i = 0; i < goners->count; i++)
		free(goners->goner[i].path);
	free(goners->goner);
	*goners = (struct goners){0};
}

int goners_remove(struct goners *goners, struct xs_handle *xs, xs_transaction_t t)
{
	const struct goner *next;
	int rc;

	while (!goners->rc && (next = deepest(goners))) {
		char *folder = folder_of(next->path);

		if (folder)
			settle(goners, xs, t, folder);
		else
			goners->rc = -ENOMEM;
	}
	rc = goners->rc;
	for (size_t i = 0; i < goners->count && !rc; i++)
		if (goners->goner[i].fate == FATE_GOES)
			rc = xs_remove(xs, t, "%s", goners->goner[i].path);
	clear(goners);
	return rc;
}
