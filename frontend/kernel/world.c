#include "frontend/kernel/world.h"

#include "frontend/kernel/store.h"

struct world world;

static void fired(void *arg, unsigned vcpu)
{
	uint64_t now = world_now();

	world.fired_at[vcpu] = now;
	__atomic_fetch_add(&world.fired[vcpu], 1, __ATOMIC_SEQ_CST);
	if (world.again[vcpu])
		oneshot_set(&kernel.pvh.timer[vcpu], now + world.again[vcpu]);
}

static void upcall(void)
{
	upcall_interrupt(&kernel.pvh.upcall, smp_vcpu(), false);
}

int world_upgrade(void)
{
	struct pvh *pvh = &kernel.pvh;
	int rc;

	if (world.up)
		return 0;
	pvh->host = &kernel.host;
	pvh->vcpus = kernel.vcpus;
	pvh->vector = VECTOR_UPCALL;
	pvh->routes = 1u << UPCALL_POLL;
	pvh->two_level = true;
	pvh->timer_fired = fired;
	interrupts_handle(VECTOR_UPCALL, upcall);
	rc = upgrade(pvh);
	world.up = !rc;
	if (!rc && !kernel.dom0)
		rc = store_upgrade();
	if (!rc && !kernel.dom0)
		rc = console_upgrade();
	return rc;
}

int world_abi(bool fifo)
{
	bool on;
	int rc;

	if ((kernel.pvh.evtchn.abi == &evtchn_abi_fifo) == fifo)
		return 0;
	kernel.pvh.evtchn.fifo_refused = !fifo;
	smp_park();
	on = cpu_interrupts_save();
	rc = evtchn_reset(&kernel.pvh.evtchn);
	cpu_interrupts_restore(on);
	smp_unpark();
	if (!rc && (kernel.pvh.evtchn.abi == &evtchn_abi_fifo) != fifo)
		rc = -ENOSYS;
	return rc;
}

/* What was held because it stormed is let go in time, whatever the way of events is. */
static void held_release(void)
{
	bool on = cpu_interrupts_save();

	evtchn_tick(&kernel.pvh.evtchn, kernel.host.ops->now(&kernel.host));
	cpu_interrupts_restore(on);
}

void world_poll(void)
{
	bool on;

	if (__atomic_load_n(&kernel.pvh.evtchn.held, __ATOMIC_RELAXED))
		held_release();
	if (kernel.pvh.upcall.route != UPCALL_POLL)
		return;
	on = cpu_interrupts_save();
	if (evtchn_waiting(&kernel.pvh.evtchn, smp_vcpu()))
		evtchn_dispatch(&kernel.pvh.evtchn, smp_vcpu());
	cpu_interrupts_restore(on);
}

uint64_t world_now(void)
{
	return clock_xen(&kernel.pvh.clock);
}

bool world_wait(const uint32_t *counter, uint32_t value)
{
	uint64_t end = world_now() + WORLD_PATIENCE_NS;

	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < value) {
		world_poll();
		if (world_now() > end)
			return false;
		smp_yield();
	}
	return true;
}

struct timer_call {
	uint64_t deadline;
	int rc;
};

static void timer_set(void *arg)
{
	struct timer_call *call = arg;
	struct oneshot *timer = &kernel.pvh.timer[smp_vcpu()];

	call->rc = call->deadline ? oneshot_set(timer, call->deadline) : oneshot_cancel(timer);
}

int world_timer_on(unsigned vcpu, uint64_t deadline)
{
	struct timer_call call = {deadline, 0};
	int rc = smp_run(vcpu, timer_set, &call);

	return rc ? rc : call.rc;
}

int world_timer(uint64_t deadline)
{
	return world_timer_on(smp_vcpu(), deadline);
}

void world_timer_stop(void)
{
	for (unsigned vcpu = 0; vcpu < kernel.vcpus; vcpu++) {
		world.again[vcpu] = 0;
		if (kernel.pvh.timer[vcpu].way != ONESHOT_NONE)
			world_timer_on(vcpu, 0);
	}
}
