#include "frontend/kernel/apic.h"

#include "frontend/kernel/cpu.h"
#include "frontend/kernel/interrupts.h"
#include "frontend/kernel/kernel.h"

#define MSR_BASE    0x1b
#define BASE_ENABLE (1u << 11)
#define BASE_X2     (1u << 10)
#define X2_MSR      0x800
#define MMIO        0xfee00000u

/* Registers, as offsets of the page; x2APIC's numbers are a sixteenth. */
#define REG_EOI       0x0b0
#define REG_SPURIOUS  0x0f0
#define REG_ICR       0x300
#define REG_ICR_HIGH  0x310
#define REG_LVT_TIMER 0x320
#define REG_LVT_LINT0 0x350
#define REG_INITIAL   0x380
#define REG_CURRENT   0x390
#define REG_DIVIDE    0x3e0

#define SPURIOUS_ENABLE (1u << 8)
#define DIVIDE_BY_1     0xb
#define ICR_BUSY        (1u << 12)
#define ICR_INIT        0x4500
#define ICR_STARTUP     0x4600

#define IOAPIC       0xfec00000u
#define IOAPIC_LEVEL (1u << 15)
#define IOAPIC_MASK  (1u << 16)

#define PIC_MASTER 0x20
#define PIC_SLAVE  0xa0
#define PIC_ELCR   0x4d0

static uint32_t read(unsigned reg)
{
	kernel.apic_accesses++;
	if (kernel.x2apic)
		return (uint32_t)cpu_rdmsr(X2_MSR + reg / 16);
	return *(volatile uint32_t *)(uintptr_t)(MMIO + reg);
}

static void write(unsigned reg, uint32_t value)
{
	kernel.apic_accesses++;
	if (kernel.x2apic)
		cpu_wrmsr(X2_MSR + reg / 16, value);
	else
		*(volatile uint32_t *)(uintptr_t)(MMIO + reg) = value;
}

void apic_enable(bool x2)
{
	kernel.x2apic = x2;
	cpu_wrmsr(MSR_BASE, cpu_rdmsr(MSR_BASE) | BASE_ENABLE | (x2 ? BASE_X2 : 0));
	write(REG_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	write(REG_LVT_TIMER, 1u << 16 | VECTOR_TIMER);
	write(REG_DIVIDE, DIVIDE_BY_1);
}

bool apic_enabled(void)
{
	return read(REG_SPURIOUS) & SPURIOUS_ENABLE;
}

void apic_eoi(void)
{
	write(REG_EOI, 0);
}

static void command(uint32_t apic, uint32_t what)
{
	if (kernel.x2apic) {
		cpu_wrmsr(X2_MSR + REG_ICR / 16, (uint64_t)apic << 32 | what);
	} else {
		write(REG_ICR_HIGH, apic << 24);
		write(REG_ICR, what);
	}
}

void apic_send(uint32_t apic, uint8_t vector)
{
	command(apic, 0x4000 | vector);
}

void apic_start(uint32_t apic, uint8_t page)
{
	command(apic, ICR_INIT);
	command(apic, ICR_STARTUP | page);
	command(apic, ICR_STARTUP | page);
}

void apic_timer_arm(uint32_t ticks)
{
	write(REG_LVT_TIMER, VECTOR_TIMER);
	write(REG_INITIAL, ticks);
}

void apic_timer_again(uint32_t ticks)
{
	write(REG_INITIAL, ticks);
}

void apic_idle_wait(void)
{
	while (!kernel.x2apic && read(REG_ICR) & ICR_BUSY)
		cpu_relax();
}

uint32_t apic_timer_left(void)
{
	return read(REG_CURRENT);
}

static uint32_t ioapic_read(uint32_t reg)
{
	*(volatile uint32_t *)(uintptr_t)IOAPIC = reg;
	return *(volatile uint32_t *)(uintptr_t)(IOAPIC + 0x10);
}

static void ioapic_write(uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)IOAPIC = reg;
	*(volatile uint32_t *)(uintptr_t)(IOAPIC + 0x10) = value;
}

/* Where there is none, reads give all ones. */
bool ioapic_present(void)
{
	uint32_t version = ioapic_read(1);

	return version != ~0u && (version & 0xff) >= 0x10 && (version >> 16 & 0xff) >= 15;
}

void ioapic_route(uint8_t gsi, uint8_t vector, bool level)
{
	ioapic_write(0x10 + gsi * 2u + 1, 0);
	ioapic_write(0x10 + gsi * 2u, vector | (level ? IOAPIC_LEVEL : 0));
}

void ioapic_mask(uint8_t gsi)
{
	ioapic_write(0x10 + gsi * 2u, IOAPIC_MASK);
}

void pic_start(void)
{
	cpu_out8(PIC_MASTER, 0x11);
	cpu_out8(PIC_SLAVE, 0x11);
	cpu_out8(PIC_MASTER + 1, VECTOR_PIC);
	cpu_out8(PIC_SLAVE + 1, VECTOR_PIC + 8);
	cpu_out8(PIC_MASTER + 1, 4);
	cpu_out8(PIC_SLAVE + 1, 2);
	cpu_out8(PIC_MASTER + 1, 1);
	cpu_out8(PIC_SLAVE + 1, 1);
	pic_mask_all();
}

void pic_mask_all(void)
{
	cpu_out8(PIC_MASTER + 1, 0xff);
	cpu_out8(PIC_SLAVE + 1, 0xff);
	write(REG_LVT_LINT0, 1u << 16);
}

/* The chips' output comes in at the local APIC's first pin, as ExtINT. */
void pic_route(uint8_t irq, bool level)
{
	uint16_t port = (uint16_t)(PIC_ELCR + irq / 8);
	uint8_t bit = (uint8_t)(1u << (irq % 8));

	cpu_out8(port, (uint8_t)(level ? cpu_in8(port) | bit : cpu_in8(port) & ~bit));
	write(REG_LVT_LINT0, 0x700);
	if (irq < 8) {
		cpu_out8(PIC_MASTER + 1, (uint8_t)(cpu_in8(PIC_MASTER + 1) & ~bit));
	} else {
		cpu_out8(PIC_SLAVE + 1, (uint8_t)(cpu_in8(PIC_SLAVE + 1) & ~bit));
		cpu_out8(PIC_MASTER + 1, (uint8_t)(cpu_in8(PIC_MASTER + 1) & ~4u));
	}
}

void pic_eoi(uint8_t irq)
{
	if (irq >= 8)
		cpu_out8(PIC_SLAVE, 0x20);
	cpu_out8(PIC_MASTER, 0x20);
}
