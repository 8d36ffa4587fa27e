#include "frontend/kernel/clocks.h"

#include "frontend/kernel/kernel.h"

#define PIT_0       0x40
#define PIT_2       0x42
#define PIT_CONTROL 0x43
#define PIT_GATE    0x61
#define PIT_HZ      1193182u
#define HPET        0xfed00000u
#define SAMPLE_MS   10u
/* A machine without an 8254 reads all ones. */
#define LOOKS_MAX   100000000u

struct clocks clocks;

static uint64_t hpet_read(unsigned reg)
{
	return *(volatile uint64_t *)(uintptr_t)(HPET + reg);
}

uint64_t clocks_hpet(void)
{
	return hpet_read(0xf0);
}

static void hpet_find(void)
{
	uint64_t period = hpet_read(0) >> 32;

	/* The specification's largest is 100 ns. */
	if (!period || period > 100000000)
		return;
	clocks.hpet_period = period;
	*(volatile uint64_t *)(uintptr_t)(HPET + 0x10) = 1;
}

/* Counter 2 once, its output readable without an interrupt. */
static bool pit_sample(void)
{
	uint16_t ticks = PIT_HZ * SAMPLE_MS / 1000;
	uint64_t begin, end;
	unsigned looks = 0;

	cpu_out8(PIT_GATE, (uint8_t)((cpu_in8(PIT_GATE) & ~2u) | 1));
	cpu_out8(PIT_CONTROL, 0xb0);
	cpu_out8(PIT_2, (uint8_t)ticks);
	cpu_out8(PIT_2, (uint8_t)(ticks >> 8));
	apic_timer_arm(~0u);
	begin = cpu_rdtsc_ordered();
	if (cpu_in8(PIT_GATE) & 0x20)
		return false;
	while (!(cpu_in8(PIT_GATE) & 0x20)) {
		if (++looks == LOOKS_MAX)
			return false;
	}
	end = cpu_rdtsc_ordered();
	clocks.apic_khz = (~0u - apic_timer_left()) / SAMPLE_MS;
	clocks.tsc_khz = (end - begin) / SAMPLE_MS;
	return true;
}

/* Without an 8254 the local APIC's timer is measured against the TSC. */
static void apic_sample(void)
{
	uint64_t end = cpu_rdtsc_ordered() + clocks.tsc_khz * SAMPLE_MS;

	apic_timer_arm(~0u);
	while (cpu_rdtsc_ordered() < end)
		cpu_relax();
	clocks.apic_khz = (~0u - apic_timer_left()) / SAMPLE_MS;
}

void clocks_start(uint32_t khz)
{
	bool on = cpu_interrupts_save();

	clocks.pit = pit_sample();
	if (khz)
		clocks.tsc_khz = khz;
	if (!clocks.tsc_khz)
		clocks.tsc_khz = 1000000;
	clocks.tsc_mul = (UINT64_C(1000000) << 32) / clocks.tsc_khz;
	if (!clocks.pit)
		apic_sample();
	hpet_find();
	cpu_interrupts_restore(on);
}

uint64_t clocks_ns(void)
{
	return (uint64_t)((unsigned __int128)cpu_rdtsc_ordered() * clocks.tsc_mul >> 32);
}

void clocks_pit_arm(uint16_t ticks)
{
	cpu_out8(PIT_CONTROL, 0x38); /* mode 4: Xen knows no other that fires once */
	cpu_out8(PIT_0, (uint8_t)ticks);
	cpu_out8(PIT_0, (uint8_t)(ticks >> 8));
}

void clocks_spin(uint64_t ns)
{
	uint64_t end = clocks_ns() + ns;

	while (clocks_ns() < end)
		cpu_relax();
}
