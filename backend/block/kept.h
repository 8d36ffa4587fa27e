/*
 * kept.h - pages of a guest's that stay mapped, because it uses the same grants again and again
 * (feature-persistent, xen/io/blkif.h).
 *
 * They are copied from and to, never given to the storage: what a guest does with such a page
 * concerns nothing but its own data. A guest that promises this and then names ever new grants
 * costs itself the time to map them; what it makes us hold is bounded.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <xengnttab.h>

/** Pages of a ring at most: a one-page ring of Linux's uses 32 for each of its 32 requests and one
 * for the list of them. */
#define KEPT_PAGES_MAX 1056u

/** Areas of our address space that they are in, each mapped by one call; too many become one. */
#define KEPT_AREAS_MAX 128u

/** Pages that were not used for so long the guest gets back, in ns. */
#define KEPT_IDLE_NS 60000000000u

struct kept_table;

struct kept {
	xengnttab_handle *gnttab;
	uint16_t domid;           /* the guest */
	bool enabled;             /* keep more */
	struct kept_table *table; /* NULL: nothing is kept */
	uint64_t found, missed;   /* since it was emptied; missed: while it was full */
	uint64_t used;            /* ns of any clock: when one was last; the owner says so */
	uint64_t idle_ns;         /* KEPT_IDLE_NS */
};

/** kept_init - nothing; @enabled: the frontend says that it uses the same grants again. */
void kept_init(struct kept *kept, xengnttab_handle *gnttab, uint16_t domid, bool enabled);

/** kept_find - where the page of @gref is, or NULL. */
uint8_t *kept_find(struct kept *kept, uint32_t gref);

/**
 * kept_want - the page of @gref shall be kept; it is mapped by kept_map at the latest.
 * Return: false if it will not be, as there is no room. A guest whose grants change all the time
 * has it emptied now and then, to keep what it uses by then.
 */
bool kept_want(struct kept *kept, uint32_t gref);

/** kept_map - map what is wanted, in one call. If that fails none of these is kept; after some such
 * failures no others either. */
void kept_map(struct kept *kept);

/** kept_idle - forget all that was not used for idle_ns at @now, ns of the clock of used. Return:
 * ns after which to ask again; 0: nothing is kept. */
uint64_t kept_idle(struct kept *kept, uint64_t now);

/** kept_forget - unmap all. */
void kept_forget(struct kept *kept);
