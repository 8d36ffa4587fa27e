/*
 * nodes.h - nodes of the XenStore, composed first and written together later.
 *
 * Composing takes no I/O, so what a device's nodes are can be tested without a store, and a
 * transaction that has to be tried again writes the same list again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xenstore.h>

/** Nobody but the owner (and privileged domains) may read. */
#define NODES_NO_READER (-1)

struct node {
	char *path;
	char *value;
	bool permissions; /* set them; otherwise they are the parent's */
	uint16_t owner;
	int reader;
};

struct nodes {
	struct node *node;
	size_t count;
	int rc; /* of the first that failed; the others are then missing */
};

/**
 * nodes_dir - a node without value, and who may use it and what is below. Below another of the
 * list it is a new one, which gets the same permissions from there without being told.
 * @reader: a domain that may read, or NODES_NO_READER
 */
void nodes_dir(struct nodes *nodes, uint16_t owner, int reader, const char *path, ...)
	__attribute__((format(printf, 4, 5)));

/** nodes_add - the node @dir/@name with a value made from a format. */
void nodes_add(struct nodes *nodes, const char *dir, const char *name, const char *value, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * nodes_write - write them all in their order.
 * Return: 0, what failed while composing, or what the store says.
 */
int nodes_write(const struct nodes *nodes, struct xs_handle *xs, xs_transaction_t t);

void nodes_free(struct nodes *nodes);

/**
 * nodes_remove - goners_remove() of one node (goners.h).
 */
int nodes_remove(struct xs_handle *xs, xs_transaction_t t, const char *path, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * nodes_forget - nodes_remove() in a transaction of its own, so that no parent goes in which
 * somebody else just made something.
 */
int nodes_forget(struct xs_handle *xs, const char *path, ...) __attribute__((format(printf, 2, 3)));

/**
 * nodes_list - the names below a node.
 * @count: 0 when there is no such node
 * Return: for free(3), NULL when @count is 0.
 */
char **nodes_list(struct xs_handle *xs, xs_transaction_t t, unsigned *count, const char *path, ...)
	__attribute__((format(printf, 4, 5)));
