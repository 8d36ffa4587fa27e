/*
 * late_xenguest.h - libxenguest: see late.h.
 */
#pragma once

#include <xenctrl.h>
#include <xenguest.h>

#include "toolstack/late.h"

#define xc_cpuid_apply_policy   LATE(LATE_XENGUEST, xc_cpuid_apply_policy)
#define xc_dom_allocate         LATE(LATE_XENGUEST, xc_dom_allocate)
#define xc_dom_boot_image       LATE(LATE_XENGUEST, xc_dom_boot_image)
#define xc_dom_boot_mem_init    LATE(LATE_XENGUEST, xc_dom_boot_mem_init)
#define xc_dom_boot_xen_init    LATE(LATE_XENGUEST, xc_dom_boot_xen_init)
#define xc_dom_build_image      LATE(LATE_XENGUEST, xc_dom_build_image)
#define xc_dom_gnttab_init      LATE(LATE_XENGUEST, xc_dom_gnttab_init)
#define xc_dom_kernel_file      LATE(LATE_XENGUEST, xc_dom_kernel_file)
#define xc_dom_loginit          LATE(LATE_XENGUEST, xc_dom_loginit)
#define xc_dom_mem_init         LATE(LATE_XENGUEST, xc_dom_mem_init)
#define xc_dom_module_file      LATE(LATE_XENGUEST, xc_dom_module_file)
#define xc_dom_parse_image      LATE(LATE_XENGUEST, xc_dom_parse_image)
#define xc_dom_release          LATE(LATE_XENGUEST, xc_dom_release)
#define xc_domain_restore       LATE(LATE_XENGUEST, xc_domain_restore)
#define xc_domain_resume        LATE(LATE_XENGUEST, xc_domain_resume)
#define xc_domain_save          LATE(LATE_XENGUEST, xc_domain_save)
#define xc_map_domain_meminfo   LATE(LATE_XENGUEST, xc_map_domain_meminfo)
#define xc_unmap_domain_meminfo LATE(LATE_XENGUEST, xc_unmap_domain_meminfo)
