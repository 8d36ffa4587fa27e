/*
 * copier.h - what one ring pass copies from and to the guest's pages.
 *
 * Pages that the guest uses again and again stay mapped and are copied by us (kept.h); the rest is
 * gathered into as few grant copy calls as possible. gntdev refuses a whole call when one segment
 * leaves its page, so only checked segments may come here; then a bad grant fails its own request
 * alone (per-segment status, XSA-362, XSA-365).
 */
#pragma once

#include <stdint.h>
#include <xengnttab.h>

#include "backend/block/kept.h"

/** Segments of one call: a full single-page ring of direct requests needs 352. */
#define COPIER_SEGMENTS 1024u

struct copier {
	struct kept kept;
	unsigned count, wanted;   /* gathered; of those whose pages will be kept */
	uint64_t calls, segments; /* so far */
	uint64_t near;            /* segments that were in kept pages, for who counts them */
	int *rc[COPIER_SEGMENTS]; /* where each segment's failure is noted */
	xengnttab_grant_copy_segment_t segment[COPIER_SEGMENTS];
};

/** copier_init - empty, for the guest @domid; @persistent: its frontend has feature-persistent. */
void copier_init(struct copier *copier, xengnttab_handle *gnttab, uint16_t domid, bool persistent);

/** copier_close - let go of the guest's pages. */
void copier_close(struct copier *copier);

/**
 * copier_from_guest, copier_to_guest - one more segment; it is copied by copier_run at the latest.
 * @offset, @length: bytes into the granted page; the end is at most 4096
 * @rc: left alone, or set to -EFAULT (the grant is not good for it) or what the whole call said
 */
void copier_from_guest(struct copier *copier, void *local, uint32_t gref, uint16_t offset,
		       uint16_t length, int *rc);
void copier_to_guest(struct copier *copier, uint32_t gref, uint16_t offset, void *local,
		     uint16_t length, int *rc);

/** copier_run - copy what was gathered. */
void copier_run(struct copier *copier);
