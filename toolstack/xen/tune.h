/*
 * tune.h - what a domain is allowed beyond what it needs to be, and what is done to one that runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolstack/fault.h"

struct xen;

/** xen_memory_limit - the most memory a domain may have; libxl's constant for Xen comes on top. */
int xen_memory_limit(struct xen *xen, uint16_t domid, uint64_t kib, struct fault *fault);

/** xen_memory_target - of a PVH or HVM domain: how much of it is to be populated. */
int xen_memory_target(struct xen *xen, uint16_t domid, uint64_t kib, struct fault *fault);

/** xen_clock_offset - what its clock is ahead of UTC. */
int xen_clock_offset(struct xen *xen, uint16_t domid, int32_t seconds, struct fault *fault);

/** Let a domain use ports, frames of memory, an interrupt of the host. */
int xen_ioports_allow(struct xen *xen, uint16_t domid, uint32_t first, uint32_t count,
		      struct fault *fault);
int xen_iomem_allow(struct xen *xen, uint16_t domid, uint64_t frame, uint64_t count,
		    struct fault *fault);
int xen_iomem_map(struct xen *xen, uint16_t domid, uint64_t guest_frame, uint64_t frame,
		  uint64_t count, struct fault *fault);
int xen_irq_allow(struct xen *xen, uint16_t domid, uint32_t irq, struct fault *fault);

enum xen_trigger {
	XEN_TRIGGER_NMI,
	XEN_TRIGGER_RESET,
	XEN_TRIGGER_INIT,
	XEN_TRIGGER_POWER,
	XEN_TRIGGER_SLEEP,
	XEN_TRIGGER_S3RESUME
};

/** xen_trigger - as if the machine's button was pressed, or its line pulled. */
int xen_trigger(struct xen *xen, uint16_t domid, enum xen_trigger trigger, unsigned vcpu,
		struct fault *fault);

/** xen_is_pv - is it a PV domain? Return: 1, 0, or a negative errno. */
int xen_is_pv(struct xen *xen, uint16_t domid, struct fault *fault);

/** xen_has_callback - has an hvm domain drivers that Xen can call (HVM_PARAM_CALLBACK_IRQ)? */
bool xen_has_callback(struct xen *xen, uint16_t domid, struct fault *fault);
