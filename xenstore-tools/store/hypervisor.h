/*
 * hypervisor.h - what the store asks of Xen: rings, event channels and which domains live.
 *
 * The one place that knows libxenctrl, which is locked to one version of Xen, is xen.c;
 * tests bring a table of their own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hypervisor_domain {
	uint16_t domid;
	bool shutdown; /* or crashed */
	bool dying;
};

/** Functions return 0 or more, or a negative errno. */
struct hypervisor {
	void *state; /* handed to each function */

	/** The XenStore ring page of a guest (grant reference 1), or NULL with errno set. */
	void *(*map)(void *state, uint16_t domid);
	void (*unmap)(void *state, uint16_t domid, void *page);

	/** A local port bound to @port of @domid. */
	int (*bind)(void *state, uint16_t domid, uint32_t port);
	void (*unbind)(void *state, uint32_t port);
	void (*notify)(void *state, uint32_t port);

	/** Up to @max domains from @first on, ascending; how many there are. */
	int (*domains)(void *state, uint16_t first, struct hypervisor_domain *domain, size_t max);
};
