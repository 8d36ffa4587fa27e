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

static xengnttab_grant_copy_segment_t *add(struct copier *copier, uint32_t gref, uint16_t length,
					   int *rc)
{
	xengnttab_grant_copy_segment_t *segment;

	if (copier->count == COPIER_SEGMENTS)
		copier_run(copier);
	copier->wanted += kept_want(&copier->kept, gref);
	copier->rc[copier->count] = rc;
	segment = &copier->segment[copier->count++];
	segment->len = length;
	segment->status = 0;
	return segment;
}

void copier_from_guest(struct copier *copier, void *local, uint32_t gref, uint16_t offset,
		       uint16_t length, int *rc)
{
	const uint8_t *page = kept_find(&copier->kept, gref);
	xengnttab_grant_copy_segment_t *segment;

	if (page) {
		memcpy(local, page + offset, length);
		copier->near++;
		return;
	}
	segment = add(copier, gref, length, rc);
	segment->flags = GNTCOPY_source_gref;
	segment->source.foreign.ref = gref;
	segment->source.foreign.offset = offset;
	segment->source.foreign.domid = copier->kept.domid;
	segment->dest.virt = local;
}

void copier_to_guest(struct copier *copier, uint32_t gref, uint16_t offset, void *local,
		     uint16_t length, int *rc)
{
	uint8_t *page = kept_find(&copier->kept, gref);
	xengnttab_grant_copy_segment_t *segment;

	if (page) {
		memcpy(page + offset, local, length);
		copier->near++;
		return;
	}
	segment = add(copier, gref, length, rc);
	segment->flags = GNTCOPY_dest_gref;
	segment->source.virt = local;
	segment->dest.foreign.ref = gref;
	segment->dest.foreign.offset = offset;
	segment->dest.foreign.domid = copier->kept.domid;
}

/* Is its page kept by now? Then it is copied. */
static bool copy_near(struct copier *copier, const xengnttab_grant_copy_segment_t *segment)
{
	bool to_guest = segment->flags == GNTCOPY_dest_gref;
	uint8_t *page = kept_find(&copier->kept, to_guest ? segment->dest.foreign.ref
							  : segment->source.foreign.ref);

	if (!page)
		return false;
	if (to_guest)
		memcpy(page + segment->dest.foreign.offset, segment->source.virt, segment->len);
	else
		memcpy(segment->dest.virt, page + segment->source.foreign.offset, segment->len);
	copier->near++;
	return true;
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
