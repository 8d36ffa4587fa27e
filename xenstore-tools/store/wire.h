/*
 * wire.h - messages as they travel (xen/io/xs_wire.h): words for errors, strings out of payloads.
 */
#pragma once

#include <errno.h> /* xs_wire.h has its words for errors only after it */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <xen/io/xs_wire.h>

/** One request, in the buffer it came in; nothing in it is trusted yet. */
struct request {
	struct xsd_sockmsg header; /* a copy; header.len is at most XENSTORE_PAYLOAD_MAX */
	const char *body;          /* header.len bytes */
};

/** wire_error - the word for a negative errno; what has none is "EINVAL", as in C. */
const char *wire_error(int rc);

/**
 * wire_strings - the first @max strings of the body.
 * Return: how many of them are there, each with its NUL.
 */
size_t wire_strings(const struct request *request, const char *string[], size_t max);

/** wire_string - the body when it is one string with one NUL at its end, else NULL. */
const char *wire_string(const struct request *request);
