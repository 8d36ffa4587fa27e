#include "xenstore-tools/store/table.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS_MIN 16

static size_t slot(const struct table *table, uint64_t hash)
{
	return (hash ^ hash >> 32) & (table->buckets - 1);
}

/* A table that cannot grow still works, only slower. */
static void resize(struct table *table, size_t buckets)
{
	struct table old = *table;
	struct table_link **bucket = calloc(buckets, sizeof(struct table_link *));

	if (!bucket)
		return;
	table->bucket = bucket;
	table->buckets = buckets;
	for (size_t i = 0; i < old.buckets; i++) {
		struct table_link *link = old.bucket[i], *next;

		for (; link; link = next) {
			size_t at = slot(table, link->hash);

			next = link->next;
			link->next = table->bucket[at];
			table->bucket[at] = link;
		}
	}
	free(old.bucket);
}

int table_insert(struct table *table, struct table_link *link, uint64_t hash)
{
	size_t at;

	if (table->count >= table->buckets)
		resize(table, table->buckets ? table->buckets * 2 : BUCKETS_MIN);
	if (!table->buckets)
		return -ENOMEM;
	at = slot(table, hash);
	link->hash = hash;
	link->next = table->bucket[at];
	table->bucket[at] = link;
	table->count++;
	return 0;
}

void table_remove(struct table *table, struct table_link *link)
{
	struct table_link **at = &table->bucket[slot(table, link->hash)];

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	table->count--;
	if (!table->count)
		table_clear(table);
}

static struct table_link *same_hash(struct table_link *link, uint64_t hash)
{
	while (link && link->hash != hash)
		link = link->next;
	return link;
}

struct table_link *table_first(const struct table *table, uint64_t hash)
{
	return table->buckets ? same_hash(table->bucket[slot(table, hash)], hash) : NULL;
}

struct table_link *table_next(const struct table_link *link)
{
	return same_hash(link->next, link->hash);
}

void table_clear(struct table *table)
{
	free(table->bucket);
	*table = (struct table){0};
}
