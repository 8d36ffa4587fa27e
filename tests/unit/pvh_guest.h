/*
 * pvh_guest.h - what tests of the whole guest stand on: one that is about to be upgraded on the
 * scripted hypervisor, or was.
 */
#pragma once

#include "tests/unit/pvh_xen.h"

extern struct pvh pvh;
extern unsigned fired[XEN_VCPUS]; /* how often each vcpu's timer did */
extern uint64_t again;            /* ns after which its handler arms it again; 0: it does not */

/** guest_make - an HVM guest of so many vcpus that wants all there is. */
struct xen *guest_make(unsigned vcpus);

/** guest_upgraded - the same, upgraded. */
struct xen *guest_upgraded(unsigned vcpus);

/** deliver - each vcpu takes what is pending for it, the way it is told. */
void deliver(struct xen *xen);
