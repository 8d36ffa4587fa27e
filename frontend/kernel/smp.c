#include "frontend/kernel/smp.h"

#include "frontend/kernel/kernel.h"

#define MSR_GS_BASE 0xc0000101
#define STACK_PAGES 4u
#define START_TRIES 200000u

extern const uint8_t trampoline[], trampoline_end[];
extern uint64_t ap_stack;

static struct {
	struct smp_vcpu vcpu[SMP_VCPUS_MAX];
	uint32_t parked;  /* they shall stay */
	uint32_t staying; /* so many do */
	uint32_t starting;
} smp;

void smp_yield(void)
{
	cpu_relax();
	if (kernel.way != HYPERCALL_NONE)
		hypercall_sched(&kernel.host, SCHEDOP_yield, NULL);
}

/* Also polled where a vcpu waits with interrupts off: nobody waits for one that waits for him. */
static void work_look(struct smp_vcpu *us)
{
	uint32_t wanted = __atomic_load_n(&us->wanted, __ATOMIC_ACQUIRE);

	uint32_t before = us->done;

	if (wanted == before)
		return;
	us->function(us->arg);
	/* Who is parked says itself that it got the message. */
	if (us->done == before)
		__atomic_store_n(&us->done, wanted, __ATOMIC_RELEASE);
}

static void call_interrupt(void)
{
	apic_eoi();
	work_look(&smp.vcpu[smp_vcpu()]);
}

static int post(unsigned vcpu, void (*function)(void *arg), void *arg, bool interrupt)
{
	struct smp_vcpu *other = &smp.vcpu[vcpu];

	if (vcpu >= SMP_VCPUS_MAX || !other->up)
		return -ENXIO;
	other->function = function;
	other->arg = arg;
	__atomic_store_n(&other->wanted, other->wanted + 1, __ATOMIC_RELEASE);
	if (interrupt)
		apic_send(other->apic, VECTOR_CALL);
	return 0;
}

int smp_begin(unsigned vcpu, void (*function)(void *arg), void *arg)
{
	return post(vcpu, function, arg, !__atomic_load_n(&smp.parked, __ATOMIC_ACQUIRE));
}

void smp_wait(unsigned vcpu)
{
	struct smp_vcpu *other = &smp.vcpu[vcpu];

	while (__atomic_load_n(&other->done, __ATOMIC_ACQUIRE) != other->wanted)
		smp_yield();
}

int smp_run(unsigned vcpu, void (*function)(void *arg), void *arg)
{
	bool on;
	int rc;

	if (vcpu == smp_vcpu()) {
		on = cpu_interrupts_save();
		function(arg);
		cpu_interrupts_restore(on);
		return 0;
	}
	rc = smp_begin(vcpu, function, arg);
	if (!rc)
		smp_wait(vcpu);
	return rc;
}

static void stay(void *arg)
{
	struct smp_vcpu *us = &smp.vcpu[smp_vcpu()];

	__atomic_store_n(&us->done, us->wanted, __ATOMIC_RELEASE);
	__atomic_fetch_add(&smp.staying, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&smp.parked, __ATOMIC_ACQUIRE)) {
		work_look(us);
		smp_yield();
	}
	__atomic_fetch_sub(&smp.staying, 1, __ATOMIC_SEQ_CST);
}

void smp_park(void)
{
	__atomic_store_n(&smp.parked, 1, __ATOMIC_SEQ_CST);
	for (unsigned vcpu = 0; vcpu < kernel.vcpus; vcpu++) {
		if (vcpu != smp_vcpu())
			post(vcpu, stay, NULL, true);
	}
	while (__atomic_load_n(&smp.staying, __ATOMIC_ACQUIRE) < kernel.vcpus - 1)
		smp_yield();
}

void smp_unpark(void)
{
	__atomic_store_n(&smp.parked, 0, __ATOMIC_RELEASE);
	while (__atomic_load_n(&smp.staying, __ATOMIC_ACQUIRE))
		smp_yield();
}

void smp_ap_main(void)
{
	struct smp_vcpu *us = &smp.vcpu[__atomic_load_n(&smp.starting, __ATOMIC_ACQUIRE)];

	cpu_wrmsr(MSR_GS_BASE, (uint64_t)us);
	interrupts_load();
	apic_enable(kernel.x2apic);
	__atomic_store_n(&us->up, true, __ATOMIC_RELEASE);
	for (;;)
		cpu_wait();
}

/* Xen's APIC numbers are twice its vcpus'. */
static bool vcpu_start(unsigned vcpu)
{
	struct smp_vcpu *other = &smp.vcpu[vcpu];

	other->vcpu = vcpu;
	other->apic = vcpu * 2;
	other->stack = memory_pages(STACK_PAGES);
	if (!other->stack)
		return false;
	ap_stack = (uint64_t)other->stack + STACK_PAGES * 4096u;
	__atomic_store_n(&smp.starting, vcpu, __ATOMIC_RELEASE);
	apic_start(other->apic, SMP_TRAMPOLINE / 4096);
	for (unsigned tries = 0; tries < START_TRIES; tries++) {
		if (__atomic_load_n(&other->up, __ATOMIC_ACQUIRE))
			return true;
		smp_yield();
	}
	return false;
}

static bool vcpu_exists(unsigned vcpu)
{
	return hypercall_vcpu(&kernel.host, VCPUOP_is_up, vcpu, NULL) >= 0;
}

void smp_boot(void)
{
	cpu_wrmsr(MSR_GS_BASE, (uint64_t)&smp.vcpu[0]);
	smp.vcpu[0].up = true;
	kernel.vcpus = 1;
}

void smp_start(unsigned limit)
{
	interrupts_handle(VECTOR_CALL, call_interrupt);
	memcpy((void *)(uint64_t)SMP_TRAMPOLINE, trampoline,
	       (size_t)((uintptr_t)trampoline_end - (uintptr_t)trampoline));
	while (kernel.vcpus < limit && kernel.vcpus < SMP_VCPUS_MAX && kernel.way &&
	       vcpu_exists(kernel.vcpus)) {
		if (!vcpu_start(kernel.vcpus)) {
			print("vcpu %u does not start\n", kernel.vcpus);
			break;
		}
		kernel.vcpus++;
	}
}
