#include "embedded/xenbus/ring.h"

#include <errno.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

ssize_t ring_write(struct xenstore_domain_interface *page, const void *data, size_t size)
{
	XENSTORE_RING_IDX prod = page->req_prod;
	XENSTORE_RING_IDX used = prod - __atomic_load_n(&page->req_cons, __ATOMIC_ACQUIRE);
	size_t offset = MASK_XENSTORE_IDX(prod), first;

	if (used > XENSTORE_RING_SIZE)
		return -EPROTO;
	size = least(size, XENSTORE_RING_SIZE - used);
	first = least(size, XENSTORE_RING_SIZE - offset);
	memcpy(page->req + offset, data, first);
	memcpy(page->req, (const char *)data + first, size - first);
	__atomic_store_n(&page->req_prod, prod + (XENSTORE_RING_IDX)size, __ATOMIC_RELEASE);
	return (ssize_t)size;
}

ssize_t ring_read(struct xenstore_domain_interface *page, void *data, size_t size)
{
	XENSTORE_RING_IDX cons = page->rsp_cons;
	XENSTORE_RING_IDX filled = __atomic_load_n(&page->rsp_prod, __ATOMIC_ACQUIRE) - cons;
	size_t offset = MASK_XENSTORE_IDX(cons), first;

	if (filled > XENSTORE_RING_SIZE)
		return -EPROTO;
	size = least(size, filled);
	first = least(size, XENSTORE_RING_SIZE - offset);
	memcpy(data, page->rsp + offset, first);
	memcpy((char *)data + first, page->rsp, size - first);
	__atomic_store_n(&page->rsp_cons, cons + (XENSTORE_RING_IDX)size, __ATOMIC_RELEASE);
	return (ssize_t)size;
}
