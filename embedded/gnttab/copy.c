/* xengnttab_grant_copy: what Linux's gntdev and Xen's GNTTABOP_copy do. No message. */
#include <errno.h>
#include <string.h>

#include "embedded/gnttab/gnttab.h"

/* What gntdev refuses before it looks at any reference. */
static bool segment_valid(const xengnttab_grant_copy_segment_t *segment)
{
	if (!(segment->flags & (GNTCOPY_source_gref | GNTCOPY_dest_gref)))
		return false;
	if (segment->flags & GNTCOPY_source_gref &&
	    segment->source.foreign.offset + segment->len > FRAME_SIZE)
		return false;
	return !(segment->flags & GNTCOPY_dest_gref) ||
	       segment->dest.foreign.offset + segment->len <= FRAME_SIZE;
}

/* Pin a side that is foreign; a local one is where it is. */
static int16_t side_open(xengnttab_handle *xgt, const union xengnttab_copy_ptr *side, bool foreign,
			 bool write, struct gnt_pin *pin, char **address)
{
	int16_t status;

	pin->domain = NULL;
	*address = side->virt;
	if (!foreign)
		return GNTST_okay;
	status = gnt_pin_take(xgt, side->foreign.domid, side->foreign.ref, write, pin);
	if (status) {
		pin->domain = NULL;
		return status;
	}
	*address = gnt_pin_memory(xgt, pin);
	if (!*address)
		return GNTST_no_device_space;
	*address += side->foreign.offset;
	return GNTST_okay;
}

static int16_t segment_copy(xengnttab_handle *xgt, const xengnttab_grant_copy_segment_t *segment)
{
	struct gnt_pin from = {.domain = NULL}, to = {.domain = NULL};
	char *source, *dest;
	int16_t status;

	status = side_open(xgt, &segment->source, segment->flags & GNTCOPY_source_gref, false,
			   &from, &source);
	if (!status)
		status = side_open(xgt, &segment->dest, segment->flags & GNTCOPY_dest_gref, true,
				   &to, &dest);
	if (!status)
		memmove(dest, source, segment->len);
	if (to.domain)
		gnt_pin_release(xgt, &to);
	if (from.domain)
		gnt_pin_release(xgt, &from);
	return status;
}

int xengnttab_grant_copy(xengnttab_handle *xgt, uint32_t count,
			 xengnttab_grant_copy_segment_t *segs)
{
	for (uint32_t i = 0; i < count; i++)
		if (!segment_valid(&segs[i])) {
			gnt_log(xgt, EINVAL, "a segment to copy crosses its page, or is local");
			errno = EINVAL;
			return -1;
		}
	for (uint32_t i = 0; i < count; i++)
		segs[i].status = segs[i].len ? segment_copy(xgt, &segs[i]) : GNTST_okay;
	return 0;
}
