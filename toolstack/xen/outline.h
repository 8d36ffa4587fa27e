/*
 * outline.h - which of Xen's calls the making of a domain comes to, without making one.
 */
#pragma once

#include <stddef.h>

#include "toolstack/xen/xen.h"

/** One call, and the arguments that a reader wants to see. */
struct xen_step {
	const char *call;
	char what[96];
};

#define XEN_STEPS_MAX 48

/**
 * xen_outline - the calls of xen_domain_create(), xen_port_alloc() and xen_domain_build(), and the
 * last one that lets the domain run, in their order. Asks Xen nothing.
 * @step: filled; the strings are static
 *
 * Return: how many.
 */
size_t xen_outline(const struct xen_limits *limits, const struct xen_image *image,
		   struct xen_step step[XEN_STEPS_MAX]);
