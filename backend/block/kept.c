#include "backend/block/kept.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/log.h"

#define PAGE  4096u
#define SLOTS 2048u /* at least half of them are free */

/* After so many calls that failed there are no more. */
#define FAILED_MAX 8

struct kept_table {
	unsigned count;                /* of the slots in use */
	unsigned wanted;               /* of the slots, those that have no page yet */
	uint32_t want[KEPT_PAGES_MAX]; /* their grants */
	unsigned areas;
	struct {
		uint8_t *pages;
		unsigned count;
	} area[KEPT_AREAS_MAX];
	unsigned failed; /* calls to map */
	struct {
		uint32_t gref;
		enum { FREE, WANTED, MAPPED, REFUSED } state;
		uint8_t *page; /* MAPPED */
	} slot[SLOTS];
};

void kept_init(struct kept *kept, xengnttab_handle *gnttab, uint16_t domid, bool enabled)
{
	*kept = (struct kept){
		.gnttab = gnttab, .domid = domid, .enabled = enabled, .idle_ns = KEPT_IDLE_NS};
}

/* The slot of @gref, or the free one that it would get. */
static unsigned slot_of(const struct kept_table *table, uint32_t gref)
{
	unsigned n = gref * 2654435769u >> 21;

	static_assert(SLOTS == 1u << (32 - 21), "the hash has as many bits");
	while (table->slot[n].state != FREE && table->slot[n].gref != gref)
		n = (n + 1) % SLOTS;
	return n;
}

uint8_t *kept_find(struct kept *kept, uint32_t gref)
{
	uint8_t *page = kept->table ? kept->table->slot[slot_of(kept->table, gref)].page : NULL;

	kept->found += page != NULL;
	return page;
}

bool kept_want(struct kept *kept, uint32_t gref)
{
	struct kept_table *table = kept->table;
	unsigned n;

	if (!kept->enabled)
		return false;
	if (table && table->count == KEPT_PAGES_MAX) {
		if (++kept->missed < KEPT_PAGES_MAX || kept->missed < kept->found || table->wanted)
			return false;
		kept_forget(kept);
		table = NULL;
	}
	if (!table)
		table = kept->table = calloc(1, sizeof(*table));
	if (!table)
		return false;
	n = slot_of(table, gref);
	if (table->slot[n].state != FREE)
		return table->slot[n].state == WANTED;
	table->slot[n].state = WANTED;
	table->slot[n].gref = gref;
	table->want[table->wanted++] = gref;
	table->count++;
	return true;
}

static void areas_unmap(struct kept *kept)
{
	struct kept_table *table = kept->table;

	for (unsigned n = 0; n < table->areas; n++)
		xengnttab_unmap(kept->gnttab, table->area[n].pages, table->area[n].count);
	table->areas = 0;
}

/* There is no room for another area: all pages are wanted anew, to become one. */
static void areas_join(struct kept *kept)
{
	struct kept_table *table = kept->table;

	areas_unmap(kept);
	table->wanted = 0;
	for (unsigned n = 0; n < SLOTS; n++) {
		if (table->slot[n].state != MAPPED && table->slot[n].state != WANTED)
			continue;
		table->slot[n].state = WANTED;
		table->slot[n].page = NULL;
		table->want[table->wanted++] = table->slot[n].gref;
	}
}

/* One of them cannot be mapped, or there is no room: they are copied. */
static void refuse(struct kept *kept)
{
	struct kept_table *table = kept->table;

	log_debug("d%u: %u grants cannot be kept mapped: %s", kept->domid, table->wanted,
		  strerror(errno));
	for (unsigned n = 0; n < table->wanted; n++)
		table->slot[slot_of(table, table->want[n])].state = REFUSED;
	if (++table->failed == FAILED_MAX)
		kept->enabled = false;
}

void kept_map(struct kept *kept)
{
	struct kept_table *table = kept->table;
	uint8_t *pages;

	if (!table || !table->wanted)
		return;
	if (table->areas == KEPT_AREAS_MAX)
		areas_join(kept);
	pages = xengnttab_map_domain_grant_refs(kept->gnttab, table->wanted, kept->domid,
						table->want, PROT_READ | PROT_WRITE);
	if (!pages) {
		refuse(kept);
	} else {
		for (unsigned n = 0; n < table->wanted; n++) {
			unsigned at = slot_of(table, table->want[n]);

			table->slot[at].state = MAPPED;
			table->slot[at].page = pages + (size_t)n * PAGE;
		}
		table->area[table->areas].pages = pages;
		table->area[table->areas++].count = table->wanted;
	}
	table->wanted = 0;
}

uint64_t kept_idle(struct kept *kept, uint64_t now)
{
	uint64_t end = kept->used + kept->idle_ns;

	if (!kept->table)
		return 0;
	if (now < end)
		return end - now;
	kept_forget(kept);
	return 0;
}

void kept_forget(struct kept *kept)
{
	if (kept->table)
		areas_unmap(kept);
	free(kept->table);
	kept->table = NULL;
	kept->found = kept->missed = 0;
}
