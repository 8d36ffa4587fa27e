/*
 * event.h - who hears of a change. An event goes to each watch on the node or above it whose
 * client may read the node or its parent, with the permissions before or after the change
 * (XSA-115).
 */
#pragma once

#include "xenstore-tools/store/store.h"
#include "xenstore-tools/store/transaction.h"

/**
 * event_changed - the node at @path was created, written or given other permissions.
 * @before: its permissions before, or NULL
 */
void event_changed(struct store *store, const char *path, const struct perms *before);

/**
 * event_removing - the node at @path and all below it are about to be removed: every
 * node below is told to the watches on exactly that node, the node itself also to those above.
 */
void event_removing(struct store *store, const char *path, const struct node *node);

/** event_committing - a transaction is about to take the live tree to @merged. */
void event_committing(struct store *store, const struct transaction *transaction,
		      const struct tree *merged);

/** event_special - "@introduceDomain" or "@releaseDomain". */
void event_special(struct store *store, const char *name);
