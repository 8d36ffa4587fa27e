/*
 * xen.h - Xen's public headers, and what newer Xens have and those of our build may not.
 */
#pragma once

#include <stdint.h>

#ifndef __XEN_INTERFACE_VERSION__
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#endif

#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/xen.h>

/* Areas by guest physical address, Xen 4.18. */
#ifndef VCPUOP_register_runstate_phys_area
#define VCPUOP_register_runstate_phys_area  14
#define VCPUOP_register_vcpu_time_phys_area 15
#endif
#ifndef XENFEAT_runstate_phys_area
#define XENFEAT_runstate_phys_area  18
#define XENFEAT_vcpu_time_phys_area 19
#endif

/** The address that takes an area back. */
#define XEN_AREA_NONE UINT64_MAX

_Static_assert(sizeof(struct vcpu_info) == 64, "vcpu_info is one slot of the shared page");
_Static_assert(sizeof(struct vcpu_time_info) == 32, "time areas never cross a page");
_Static_assert(sizeof(struct vcpu_runstate_info) == 48, "the 64-bit layout");
_Static_assert(sizeof(struct evtchn_init_control) == 24, "the 64-bit layout");
