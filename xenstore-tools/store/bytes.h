/*
 * bytes.h - immutable bytes with a reference count: the value of a node, a list of names.
 *
 * Two references to the same bytes mean that nobody wrote in between: transactions compare
 * the pointers. So every write makes new bytes, even for the same content.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint32_t refs;
	uint32_t size;
	char data[];
};

/**
 * bytes_new - @size bytes, copied from @data; with @data NULL they are the caller's to fill
 * before anybody else sees them.
 * Return: one reference, or NULL when memory is short.
 */
struct bytes *bytes_new(const void *data, size_t size);

/** bytes_get - one more reference; NULL stays NULL. */
struct bytes *bytes_get(struct bytes *bytes);

/** bytes_put - give one reference back; NULL is allowed. */
void bytes_put(struct bytes *bytes);
