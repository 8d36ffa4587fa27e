/*
 * apic.h - the local APIC (each vcpu's own), the IO-APIC and the two 8259s, as far as they are
 * used.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** apic_enable - this vcpu's local APIC, in x2APIC mode if @x2. */
void apic_enable(bool x2);

bool apic_enabled(void);
void apic_eoi(void);

/** apic_send - an interrupt to the local APIC numbered @apic. */
void apic_send(uint32_t apic, uint8_t vector);

/** apic_start - INIT and two start-ups: the vcpu begins at @page * 4096 in real mode. */
void apic_start(uint32_t apic, uint8_t page);

/** apic_timer_arm - one interrupt on VECTOR_TIMER after @ticks of the bus clock divided by 1. */
void apic_timer_arm(uint32_t ticks);

/** apic_timer_again - one more after @ticks: what an armed timer takes each time. */
void apic_timer_again(uint32_t ticks);

/** apic_idle_wait - until the last interrupt sent has been accepted: due before each in xAPIC mode.
 */
void apic_idle_wait(void);

/** apic_timer_left - ticks still to go. */
uint32_t apic_timer_left(void);

/** ioapic_present - only where devices are emulated. */
bool ioapic_present(void);

/** ioapic_route - have the interrupt @gsi come to vcpu 0 as @vector. */
void ioapic_route(uint8_t gsi, uint8_t vector, bool level);

void ioapic_mask(uint8_t gsi);

/** pic_route - the same through the 8259s: VECTOR_PIC + @irq; edge or level as the chips are told.
 */
void pic_start(void);
void pic_route(uint8_t irq, bool level);
void pic_mask_all(void);
void pic_eoi(uint8_t irq);
