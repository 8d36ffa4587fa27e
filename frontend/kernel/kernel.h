/*
 * kernel.h - the one state of the guest kernel, and what all its parts need.
 */
#pragma once

#include <errno.h>

#include "frontend/kernel/apic.h"
#include "frontend/kernel/clocks.h"
#include "frontend/kernel/console.h"
#include "frontend/kernel/cpu.h"
#include "frontend/kernel/interrupts.h"
#include "frontend/kernel/memory.h"
#include "frontend/kernel/print.h"
#include "frontend/kernel/smp.h"
#include "frontend/kernel/string.h"
#include "pvh-timer/hypercall.h"
#include "pvh-timer/pvh.h"

/** Frames without RAM: what is put at which. */
#define FRAME_SHARED 0u
#define FRAME_GRANTS 8u

#define COMMAND_LINE_SIZE 512u

struct kernel {
	struct pvh_host host; /* of pvh-timer */
	struct pvh pvh;
	enum hypercall_way way;
	struct cpuid_xen xen;
	unsigned vcpus;
	bool x2apic;
	bool hvm;    /* with emulated devices, not PVH */
	bool bios;   /* came through a BIOS */
	bool dom0;   /* no toolstack: no store, no console ring */
	bool by_pic; /* the next line to be opened goes through the 8259s */
	struct {
		bool open, by_pic, came_by_pic;
		uint8_t gsi;
	} line;
	uint64_t stray_interrupts;
	uint64_t sleeps_skipped; /* interrupted between sti and hlt, which cannot be */
	uint64_t hypercalls,
		apic_accesses; /* for the measurements: about right with several vcpus */
	char command_line[COMMAND_LINE_SIZE];
};

extern struct kernel kernel;

/** kernel_option - is @name, or "@name=...", a word of the command line? Return: what follows, or
 * "". */
const char *kernel_option(const char *name);

/** kernel_shutdown - end the domain for a SHUTDOWN_* reason. Does not return. */
void kernel_shutdown(unsigned reason) __attribute__((noreturn));

/** kernel_panic - say so on all consoles and crash the domain. */
void kernel_panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/** guest_start - fill kernel.host; guest_find - look for Xen and choose how to call it. */
void guest_start(void);
int guest_find(void);
