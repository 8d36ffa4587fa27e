/* Mapping frames, by the names that libxenforeignmemory's functions had before (xenctrl_compat.h).
 */
#define XC_WANT_COMPAT_MAP_FOREIGN_API 1
#include "embedded/ctrl/interface.h"

#include <errno.h>
#include <stdlib.h>

#include "embedded/memory/map.h"

void *xc_map_foreign_pages(xc_interface *xch, uint32_t dom, int prot, const xen_pfn_t *arr, int num)
{
	struct client *client = interface_client(xch);

	if (!client)
		return NULL;
	return map_frames(client, dom, NULL, prot, 0, (size_t)num, arr, NULL);
}

void *xc_map_foreign_bulk(xc_interface *xch, uint32_t dom, int prot, const xen_pfn_t *arr, int *err,
			  unsigned int num)
{
	struct client *client = interface_client(xch);

	if (!client)
		return NULL;
	return map_frames(client, dom, NULL, prot, 0, num, arr, err);
}

void *xc_map_foreign_range(xc_interface *xch, uint32_t dom, int size, int prot, unsigned long mfn)
{
	int count = (size + XC_PAGE_SIZE - 1) >> XC_PAGE_SHIFT;
	xen_pfn_t *frames;
	void *mapping;

	if (count <= 0) {
		errno = EINVAL;
		return NULL;
	}
	frames = calloc((size_t)count, sizeof(*frames));
	if (!frames)
		return NULL;
	for (int i = 0; i < count; i++)
		frames[i] = mfn + (unsigned int)i;
	mapping = xc_map_foreign_pages(xch, dom, prot, frames, count);
	free(frames);
	return mapping;
}
