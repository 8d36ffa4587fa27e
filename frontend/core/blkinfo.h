/*
 * blkinfo.h - what the backend says about its disk, checked.
 *
 * Nodes: xen/io/blkif.h. All were written by the backend: a value that makes no sense is
 * refused when nothing can be done without it (sectors, sector-size), and counts as absent
 * otherwise.
 */
#pragma once

#include "frontend/core/store.h"

/** The most pages that one request of ours moves: 256 KiB. */
#define BLK_SEGMENTS_MAX   64u
/** The largest ring we make: 4 pages, 128 entries. */
#define BLK_RING_ORDER_MAX 2u

struct blkinfo {
	uint64_t size;                 /* bytes, a multiple of sector_size */
	uint32_t sector_size;          /* bytes, 512 to 4096: offsets and lengths are multiples */
	uint32_t physical_sector_size; /* bytes, a multiple of sector_size */
	uint32_t discard_granularity;  /* bytes, a multiple of sector_size */
	uint32_t request_max;          /* bytes that one read or write may move */
	bool read_only, cdrom, removable;
	bool can_flush, can_discard;
};

/** blkinfo_ring_order - how large a ring the backend takes, at most BLK_RING_ORDER_MAX.
 * Return: 0, or -EIO (the store failed). */
int blkinfo_ring_order(struct platform *platform, const char *backend, uint32_t *order);

/**
 * blkinfo_read - all properties, once the backend is connected.
 * @backend: its directory
 * @info:    means something on success only
 *
 * Return: 0, -ENOENT (sectors or sector-size is missing or no number), -EINVAL (sector-size
 * is not a power of two from 512 to 4096), -EFBIG (more than 2^63 - 1 bytes), or -EIO (the store
 * failed).
 */
int blkinfo_read(struct platform *platform, const char *backend, struct blkinfo *info);
