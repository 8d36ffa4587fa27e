/*
 * reset.h - a domain keeps its memory and its processors' states, and loses all else.
 */
#pragma once

#include "toolstack/xen/xen.h"

/**
 * xen_domain_soft_reset - close all event channels of an HVM or PVH domain that shut down, forget
 * where it had its shared pages, and end its shutdown (XEN_DOMCTL_soft_reset): pause it before.
 */
int xen_domain_soft_reset(struct xen *xen, uint16_t domid, struct fault *fault);

/**
 * xen_domain_ports_set - tell an HVM or PVH domain which ports the XenStore and the console have.
 * @built: set to where their pages are
 */
int xen_domain_ports_set(struct xen *xen, uint16_t domid, uint32_t xenstore_port,
			 uint32_t console_port, struct xen_built *built, struct fault *fault);
