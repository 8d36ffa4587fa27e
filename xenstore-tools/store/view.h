/*
 * view.h - the store as one client sees it: the live tree or a transaction's, with its rights.
 *
 * The one place where permissions are computed and errors are hidden: a guest that could
 * not read the nearest node above a missing one hears -EACCES instead of -ENOENT, so that
 * names cannot be probed. Paths are absolute and valid (path.h).
 */
#pragma once

#include "xenstore-tools/store/perms.h"
#include "xenstore-tools/store/store.h"
#include "xenstore-tools/store/transaction.h"

struct view {
	struct store *store;
	struct transaction *transaction; /* NULL: the live tree */
	struct actor actor;
	int64_t used; /* bytes that the client holds beside its nodes, for the memory quota */
};

/**
 * view_node - a node that the client may use.
 * @need: PERM_READ, PERM_WRITE, PERM_OWNER: all of them
 * @seen: SEEN_...: what of the node the answer will depend on
 * @out:  borrowed until the next change
 *
 * Return: 0, -ENOENT, -EACCES, or -ENOSPC, -ENOMEM from the transaction.
 */
int view_node(struct view *view, const char *path, unsigned need, unsigned seen, struct node **out);

/**
 * view_write - give a node a value, creating it and what is missing above.
 * Return: 0, -EACCES, -ENOSPC (a quota), -ENOMEM.
 */
int view_write(struct view *view, const char *path, struct bytes *value);

/** view_mkdir - create an empty node unless it is there. Return: as view_write(). */
int view_mkdir(struct view *view, const char *path);

/**
 * view_remove - remove a node and all below it. A missing node is fine when its parent exists.
 * Return: 0, -ENOENT, -EACCES, -EINVAL ("/"), -ENOSPC, -ENOMEM.
 */
int view_remove(struct view *view, const char *path);

/**
 * view_set_perms - give a node other permissions.
 * @perms: checked by domains_known() already
 *
 * Return: 0, -ENOENT, -EACCES, -EPERM (a guest gives a node away), -ENOSPC, -ENOMEM.
 */
int view_set_perms(struct view *view, const char *path, struct perms *perms);
