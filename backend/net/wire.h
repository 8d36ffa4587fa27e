/*
 * wire.h - Xen's network protocol, with the barriers that its ring macros leave to the reader.
 *
 * The other domain is another process or processor: a fence orders what it sees (xen/io/ring.h).
 */
#pragma once

#include <xen/grant_table.h>
#include <xen/io/netif.h>

#undef xen_mb
#undef xen_rmb
#undef xen_wmb
#define xen_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

/** Bytes of a granted page, whatever the size of our own. */
#define XEN_PAGE 4096u

/** The shortest packet: an Ethernet header. */
#define NET_PACKET_MIN 14u
