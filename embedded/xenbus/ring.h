/*
 * ring.h - the guest's end of the two byte streams in its XenStore page.
 *
 * Layout and rules: xen/io/xs_wire.h, docs/misc/xenstore-ring.txt of Xen. Indices run free; whoever
 * moves one notifies the other side. The other side's index is read once and checked.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <xen/io/xs_wire.h>

/**
 * ring_write - append to the requests.
 * Return: how many bytes of @size found room, or -EPROTO (the indices make no sense).
 */
ssize_t ring_write(struct xenstore_domain_interface *page, const void *data, size_t size);

/**
 * ring_read - take from the responses.
 * Return: how many bytes of at most @size there were, or -EPROTO.
 */
ssize_t ring_read(struct xenstore_domain_interface *page, void *data, size_t size);
