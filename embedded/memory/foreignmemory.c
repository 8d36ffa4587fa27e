/* libxenforeignmemory: xenforeignmemory.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xenforeignmemory.h>
#include <xentoollog.h>

#include "embedded/memory/map.h"

struct xenforeignmemory_handle {
	struct client client;
};

xenforeignmemory_handle *xenforeignmemory_open(xentoollog_logger *logger, unsigned open_flags)
{
	xenforeignmemory_handle *fmem = calloc(1, sizeof(*fmem));
	int rc;

	if (!fmem)
		return NULL;
	rc = client_open(&fmem->client);
	if (!rc)
		return fmem;
	free(fmem);
	errno = -rc;
	return NULL;
}

int xenforeignmemory_close(xenforeignmemory_handle *fmem)
{
	if (fmem)
		client_close(&fmem->client);
	free(fmem);
	return 0;
}

/* In the header's words: without @err the call fails whole, and with it each frame by itself. */
void *xenforeignmemory_map2(xenforeignmemory_handle *fmem, uint32_t dom, void *addr, int prot,
			    int flags, size_t pages, const xen_pfn_t arr[], int err[])
{
	return map_frames(&fmem->client, dom, addr, prot, flags, pages, arr, err);
}

void *xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t dom, int prot, size_t pages,
			   const xen_pfn_t arr[], int err[])
{
	return map_frames(&fmem->client, dom, NULL, prot, 0, pages, arr, err);
}

int xenforeignmemory_unmap(xenforeignmemory_handle *fmem, void *addr, size_t pages)
{
	return munmap(addr, pages << FRAME_SHIFT);
}
