/*
 * wire.h - Xen's protocol headers, with what they expect from whoever includes them.
 *
 * Barriers order our stores to memory that the backend's processor reads (ring.h). A kernel
 * host defines its own before it includes this.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef xen_mb
#define xen_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#endif

#ifndef __XEN_INTERFACE_VERSION__
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#endif

#include <xen/io/blkif.h>
#include <xen/io/netif.h>
#include <xen/io/protocols.h>
#include <xen/io/ring.h>
#include <xen/io/xenbus.h>

/** A granted frame is 4096 bytes whatever the page size of either side. */
#define WIRE_PAGE_SIZE 4096u

/** blkif counts in units of 512 bytes whatever sector-size says (blkif.h since 2024). */
#define WIRE_SECTOR_SIZE 512u
