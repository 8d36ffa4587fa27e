/*
 * directory.h - the directory that a host lives in.
 */
#pragma once

#include <stddef.h>

/** The longest path of one: the socket of domain 32751 in it must fit into sun_path. */
#define DIRECTORY_MAX 80

/**
 * directory_make - make it with what a host needs in it, mode 0700.
 * @keep: where, or NULL for a new name below $TMPDIR or /tmp
 * @dir:  room for DIRECTORY_MAX bytes and a NUL
 *
 * Return: 0, or a negative errno after saying what is wrong.
 */
int directory_make(const char *keep, char *dir);

/** directory_remove - remove it and all in it; what cannot be removed is said. */
void directory_remove(const char *dir);
