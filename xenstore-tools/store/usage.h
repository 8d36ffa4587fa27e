/*
 * usage.h - what nodes cost their owners: a number of nodes and of bytes for each domain.
 *
 * A function of the tree alone, so it can be computed again and compared. Changes are collected
 * here first and applied when the tree is exchanged, or thrown away.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct usage_entry {
	uint16_t domid;
	int64_t nodes;
	int64_t bytes;
};

/** All zero is empty. */
struct usage {
	struct usage_entry *entry;
	size_t count, room;
};

/**
 * usage_reserve - make sure that usage_add() for @domid cannot fail.
 * Return: 0 or -ENOMEM.
 */
int usage_reserve(struct usage *usage, uint16_t domid);

/** usage_add - add to what @domid uses; an entry must have been reserved. */
void usage_add(struct usage *usage, uint16_t domid, int64_t nodes, int64_t bytes);

/** usage_nodes - the nodes of @domid in it; zero without an entry. */
int64_t usage_nodes(const struct usage *usage, uint16_t domid);

/** usage_bytes - the bytes of @domid in it. */
int64_t usage_bytes(const struct usage *usage, uint16_t domid);

/** usage_clear - empty it and free what it holds. */
void usage_clear(struct usage *usage);
