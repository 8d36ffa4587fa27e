/* xengntshr_share_*, xengntshr_unshare: what Linux's gntalloc does. Granting costs no message. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "embedded/gnttab/gnttab.h"

struct frames {
	int memory;
	uint32_t number[];
};

static uint32_t frames_get(const void *arg, uint32_t n, int *memory)
{
	const struct frames *frames = arg;

	*memory = frames->memory;
	return frames->number[n];
}

/* Return: how many could be had. */
static uint32_t frames_take(xengntshr_handle *xgs, struct frames *frames, uint32_t count)
{
	uint32_t taken = 0;

	while (taken < count &&
	       (frames->number[taken] = grant_frame_take(xgs->own.table, xgs->user.session)))
		taken++;
	return taken;
}

static void frames_give(xengntshr_handle *xgs, const struct frames *frames, uint32_t count)
{
	while (count)
		grant_frame_give(xgs->own.table, frames->number[--count], xgs->user.session);
}

static uint32_t refs_take(xengntshr_handle *xgs, struct gnt_area *area, uint32_t count)
{
	uint32_t taken = 0;

	while (taken < count &&
	       (area->ref[taken] = grant_ref_take(xgs->own.table, xgs->user.session)))
		taken++;
	return taken;
}

/* A reference that was never allowed is free at once, and leaves the frames alone. */
static void refs_give(xengntshr_handle *xgs, const struct gnt_area *area, uint32_t count)
{
	while (count)
		(void)grant_end(xgs->own.table, area->ref[--count], xgs->user.session);
}

static int area_make(xengntshr_handle *xgs, struct gnt_area *area, struct frames *frames,
		     uint32_t notify_offset, evtchn_port_t notify_port)
{
	uint32_t got_frames, got_refs = 0, size = area->count << FRAME_SHIFT, page = 0;
	int rc = -ENOSPC;

	grant_reap(xgs->own.table, xgs->user.session);
	got_frames = frames_take(xgs, frames, area->count);
	if (got_frames < area->count)
		goto out;
	got_refs = refs_take(xgs, area, area->count);
	if (got_refs < area->count)
		goto out;
	area->address = gnt_map_frames(area->count, PROT_READ | PROT_WRITE, frames_get, frames);
	if (!area->address) {
		rc = -errno;
		goto out;
	}
	memset(area->address, 0, size);
	if (notify_offset < size)
		page = notify_offset >> FRAME_SHIFT;
	rc = gnt_notify_set(xgs, xgs->own.serial, frames->number[page], notify_offset, notify_port,
			    size, &area->notify);
	if (!rc)
		return 0;
	munmap(area->address, size);
out:
	refs_give(xgs, area, got_refs);
	frames_give(xgs, frames, got_frames);
	return rc;
}

static void *share(xengntshr_handle *xgs, uint32_t domid, uint32_t count, uint32_t *refs,
		   bool writable, uint32_t notify_offset, evtchn_port_t notify_port)
{
	struct gnt_area *area = calloc(1, sizeof(*area) + count * sizeof(area->ref[0]));
	struct frames *frames = calloc(1, sizeof(*frames) + count * sizeof(frames->number[0]));
	int rc = -ENOMEM;

	if (!area || !frames)
		goto out;
	frames->memory = xgs->own.memory;
	area->count = count;
	rc = area_make(xgs, area, frames, notify_offset, notify_port);
	if (rc)
		goto out;
	for (uint32_t i = 0; i < count; i++) {
		grant_allow(xgs->own.table, area->ref[i], (uint16_t)domid, frames->number[i],
			    !writable);
		refs[i] = area->ref[i];
	}
	pthread_mutex_lock(&xgs->lock);
	area->next = xgs->areas;
	xgs->areas = area;
	pthread_mutex_unlock(&xgs->lock);
	free(frames);
	return area->address;

out:
	free(area);
	free(frames);
	gnt_log(xgs, -rc, "sharing pages failed");
	errno = -rc;
	return NULL;
}

void *xengntshr_share_pages(xengntshr_handle *xgs, uint32_t domid, int count, uint32_t *refs,
			    int writable)
{
	if (count <= 0 || (uint32_t)count > SHARED_REFS || domid > UINT16_MAX) {
		errno = EINVAL;
		return NULL;
	}
	return share(xgs, domid, (uint32_t)count, refs, writable, UINT32_MAX, UINT32_MAX);
}

void *xengntshr_share_page_notify(xengntshr_handle *xgs, uint32_t domid, uint32_t *ref,
				  int writable, uint32_t notify_offset, evtchn_port_t notify_port)
{
	if (domid > UINT16_MAX) {
		errno = EINVAL;
		return NULL;
	}
	return share(xgs, domid, 1, ref, writable, notify_offset, notify_port);
}

void gnt_area_end(xengntshr_handle *xgs, struct gnt_area *area)
{
	gnt_notify_byte(&area->notify, area->address);
	munmap(area->address, (size_t)area->count << FRAME_SHIFT);
	for (uint32_t i = 0; i < area->count; i++)
		(void)grant_end(xgs->own.table, area->ref[i], xgs->user.session);
	gnt_notify_event(xgs, &area->notify);
	free(area);
}

int xengntshr_unshare(xengntshr_handle *xgs, void *start_address, uint32_t count)
{
	struct gnt_area **at, *area;

	pthread_mutex_lock(&xgs->lock);
	for (at = &xgs->areas; (area = *at); at = &area->next)
		if (area->address == start_address && area->count == count)
			break;
	if (area)
		*at = area->next;
	pthread_mutex_unlock(&xgs->lock);
	if (!area) {
		errno = EINVAL;
		return -1;
	}
	gnt_area_end(xgs, area);
	return 0;
}
