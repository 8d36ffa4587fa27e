/*
 * world.h - the upgraded guest as the cases use it: made on demand, with what they wait for.
 */
#pragma once

#include "frontend/kernel/kernel.h"

/** Time that a wait may take before it has failed: the host may be busy. */
#define WORLD_PATIENCE_NS UINT64_C(180000000000)

struct world {
	bool up;
	uint32_t fired[SMP_VCPUS_MAX];    /* how often each vcpu's timer did */
	uint64_t fired_at[SMP_VCPUS_MAX]; /* Xen's clock in its handler */
	uint64_t again[SMP_VCPUS_MAX];    /* ns: the handler arms it again; 0: not */
};

extern struct world world;

/** world_upgrade - upgrade the guest, once: polling, 2-level. Return: 0 or an errno. */
int world_upgrade(void);

/** world_abi - use FIFO or 2-level from now on (EVTCHNOP_reset). Return: 0 or an errno. */
int world_abi(bool fifo);

/** world_wait - until *@counter is @value or more; events are polled where nothing interrupts. */
bool world_wait(const uint32_t *counter, uint32_t value);

/** world_poll - take what is pending, if polling is the way. */
void world_poll(void);

/** world_now - Xen's clock. */
uint64_t world_now(void);

/** world_timer - arm this vcpu's timer. Return: as oneshot_set. */
int world_timer(uint64_t deadline);

/** world_timer_on - on another vcpu. */
int world_timer_on(unsigned vcpu, uint64_t deadline);

/** world_timer_stop - on all vcpus. */
void world_timer_stop(void);
