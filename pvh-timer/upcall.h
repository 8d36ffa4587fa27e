/*
 * upcall.h - how Xen tells a vcpu that events are pending: five ways, each with its own duty.
 *
 * Follows HVM_PARAM_CALLBACK_IRQ of xen/hvm/params.h and HVMOP_set_evtchn_upcall_vector of
 * xen/hvm/hvm_op.h.
 */
#pragma once

#include "pvh-timer/evtchn.h"

enum upcall_route {
	UPCALL_POLL,   /* nobody interrupts: the host asks */
	UPCALL_GSI,    /* an ISA line of the emulated controllers: vcpu 0 only, level */
	UPCALL_INTX,   /* the platform device's PCI line: the same */
	UPCALL_VECTOR, /* one vector for the domain: level-like, above all controllers, no EOI */
	UPCALL_VCPU,   /* a vector for each vcpu through its local APIC: edge, EOI */
	UPCALL_ROUTES,
};

/** What an interrupt handler owes, and to whom. */
enum upcall_duty { UPCALL_DUTY_NONE, UPCALL_DUTY_LAPIC, UPCALL_DUTY_LINE };

struct upcall_type {
	const char *name;
	enum upcall_duty duty;
	bool every_vcpu; /* else events of other vcpus than 0 are told nobody */
	bool edge;       /* told once, not for as long as events are pending */
};

extern const struct upcall_type upcall_types[UPCALL_ROUTES];

struct upcall {
	/* Set by the owner. */
	struct evtchn *evtchn;
	uint8_t vector;       /* for all but polling; 0x10 or more */
	struct pvh_line line; /* .pci: of the platform device; .gsi: a free ISA interrupt */
	bool pci_present;     /* is the platform device there? */
	bool apic_virtual;    /* an end of interrupt costs no exit: the processor takes it */

	enum upcall_route route;
	bool told;             /* the toolstack sees a guest with PV drivers */
	unsigned vcpu_vectors; /* so many vcpus have a vector of their own, from 0: for good */
};

/**
 * upcall_set - use this way from now on, and take once what is pending.
 *
 * A vcpu's own vector cannot be taken back: afterwards UPCALL_VCPU is the only way until a resume.
 * Nor can the domain's vector where there are no emulated controllers (PVH): each event then
 * interrupts by both, the second time for nothing.
 * For it the local APIC of each vcpu has to be enabled. When Xen refuses it for a vcpu but took it
 * for those before, the others get the domain's vector.
 *
 * Return: 0, -EOPNOTSUPP (Xen or the machine lacks it), -EBUSY (vcpus have vectors), -ENXIO (a
 * local APIC is disabled), or what Xen says.
 */
int upcall_set(struct upcall *upcall, uint32_t features, enum upcall_route route);

/**
 * upcall_choose - the best of the ways in @allowed (bits 1 << route) that works: the domain's
 * vector, own vectors, or those two the other way round where .apic_virtual; then PCI, GSI; polling
 * when none does. Return: 0, or why the last one tried did not work.
 */
int upcall_choose(struct upcall *upcall, uint32_t features, unsigned allowed);

/**
 * upcall_interrupt - the handler of the vector, or of the @line, interrupts off: duty and dispatch
 * in their order.
 *
 * What is owed goes by the way this interrupt came, not by the way in use: one of the old way can
 * be under way while another is chosen.
 */
void upcall_interrupt(struct upcall *upcall, unsigned vcpu, bool line);

/** upcall_forget - after a resume: Xen has forgotten all of it. */
void upcall_forget(struct upcall *upcall);
