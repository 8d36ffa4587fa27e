#include "frontend/kernel/grant.h"

#include <stdint.h>

#include <xen/grant_table.h>

#include "frontend/kernel/kernel.h"

#define ENTRIES (GRANT_FRAMES * 512u)

static struct {
	struct grant_entry_v1 *table;
	struct grant_entry_v1 given[ENTRIES]; /* what is in the table; .flags 0: nothing */
	uint32_t next[ENTRIES];               /* of those that are free */
	uint32_t free;                        /* the first, 0: none */
	uint32_t used;
	bool started;
} grants;

static int table_map(void)
{
	int rc = 0;

	for (unsigned frame = 0; !rc && frame < GRANT_FRAMES; frame++) {
		uint64_t address = memory_unpopulated(FRAME_GRANTS + frame);

		rc = hypercall_map(&kernel.host, XENMAPSPACE_grant_table, frame, address / 4096);
	}
	grants.table = (void *)memory_unpopulated(FRAME_GRANTS);
	return rc;
}

int grant_start(void)
{
	int rc = table_map();

	if (rc || grants.started)
		return rc;
	/* The first ones are the toolstack's: console and store. */
	for (uint32_t gref = GNTTAB_NR_RESERVED_ENTRIES; gref < ENTRIES; gref++)
		grants.next[gref] = gref + 1 < ENTRIES ? gref + 1 : 0;
	grants.free = GNTTAB_NR_RESERVED_ENTRIES;
	grants.started = true;
	return 0;
}

static void entry_write(uint32_t gref)
{
	struct grant_entry_v1 *entry = &grants.table[gref];

	entry->domid = grants.given[gref].domid;
	entry->frame = grants.given[gref].frame;
	__atomic_store_n(&entry->flags, grants.given[gref].flags, __ATOMIC_RELEASE);
}

int grant_resume(void)
{
	int rc = grants.started ? table_map() : 0;

	for (uint32_t gref = 0; !rc && gref < ENTRIES; gref++) {
		if (grants.given[gref].flags)
			entry_write(gref);
	}
	return rc;
}

int grant_give(uint16_t domid, const void *address, bool readonly, uint32_t *gref)
{
	if (!grants.free)
		return -ENOSPC;
	*gref = grants.free;
	grants.free = grants.next[*gref];
	grants.used++;
	grants.given[*gref] = (struct grant_entry_v1){
		.flags = (uint16_t)(GTF_permit_access | (readonly ? GTF_readonly : 0)),
		.domid = domid,
		.frame = (uint32_t)((uint64_t)address / 4096),
	};
	entry_write(*gref);
	return 0;
}

/* As grant_table.h has it: only flags that show no use may become 0. */
int grant_end(uint32_t gref)
{
	uint16_t *flags = &grants.table[gref].flags, old = __atomic_load_n(flags, __ATOMIC_ACQUIRE);

	do {
		if (old & (GTF_reading | GTF_writing))
			return -EBUSY;
	} while (!__atomic_compare_exchange_n(flags, &old, 0, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	grants.given[gref].flags = 0;
	grants.next[gref] = grants.free;
	grants.free = gref;
	grants.used--;
	return 0;
}

uint32_t grant_used(void)
{
	return grants.used;
}
