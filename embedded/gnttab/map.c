/* xengnttab_map_*, xengnttab_unmap: what Linux's gntdev and libxengnttab's linux.c do. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "embedded/gnttab/gnttab.h"

/** What to map: domid of the Nth page is domids[N * stride]. */
struct want {
	uint32_t count;
	const uint32_t *domids;
	uint32_t stride;
	const uint32_t *refs;
	int prot;
	uint32_t notify_offset;
	evtchn_port_t notify_port;
};

static uint32_t pin_frame(const void *arg, uint32_t n, int *memory)
{
	const struct gnt_map *map = arg;

	*memory = map->pin[n].domain->mapped.memory;
	return map->pin[n].frame;
}

static void pins_release(xengnttab_handle *xgt, struct gnt_map *map, uint32_t count)
{
	while (count)
		gnt_pin_release(xgt, &map->pin[--count]);
}

/* gntdev says -EINVAL of any reference that Xen does not map, and maps all or none. */
static int pins_take(xengnttab_handle *xgt, struct gnt_map *map, const struct want *want)
{
	for (uint32_t i = 0; i < want->count; i++) {
		int16_t status = gnt_pin_take(xgt, want->domids[(size_t)i * want->stride],
					      want->refs[i], want->prot & PROT_WRITE, &map->pin[i]);

		if (status) {
			pins_release(xgt, map, i);
			return status == GNTST_no_device_space ? -ENOSPC : -EINVAL;
		}
	}
	return 0;
}

static int notify_set(xengnttab_handle *xgt, struct gnt_map *map, const struct want *want)
{
	uint32_t size = map->count << FRAME_SHIFT, page = 0;

	if (want->notify_offset < size) {
		if (!(want->prot & PROT_WRITE))
			return -EINVAL;
		page = want->notify_offset >> FRAME_SHIFT;
	}
	return gnt_notify_set(xgt, map->pin[page].domain->mapped.serial, map->pin[page].frame,
			      want->notify_offset, want->notify_port, size, &map->notify);
}

static void *map_grants(xengnttab_handle *xgt, const struct want *want)
{
	struct gnt_map *map = NULL;
	int rc = -EINVAL;

	if (!want->count || want->count > MAPTRACK_SLOTS)
		goto out;
	rc = -ENOMEM;
	map = calloc(1, sizeof(*map) + want->count * sizeof(map->pin[0]));
	if (!map)
		goto out;
	map->count = want->count;
	rc = pins_take(xgt, map, want);
	if (rc)
		goto out;
	map->address = gnt_map_frames(map->count, want->prot, pin_frame, map);
	if (!map->address) {
		rc = -errno;
		goto pins;
	}
	rc = notify_set(xgt, map, want);
	if (rc)
		goto memory;
	pthread_mutex_lock(&xgt->lock);
	map->next = xgt->maps;
	xgt->maps = map;
	pthread_mutex_unlock(&xgt->lock);
	return map->address;

memory:
	munmap(map->address, (size_t)map->count << FRAME_SHIFT);
pins:
	pins_release(xgt, map, map->count);
out:
	free(map);
	gnt_log(xgt, -rc, "mapping grants failed");
	errno = -rc;
	return NULL;
}

void gnt_map_end(xengnttab_handle *xgt, struct gnt_map *map)
{
	gnt_notify_byte(&map->notify, map->address);
	munmap(map->address, (size_t)map->count << FRAME_SHIFT);
	pins_release(xgt, map, map->count);
	gnt_notify_event(xgt, &map->notify);
	free(map);
}

void *xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
	return xengnttab_map_grant_ref_notify(xgt, domid, ref, prot, UINT32_MAX, UINT32_MAX);
}

void *xengnttab_map_grant_ref_notify(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot,
				     uint32_t notify_offset, evtchn_port_t notify_port)
{
	const struct want want = {
		.count = 1,
		.domids = &domid,
		.refs = &ref,
		.prot = prot,
		.notify_offset = notify_offset,
		.notify_port = notify_port,
	};

	return map_grants(xgt, &want);
}

void *xengnttab_map_grant_refs(xengnttab_handle *xgt, uint32_t count, uint32_t *domids,
			       uint32_t *refs, int prot)
{
	const struct want want = {
		.count = count,
		.domids = domids,
		.stride = 1,
		.refs = refs,
		.prot = prot,
		.notify_offset = UINT32_MAX,
		.notify_port = UINT32_MAX,
	};

	return map_grants(xgt, &want);
}

void *xengnttab_map_domain_grant_refs(xengnttab_handle *xgt, uint32_t count, uint32_t domid,
				      uint32_t *refs, int prot)
{
	const struct want want = {
		.count = count,
		.domids = &domid,
		.refs = refs,
		.prot = prot,
		.notify_offset = UINT32_MAX,
		.notify_port = UINT32_MAX,
	};

	return map_grants(xgt, &want);
}

/* Only whole mappings: gntdev knows no parts of one. */
int xengnttab_unmap(xengnttab_handle *xgt, void *start_address, uint32_t count)
{
	struct gnt_map **at, *map;

	pthread_mutex_lock(&xgt->lock);
	for (at = &xgt->maps; (map = *at); at = &map->next)
		if (map->address == start_address && map->count == count)
			break;
	if (map)
		*at = map->next;
	pthread_mutex_unlock(&xgt->lock);
	if (!map) {
		errno = EINVAL;
		return -1;
	}
	gnt_map_end(xgt, map);
	return 0;
}
