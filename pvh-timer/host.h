/*
 * host.h - all that the library needs from whatever runs it: one table.
 *
 * The library is freestanding C: of a C library it takes <stdint.h>, <stdbool.h>, <stddef.h>, the
 * numbers of <errno.h>, memcpy and memset. It keeps no global state, takes no lock and never waits
 * but for another vcpu that is inside one of its short critical sections.
 *
 * Contexts. What binds, closes, moves or resets event channels, and upgrade and suspend, belong to
 * one thread at a time: the host serialises them. Dispatching, masking, unmasking, sending and
 * reading clocks may happen on all vcpus at once; dispatching with interrupts off.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How many vcpus the library serves. */
#define PVH_VCPUS_MAX 128u

#define PVH_PAGE_SIZE 4096u

struct pvh_host;

struct pvh_cpuid_words {
	uint32_t eax, ebx, ecx, edx;
};

/** Where an emulated interrupt line goes, for line_open. */
struct pvh_line {
	bool pci;    /* else @gsi */
	uint8_t gsi; /* an ISA interrupt of the emulated controllers */
	uint8_t bus, devfn, intx;
};

struct pvh_ops {
	/* One hypercall by the instruction that hypercall_way_choose named. Xen's own negative
	 * numbers are those of <errno.h>. */
	long (*hypercall)(struct pvh_host *host, unsigned number, unsigned long a, unsigned long b,
			  unsigned long c, unsigned long d, unsigned long e);
	void (*cpuid)(struct pvh_host *host, uint32_t leaf, uint32_t subleaf,
		      struct pvh_cpuid_words *words);
	/* Not reordered with the loads before and after it. */
	uint64_t (*rdtsc)(struct pvh_host *host);
	/* Ports of 1, 2 and 4 bytes. */
	uint32_t (*port_in)(struct pvh_host *host, uint16_t port, unsigned bytes);
	void (*port_out)(struct pvh_host *host, uint16_t port, unsigned bytes, uint32_t value);

	/* A zeroed page of RAM, or NULL. */
	void *(*page_allocate)(struct pvh_host *host);
	void (*page_free)(struct pvh_host *host, void *page);
	/* The physical address of something in a page of page_allocate or in the library's state;
	 * one object never crosses a page when it is aligned to its size. */
	uint64_t (*physical)(struct pvh_host *host, const volatile void *pointer);
	/* A guest frame number that no RAM is at, mapped by the host, for Xen to put a page of its
	 * own at. The same @slot gives the same frame. NULL: there is none. */
	void *(*frame_unpopulated)(struct pvh_host *host, unsigned slot, uint64_t *gfn);

	/* Whose code this is; the numbers are Xen's. */
	unsigned (*vcpu)(struct pvh_host *host);
	/* Run @function on @vcpu with interrupts off and wait for it. 0, -ENXIO (it is not up). */
	int (*vcpu_run)(struct pvh_host *host, unsigned vcpu, void (*function)(void *arg),
			void *arg);

	/* Is the local APIC enabled? A per-vcpu upcall is lost while it is not. */
	bool (*lapic_enabled)(struct pvh_host *host);
	/* End of interrupt at the local APIC of this vcpu. */
	void (*lapic_eoi)(struct pvh_host *host);
	/* Make this vcpu take the upcall's vector again, at once or when interrupts are on. */
	void (*upcall_again)(struct pvh_host *host, uint8_t vector);
	/* Route an emulated line to vcpu 0 as @vector, level-triggered. 0, -ENODEV (no such
	 * controller or device). NULL line: give the last one up. */
	int (*line_open)(struct pvh_host *host, const struct pvh_line *line, uint8_t vector);
	/* End of interrupt at whatever controller that line comes through. */
	void (*line_eoi)(struct pvh_host *host);

	/* Nanoseconds of the host's own clock, which works without Xen; 0 before there is one. */
	uint64_t (*now)(struct pvh_host *host);
	void (*relax)(struct pvh_host *host);
};

/** Embedded in the host's own struct. */
struct pvh_host {
	const struct pvh_ops *ops;
};
