#include "frontend/kernel/interrupts.h"

#include "frontend/kernel/kernel.h"

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

#define CODE64     0x08
#define GATE       0x8e
#define ENTRY_SIZE 16u

extern const uint8_t interrupt_entries[], cpu_wait_sleep[];

static struct {
	struct gate gate[256];
	void (*handler[256])(void);
} table __attribute__((aligned(16)));

void interrupts_make(void)
{
	for (unsigned vector = 0; vector < 256; vector++) {
		uint64_t entry = (uint64_t)interrupt_entries + (uint64_t)vector * ENTRY_SIZE;

		table.gate[vector] = (struct gate){.offset_low = (uint16_t)entry,
						   .selector = CODE64,
						   .type = GATE,
						   .offset_middle = (uint16_t)(entry >> 16),
						   .offset_high = (uint32_t)(entry >> 32)};
	}
}

void interrupts_load(void)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} pointer = {sizeof(table.gate) - 1, (uint64_t)table.gate};

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void interrupts_handle(uint8_t vector, void (*handler)(void))
{
	__atomic_store_n(&table.handler[vector], handler, __ATOMIC_RELEASE);
}

static void fault(const struct interrupt_frame *frame)
{
	uint64_t address;

	__asm__ volatile("movq %%cr2, %0" : "=r"(address));
	kernel_panic("exception %u error %lx at %lx, address %lx, stack %lx, vcpu %u",
		     (unsigned)frame->vector, frame->error, frame->rip, address, frame->rsp,
		     smp_vcpu());
}

/* After sti a processor takes no interrupt before the next instruction is done. QEMU's emulation of
 * SVM forgets that when the hypervisor comes in between: the handler runs, and then the vcpu goes
 * to sleep for good, as nothing is left that could wake it. */
static void sleep_skip(struct interrupt_frame *frame)
{
	if (frame->rip != (uint64_t)cpu_wait_sleep)
		return;
	frame->rip++;
	__atomic_fetch_add(&kernel.sleeps_skipped, 1, __ATOMIC_RELAXED);
}

void interrupts_dispatch(struct interrupt_frame *frame)
{
	void (*handler)(void);

	if (frame->vector < 32 && frame->vector != 2)
		fault(frame);
	sleep_skip(frame);
	handler = __atomic_load_n(&table.handler[frame->vector], __ATOMIC_ACQUIRE);
	if (handler)
		handler();
	else
		__atomic_fetch_add(&kernel.stray_interrupts, 1, __ATOMIC_RELAXED);
}
