/*
 * path.h - what a path may look like (xenstore.txt, and what C xenstored 4.17 enforces).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** Room for any valid path with its NUL: what a payload can carry plus "/local/domain/65535/". */
#define PATH_SIZE 4128

/** What quota "path-max" is unless somebody changes it: bytes after "/local/domain/N/". */
#define PATH_MAX_DEFAULT 2048u

/** The longest path the protocol allows, whatever the quota (XENSTORE_ABS_PATH_MAX). */
#define PATH_ABSOLUTE_MAX 3072u

/**
 * path_valid - is this the absolute path of a node?
 * @max: bytes allowed, not counting a leading "/local/domain/N/"
 *
 * It starts with '/', ends in none (but for "/"), has no "//", and only [A-Za-z0-9-/_@].
 */
bool path_valid(const char *path, size_t max);

/** path_special - does it name an event instead of a node, "@..."? */
bool path_special(const char *path);

/**
 * path_absolute - what a client means by @path.
 * @home: what a relative path is relative to, "/local/domain/N"
 * @out:  PATH_SIZE bytes
 *
 * "/..." and "@..." stay. Return: 0, or -EINVAL when the result does not fit.
 */
int path_absolute(const char *path, const char *home, char *out);

/** path_parent - the length of the path of the parent of @path (@length bytes); 1 for "/". */
size_t path_parent(const char *path, size_t length);

/**
 * path_component - the next name in a path.
 * @at:     where to look, set behind the name
 * @length: set to the length of the name
 *
 * Return: the name, not terminated, or NULL at the end.
 */
const char *path_component(const char **at, size_t *length);
