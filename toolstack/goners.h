/*
 * goners.h - nodes of the XenStore that go together, with every folder that becomes empty by it.
 *
 * Each folder is looked into once, however much of it goes, and goes itself in one request with
 * all that is left in it.
 */
#pragma once

#include <stddef.h>
#include <xenstore.h>

struct goner;

/** Begin with {0}. */
struct goners {
	struct goner *goner;
	size_t count;
	int rc; /* of the first step that failed, whoever took it: goners_remove() ends with it */
};

/** goners_add - a node, with all below it; one that is not there is no error. */
void goners_add(struct goners *goners, const char *path, ...) __attribute__((format(printf, 2, 3)));

/** goners_add_empty - a folder, if it is there and nothing is in it. */
void goners_add_empty(struct goners *goners, struct xs_handle *xs, xs_transaction_t t,
		      const char *path);

/**
 * goners_remove - remove them all, and the parents that became empty; a domain's own directory
 * /local/domain/N stays unless it was added. The list is empty afterwards.
 *
 * Return: 0, the list's rc, or what the store says.
 */
int goners_remove(struct goners *goners, struct xs_handle *xs, xs_transaction_t t);
