/*
 * table.h - a hash table of links that lie inside the objects themselves.
 *
 * The table owns its buckets only. Objects with the same hash are told apart by the caller.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct table_link {
	struct table_link *next;
	uint64_t hash;
};

/** All zero is an empty table. */
struct table {
	struct table_link **bucket;
	size_t buckets; /* zero or a power of two */
	size_t count;
};

/** The object that @link lies in. */
#define table_entry(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

/** Where table_hash starts; xor a secret in where strangers choose the keys. */
#define TABLE_HASH_START UINT64_C(0xcbf29ce484222325)

/** table_hash - go on hashing with @size more bytes (FNV-1a): prefixes come for free. */
static inline uint64_t table_hash(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *byte = (const unsigned char *)bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/**
 * table_insert - add @link under @hash; several links may share one hash.
 * Return: 0 or -ENOMEM, which only the first insertion into an empty table can meet.
 */
int table_insert(struct table *table, struct table_link *link, uint64_t hash);

/** table_remove - take @link, which is in the table, out. */
void table_remove(struct table *table, struct table_link *link);

/** table_first - a link with that hash, or NULL. */
struct table_link *table_first(const struct table *table, uint64_t hash);

/** table_next - the next link with the same hash, or NULL. */
struct table_link *table_next(const struct table_link *link);

/** table_clear - forget all links and free the buckets. */
void table_clear(struct table *table);
