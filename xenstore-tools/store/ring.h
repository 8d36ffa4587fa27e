/*
 * ring.h - the shared page between a domain and the store (xs_wire.h, xenstore-ring.txt).
 *
 * The page belongs to the guest and changes while we read it: an index is read once, checked, then
 * used. Our own two indices are kept here and only published there, so a guest that
 * overwrites them harms nobody.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct hypervisor;
struct xenstore_domain_interface;

struct ring {
	struct xenstore_domain_interface *page;
	const struct hypervisor *hypervisor;
	uint16_t domid;
	bool is_ours;      /* mapped here, and so unmapped here */
	uint32_t port;     /* local; 0: none */
	uint32_t req_cons; /* the next byte to read */
	uint32_t rsp_prod; /* the next byte to write */
	bool notify;       /* something was taken or put that the guest has not been told of */
};

/**
 * ring_map - map a guest's page and bind its event channel; advertises RECONNECTION and ERROR.
 * @port: of the guest
 * @out:  to be freed with ring_free(); set on success only
 *
 * Return: 0, -ENOMEM, or why it can be neither mapped nor bound.
 */
int ring_map(const struct hypervisor *hypervisor, uint16_t domid, uint32_t port, struct ring **out);

/**
 * ring_attach - a ring on a page that somebody else mapped and whose port is bound: dom0's own.
 * It goes on at the indices in the page and writes nothing else.
 * Return: NULL when memory is short.
 */
struct ring *ring_attach(const struct hypervisor *hypervisor, uint16_t domid, void *page,
			 uint32_t port);

/** ring_free - unbind, unmap, free; NULL is allowed. */
void ring_free(struct ring *ring);

/** ring_rebind - bind another event channel of the guest. Return: 0 or a negative errno. */
int ring_rebind(struct ring *ring, uint32_t port);

/** ring_reset - empty both directions, and tell a guest that waits for it that it is connected. */
void ring_reset(struct ring *ring);

/** ring_wants_reset - has the guest asked to start afresh (RECONNECTION)? */
bool ring_wants_reset(const struct ring *ring);

/**
 * ring_read - take up to @size bytes of requests.
 * Return: how many (0: none there), or -EPROTO: the guest's index is impossible.
 */
int ring_read(struct ring *ring, char *out, size_t size);

/**
 * ring_write - put as much of the pieces as there is room for.
 * Return: bytes put (0: full), or -EPROTO.
 */
int ring_write(struct ring *ring, const struct iovec *vector, int count);

/** ring_flush - tell the guest if it has to know of something. */
void ring_flush(struct ring *ring);

/** ring_set_error - publish an XENSTORE_ERROR_... (not on dom0's ring) and tell the guest. */
void ring_set_error(struct ring *ring, uint32_t error);
