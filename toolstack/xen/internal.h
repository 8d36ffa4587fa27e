/*
 * internal.h - what the files of this folder share.
 */
#pragma once

#include <xenctrl.h>
#include <xenguest.h>
#include <xentoollog.h>

#include "toolstack/xen/xen.h"

/* The library reports in several lines; the first is the one that knows. */
struct report {
	xentoollog_logger vtable;
	char text[256];
};

struct xen {
	xc_interface *xc;
	struct report report;
};

/** xen_fresh - before a call: forget what the library reported of an earlier one. */
void xen_fresh(struct xen *xen);

/** xen_failed - after a call that failed, errno being its own. Return: -errno. */
int xen_failed(struct xen *xen, struct fault *fault, uint16_t domid, const char *call);

/** What a PVH domain's memory holds beside RAM; must live until the image is built. */
struct pvh_machine;

/**
 * pvh_machine_make - set the address space of a PVH guest: RAM, ACPI tables, memory map.
 * @dom: gets the layout and pointers into the result
 * Return: for pvh_machine_free(), or NULL without memory.
 */
struct pvh_machine *pvh_machine_make(struct xc_dom_image *dom, const struct xen_image *image);

/**
 * pvh_machine_announce - tell Xen the memory map; between xc_dom_boot_mem_init() and
 * xc_dom_build_image(). Return: 0, or -1 with errno.
 */
int pvh_machine_announce(struct pvh_machine *machine, struct xc_dom_image *dom);

void pvh_machine_free(struct pvh_machine *machine);
