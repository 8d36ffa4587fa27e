#include "backend/block/copier.h"

#include <errno.h>
#include <string.h>

void copier_init(struct copier *copier, xengnttab_handle *gnttab, uint16_t domid, bool persistent)
{
	kept_init(&copier->kept, gnttab, domid, persistent);
	copier->count = copier->wanted = 0;
	copier->calls = copier->segments = copier->near = 0;
}

void copier_close(struct copier *copier)
{
	kept_forget(&copier->kept);
}

static bool is_to_guest(const xengnttab_grant_copy_segment_t *segment)
{
	return segment->flags == GNTCOPY_dest_gref;
}

static uint32_t gref_of(const xengnttab_grant_copy_segment_t *segment)
{
	return is_to_guest(segment) ? segment->dest.foreign.ref : segment->source.foreign.ref;
}

/* Is its page kept? Then it is copied. */
static bool copy_near(struct copier *copier, const xengnttab_grant_copy_segment_t *segment)
{
	uint8_t *page = kept_find(&copier->kept, gref_of(segment));

	if (!page)
		return false;
	if (is_to_guest(segment))
		memcpy(page + segment->dest.foreign.offset, segment->source.virt, segment->len);
	else
		memcpy(segment->dest.virt, page + segment->source.foreign.offset, segment->len);
	copier->near++;
	return true;
}

static void add(struct copier *copier, const xengnttab_grant_copy_segment_t *segment, int *rc)
{
	if (copy_near(copier, segment))
		return;
	if (copier->count == COPIER_SEGMENTS)
		copier_run(copier);
	copier->wanted += kept_want(&copier->kept, gref_of(segment));
	copier->rc[copier->count] = rc;
	copier->segment[copier->count++] = *segment;
}

void copier_from_guest(struct copier *copier, void *local, uint32_t gref, uint16_t offset,
		       uint16_t length, int *rc)
{
	const xengnttab_grant_copy_segment_t segment = {
		.source.foreign = {.ref = gref, .offset = offset, .domid = copier->kept.domid},
		.dest.virt = local,
		.len = length,
		.flags = GNTCOPY_source_gref,
	};

	add(copier, &segment, rc);
}

void copier_to_guest(struct copier *copier, uint32_t gref, uint16_t offset, void *local,
		     uint16_t length, int *rc)
{
	const xengnttab_grant_copy_segment_t segment = {
		.source.virt = local,
		.dest.foreign = {.ref = gref, .offset = offset, .domid = copier->kept.domid},
		.len = length,
		.flags = GNTCOPY_dest_gref,
	};

	add(copier, &segment, rc);
}

/* Keep the pages that were wanted; what lies in them needs no call. */
static void keep(struct copier *copier)
{
	unsigned left = 0;

	kept_map(&copier->kept);
	for (unsigned n = 0; n < copier->count; n++) {
		if (copy_near(copier, &copier->segment[n]))
			continue;
		copier->segment[left] = copier->segment[n];
		copier->rc[left++] = copier->rc[n];
	}
	copier->count = left;
	copier->wanted = 0;
}

void copier_run(struct copier *copier)
{
	int whole = 0;

	if (copier->wanted)
		keep(copier);
	if (!copier->count)
		return;
	copier->calls++;
	copier->segments += copier->count;
	if (xengnttab_grant_copy(copier->kept.gnttab, copier->count, copier->segment))
		whole = errno ? -errno : -EIO;
	for (unsigned i = 0; i < copier->count; i++)
		if (whole || copier->segment[i].status != GNTST_okay)
			*copier->rc[i] = whole ? whole : -EFAULT;
	copier->count = 0;
}
