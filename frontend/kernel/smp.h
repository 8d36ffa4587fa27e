/*
 * smp.h - the vcpus: started, asked to run something, parked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SMP_VCPUS_MAX 8u

/** Where other vcpus begin, in real mode. */
#define SMP_TRAMPOLINE 0x8000u

struct smp_vcpu {
	unsigned vcpu; /* first: read through GS */
	uint32_t apic;
	bool up;
	void (*function)(void *arg); /* to run, with interrupts off */
	void *arg;
	uint32_t wanted, done;
	uint8_t *stack;
};

/** smp_boot - this is vcpu 0. */
void smp_boot(void);

/** smp_start - start the others that exist, up to @limit in all; counts kernel.vcpus. */
void smp_start(unsigned limit);

/** smp_ap_main - where the trampoline ends. */
void smp_ap_main(void);

/** smp_vcpu - whose code this is, by Xen's numbers. */
static inline unsigned smp_vcpu(void)
{
	unsigned vcpu;

	__asm__ volatile("movl %%gs:0, %0" : "=r"(vcpu));
	return vcpu;
}

/** smp_run - @function(@arg) on @vcpu with interrupts off, waited for. 0 or -ENXIO. */
int smp_run(unsigned vcpu, void (*function)(void *arg), void *arg);

/** smp_begin - the same without waiting; smp_wait - until it has ended. */
int smp_begin(unsigned vcpu, void (*function)(void *arg), void *arg);
void smp_wait(unsigned vcpu);

/** smp_park - the other vcpus stay in a loop that only smp_run gets through to. */
void smp_park(void);
void smp_unpark(void);

/** smp_yield - let another vcpu of this host run. */
void smp_yield(void);
