/*
 * internal.h - what the files of this folder share.
 */
#pragma once

#include <xentoollog.h>

#include "toolstack/late_xenguest.h"
#include "toolstack/xen/xen.h"

/* The library reports in several lines; the first is the one that knows. */
struct report {
	xentoollog_logger vtable;
	char text[256];
	void (*progress)(const char *doing, unsigned long done, unsigned long total, void *arg);
	void *progress_arg; /* with @progress, which may be NULL */
};

struct xen {
	xc_interface *xc;
	struct report report;
};

/** xen_fresh - before a call: forget what the library reported of an earlier one. */
void xen_fresh(struct xen *xen);

/** xen_scheduler_word - the name of a XEN_SCHEDULER_*. */
const char *xen_scheduler_word(int id);

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

void pvh_machine_free(struct pvh_machine *machine);

/** What an HVM domain's memory holds beside RAM; must live until the image is built. */
struct hvm_machine;

/**
 * hvm_machine_make - set the address space of an HVM guest: RAM, the hole for its devices, the
 * firmware that hvmloader puts in place, memory map.
 * Return: 0 with @machine for hvm_machine_free(), or -1 with errno.
 */
int hvm_machine_make(struct xc_dom_image *dom, const struct xen_image *image,
		     struct hvm_machine **machine);
void hvm_machine_free(struct hvm_machine *machine);

/**
 * hvm_table_fill - complete what hvmloader reads, hvm_info_table.h: after xc_dom_boot_image().
 * Return: 0, or -1 with errno.
 */
int hvm_table_fill(struct xc_dom_image *dom, const struct xen_image *image);
