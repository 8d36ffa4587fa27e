/*
 * clocks.h - the emulated machine's clocks: the local APIC's timer and the TSC measured against the
 * 8254, the HPET.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct clocks {
	uint64_t tsc_khz;
	uint64_t tsc_mul;     /* ns a tick, times 2^32 */
	uint64_t apic_khz;    /* of the local APIC's timer */
	uint64_t hpet_period; /* femtoseconds a tick; 0: there is none */
	bool pit;             /* there is an 8254 */
};

extern struct clocks clocks;

/** clocks_start - find them out. @khz: the TSC's when Xen tells it, or 0. */
void clocks_start(uint32_t khz);

/** clocks_ns - nanoseconds of the TSC, which works without Xen. */
uint64_t clocks_ns(void);

/** clocks_hpet - its counter. */
uint64_t clocks_hpet(void);

/** clocks_pit_arm - one interrupt on line 0 after @ticks of 838 ns. */
void clocks_pit_arm(uint16_t ticks);

/** clocks_spin - wait without sleeping. */
void clocks_spin(uint64_t ns);
