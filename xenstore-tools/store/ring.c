#include "xenstore-tools/store/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xs_wire.h>

#include "xenstore-tools/store/hypervisor.h"

#define FEATURES (XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR)

/* One access to a word that the guest may change at any time. */
#define read_once(word)         (*(const volatile uint32_t *)&(word))
#define write_once(word, value) (*(volatile uint32_t *)&(word) = (value))

struct ring *ring_attach(const struct hypervisor *hypervisor, uint16_t domid, void *page,
			 uint32_t port)
{
	struct ring *ring = malloc(sizeof(*ring));

	if (!ring)
		return NULL;
	*ring = (struct ring){
		.page = (struct xenstore_domain_interface *)page,
		.hypervisor = hypervisor,
		.domid = domid,
		.port = port,
	};
	ring->req_cons = read_once(ring->page->req_cons);
	ring->rsp_prod = read_once(ring->page->rsp_prod);
	return ring;
}

int ring_map(const struct hypervisor *hypervisor, uint16_t domid, uint32_t port, struct ring **out)
{
	struct ring *ring;
	void *page;
	int rc;

	page = hypervisor->map(hypervisor->state, domid);
	if (!page)
		return errno ? -errno : -EINVAL;
	rc = hypervisor->bind(hypervisor->state, domid, port);
	if (rc < 0)
		goto unmap;
	ring = ring_attach(hypervisor, domid, page, rc);
	if (!ring) {
		hypervisor->unbind(hypervisor->state, rc);
		rc = -ENOMEM;
		goto unmap;
	}
	ring->is_ours = true;
	write_once(ring->page->server_features, FEATURES);
	*out = ring;
	return 0;

unmap:
	hypervisor->unmap(hypervisor->state, domid, page);
	return rc;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	if (ring->port)
		ring->hypervisor->unbind(ring->hypervisor->state, ring->port);
	if (ring->is_ours)
		ring->hypervisor->unmap(ring->hypervisor->state, ring->domid, ring->page);
	free(ring);
}

int ring_rebind(struct ring *ring, uint32_t port)
{
	int rc;

	if (ring->port)
		ring->hypervisor->unbind(ring->hypervisor->state, ring->port);
	ring->port = 0;
	rc = ring->hypervisor->bind(ring->hypervisor->state, ring->domid, port);
	if (rc < 0)
		return rc;
	ring->port = rc;
	return 0;
}

void ring_reset(struct ring *ring)
{
	struct xenstore_domain_interface *page = ring->page;

	ring->req_cons = 0;
	ring->rsp_prod = 0;
	write_once(page->req_cons, 0);
	write_once(page->req_prod, 0);
	write_once(page->rsp_cons, 0);
	write_once(page->rsp_prod, 0);
	write_once(page->error, XENSTORE_ERROR_NONE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (read_once(page->connection) == XENSTORE_RECONNECT) {
		write_once(page->connection, XENSTORE_CONNECTED);
		ring->notify = true;
	}
}

bool ring_wants_reset(const struct ring *ring)
{
	return ring->is_ours && read_once(ring->page->connection) == XENSTORE_RECONNECT;
}

int ring_read(struct ring *ring, char *out, size_t size)
{
	uint32_t there = read_once(ring->page->req_prod) - ring->req_cons, at, first;

	if (there > XENSTORE_RING_SIZE)
		return -EPROTO;
	/* The bytes were written before the index that announced them. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (there > size)
		there = size;
	if (!there)
		return 0;

	at = MASK_XENSTORE_IDX(ring->req_cons);
	first = XENSTORE_RING_SIZE - at;
	if (first > there)
		first = there;
	memcpy(out, ring->page->req + at, first);
	memcpy(out + first, ring->page->req, there - first);

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ring->req_cons += there;
	write_once(ring->page->req_cons, ring->req_cons);
	ring->notify = true;
	return (int)there;
}

static void put(struct ring *ring, const char *bytes, uint32_t size)
{
	uint32_t at = MASK_XENSTORE_IDX(ring->rsp_prod), first = XENSTORE_RING_SIZE - at;

	if (first > size)
		first = size;
	memcpy(ring->page->rsp + at, bytes, first);
	memcpy(ring->page->rsp, bytes + first, size - first);
	ring->rsp_prod += size;
}

int ring_write(struct ring *ring, const struct iovec *vector, int count)
{
	uint32_t waiting = ring->rsp_prod - read_once(ring->page->rsp_cons), room;
	int done = 0;

	if (waiting > XENSTORE_RING_SIZE)
		return -EPROTO;
	/* The guest has read what it released before we overwrite it. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	room = XENSTORE_RING_SIZE - waiting;
	for (int i = 0; i < count && room; i++) {
		uint32_t size = vector[i].iov_len < room ? vector[i].iov_len : room;

		put(ring, (const char *)vector[i].iov_base, size);
		room -= size;
		done += (int)size;
	}
	if (!done)
		return 0;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	write_once(ring->page->rsp_prod, ring->rsp_prod);
	ring->notify = true;
	return done;
}

void ring_flush(struct ring *ring)
{
	if (!ring->notify || !ring->port)
		return;
	ring->notify = false;
	ring->hypervisor->notify(ring->hypervisor->state, ring->port);
}

void ring_set_error(struct ring *ring, uint32_t error)
{
	if (!ring->is_ours)
		return;
	write_once(ring->page->error, error);
	ring->notify = true;
	ring_flush(ring);
}
