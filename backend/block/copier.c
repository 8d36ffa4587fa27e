#include "backend/block/copier.h"

#include <errno.h>

void copier_init(struct copier *copier, xengnttab_handle *gnttab, uint16_t domid)
{
	copier->gnttab = gnttab;
	copier->domid = domid;
	copier->count = 0;
	copier->calls = copier->segments = 0;
}

static xengnttab_grant_copy_segment_t *add(struct copier *copier, uint16_t length, int *rc)
{
	xengnttab_grant_copy_segment_t *segment;

	if (copier->count == COPIER_SEGMENTS)
		copier_run(copier);
	copier->rc[copier->count] = rc;
	segment = &copier->segment[copier->count++];
	segment->len = length;
	segment->status = 0;
	return segment;
}

void copier_from_guest(struct copier *copier, void *local, uint32_t gref, uint16_t offset,
		       uint16_t length, int *rc)
{
	xengnttab_grant_copy_segment_t *segment = add(copier, length, rc);

	segment->flags = GNTCOPY_source_gref;
	segment->source.foreign.ref = gref;
	segment->source.foreign.offset = offset;
	segment->source.foreign.domid = copier->domid;
	segment->dest.virt = local;
}

void copier_to_guest(struct copier *copier, uint32_t gref, uint16_t offset, void *local,
		     uint16_t length, int *rc)
{
	xengnttab_grant_copy_segment_t *segment = add(copier, length, rc);

	segment->flags = GNTCOPY_dest_gref;
	segment->source.virt = local;
	segment->dest.foreign.ref = gref;
	segment->dest.foreign.offset = offset;
	segment->dest.foreign.domid = copier->domid;
}

void copier_run(struct copier *copier)
{
	int whole = 0;

	if (!copier->count)
		return;
	copier->calls++;
	copier->segments += copier->count;
	if (xengnttab_grant_copy(copier->gnttab, copier->count, copier->segment))
		whole = errno ? -errno : -EIO;
	for (unsigned i = 0; i < copier->count; i++)
		if (whole || copier->segment[i].status != GNTST_okay)
			*copier->rc[i] = whole ? whole : -EFAULT;
	copier->count = 0;
}
