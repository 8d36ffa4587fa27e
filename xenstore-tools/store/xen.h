/*
 * xen.h - the real hypervisor, through libxenctrl, libxenevtchn and libxengnttab.
 *
 * The only place in the store that uses libxenctrl, which is locked to one version of Xen.
 */
#pragma once

#include <stdint.h>

#include "xenstore-tools/store/hypervisor.h"

struct xen;

/**
 * xen_open - open what a store needs: grants, event channels, control, and VIRQ_DOM_EXC.
 * @out: set on success only; ended with xen_close()
 * @what: set on failure: which interface it was, a static word
 *
 * Return: 0 or a negative errno.
 */
int xen_open(struct xen **out, const char **what);

/** xen_close - close all; NULL is allowed. */
void xen_close(struct xen *xen);

/** xen_hypervisor - the table for the store; lives as long as @xen. */
const struct hypervisor *xen_hypervisor(const struct xen *xen);

/** xen_fd - readable when xen_pending() has something. */
int xen_fd(const struct xen *xen);

/**
 * xen_pending - the local port of one event, which is unmasked again.
 * Return: 0, -EAGAIN (none), or another negative errno.
 */
int xen_pending(struct xen *xen, uint32_t *port);

/** xen_virq_port - the port that tells that some domain ended. */
uint32_t xen_virq_port(const struct xen *xen);

/**
 * xen_dom0_ring - map dom0's own ring and bind its event channel (/proc/xen/xsd_kva, xsd_port).
 * @page, @port: set on success only; unmapped when the process ends
 *
 * Return: 0, -ENOENT (there is none), or another negative errno.
 */
int xen_dom0_ring(struct xen *xen, void **page, uint32_t *port);
