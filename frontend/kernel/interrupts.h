/*
 * interrupts.h - the interrupt table and who handles what.
 */
#pragma once

#include <stdint.h>

#define VECTOR_PIC      0x20 /* 16 of the emulated 8259s */
#define VECTOR_CALL     0x31 /* smp_run */
#define VECTOR_TIMER    0x32 /* the local APIC's */
#define VECTOR_IPI      0x33 /* a bare one, to be measured */
#define VECTOR_LINE     0x40 /* an emulated line through the IO-APIC */
#define VECTOR_UPCALL   0xf3
#define VECTOR_SPURIOUS 0xff

struct interrupt_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

/** interrupts_make - fill the table; interrupts_load - use it on this vcpu. */
void interrupts_make(void);
void interrupts_load(void);

/** interrupts_handle - have @handler called for @vector, interrupts off. NULL: nobody. */
void interrupts_handle(uint8_t vector, void (*handler)(void));

/** interrupts_dispatch - of vectors.S. */
void interrupts_dispatch(struct interrupt_frame *frame);
