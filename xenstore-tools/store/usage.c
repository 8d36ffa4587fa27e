#include "xenstore-tools/store/usage.h"

#include <errno.h>
#include <stdlib.h>

static struct usage_entry *usage_find(const struct usage *usage, uint16_t domid)
{
	for (size_t i = 0; i < usage->count; i++)
		if (usage->entry[i].domid == domid)
			return &usage->entry[i];
	return NULL;
}

int usage_reserve(struct usage *usage, uint16_t domid)
{
	if (usage_find(usage, domid))
		return 0;
	if (usage->count == usage->room) {
		size_t room = usage->room ? usage->room * 2 : 4;
		struct usage_entry *entry = realloc(usage->entry, room * sizeof(*entry));

		if (!entry)
			return -ENOMEM;
		usage->entry = entry;
		usage->room = room;
	}
	usage->entry[usage->count++] = (struct usage_entry){.domid = domid};
	return 0;
}

void usage_add(struct usage *usage, uint16_t domid, int64_t nodes, int64_t bytes)
{
	struct usage_entry *entry = usage_find(usage, domid);

	if (!entry)
		return;
	entry->nodes += nodes;
	entry->bytes += bytes;
}

int64_t usage_nodes(const struct usage *usage, uint16_t domid)
{
	const struct usage_entry *entry = usage_find(usage, domid);

	return entry ? entry->nodes : 0;
}

int64_t usage_bytes(const struct usage *usage, uint16_t domid)
{
	const struct usage_entry *entry = usage_find(usage, domid);

	return entry ? entry->bytes : 0;
}

void usage_clear(struct usage *usage)
{
	free(usage->entry);
	*usage = (struct usage){0};
}
