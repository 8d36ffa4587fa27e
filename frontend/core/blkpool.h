/*
 * blkpool.h - the pages that requests carry, shared with the backend once and for all.
 *
 * They are bounce pages: zeroed when made, and nothing but what is read from or written to
 * this disk is ever in them, so the backend sees nothing that is not its own (XSA-403), and
 * a request costs neither a grant nor a revocation. Last in, first out, so that a backend that
 * keeps them mapped needs to keep few (feature-persistent).
 *
 * Linux's gntalloc lets all processes of a guest share 1024 pages. A disk takes at most 248
 * (224 for data, 20 of segments, 4 of ring), so two disks and a network card (514) fit.
 */
#pragma once

#include "frontend/core/platform.h"

#define BLKPOOL_DATA_MAX 224u
/** Fewer would not carry one direct request. */
#define BLKPOOL_DATA_MIN 16u
/** A request of more than 11 pages needs one for its list: 224 / 12 rounded up and some. */
#define BLKPOOL_LIST_MAX 20u

struct blkpool {
	struct platform_area *data, *list;
	uint16_t data_free[BLKPOOL_DATA_MAX], list_free[BLKPOOL_LIST_MAX];
	uint32_t data_count, list_count; /* of the free ones */
};

/**
 * blkpool_make - share the pages with @domid; fewer than the maximum if no more can be had.
 * Return: 0, or what sharing the fewest said.
 */
int blkpool_make(struct blkpool *pool, struct platform *platform, uint16_t domid);

/** blkpool_drop - give all pages up; none may be in use by us. */
void blkpool_drop(struct blkpool *pool, struct platform *platform);

/**
 * blkpool_take - take @pages of data, and one for their list when @list.
 * @data: indices into the data area
 * @page: index into the list area
 *
 * Return: 0 or -EAGAIN (nothing was taken).
 */
int blkpool_take(struct blkpool *pool, uint32_t pages, uint16_t *data, bool list, uint16_t *page);

/** blkpool_give - give back what blkpool_take took. */
void blkpool_give(struct blkpool *pool, uint32_t pages, const uint16_t *data, bool list,
		  uint16_t page);
