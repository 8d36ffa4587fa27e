/*
 * What the upgrade is worth, in one boot: the same work as a fully virtualised guest does it, then
 * by pvh-timer. A line "bench NAME WHERE NS" each: the best of many short rounds, for others use
 * the processors as well.
 *
 * A line "exits NAME WHERE N" says how often a unit of the work asks Xen for something: hypercalls
 * and accesses to the local APIC are counted, accesses to ports and other registers known. Exits
 * because of the machine's own interrupts cannot be seen from inside.
 */
#include "frontend/kernel/ata.h"
#include "frontend/kernel/disk.h"
#include "frontend/kernel/test.h"
#include "frontend/kernel/world.h"

#define ROUNDS      60u
#define TIMES       20u
#define LOOKS       20000u
#define PATIENCE_NS UINT64_C(5000000000)
#define SECTOR      8192u /* 4 MiB */

static struct {
	uint32_t count;
	uint32_t stop;
	struct evtchn_channel self, other, loop, far;
	uint8_t *page;
} here;

static void count(void)
{
	__atomic_fetch_add(&here.count, 1, __ATOMIC_SEQ_CST);
}

static bool reached(const uint32_t *counter, uint32_t value)
{
	for (unsigned i = 0; i < LOOKS; i++) {
		if (__atomic_load_n(counter, __ATOMIC_ACQUIRE) >= value)
			return true;
		cpu_relax();
	}
	return false;
}

/* For what comes at once, or never. Asking for the time may trap: not before it is late. */
static bool wait_for(const uint32_t *counter, uint32_t value)
{
	uint64_t end;

	if (reached(counter, value))
		return true;
	end = clocks_ns() + PATIENCE_NS;
	while (!reached(counter, value)) {
		if (clocks_ns() > end)
			return false;
	}
	return true;
}

static bool wait(uint32_t value)
{
	return wait_for(&here.count, value);
}

/* Once; false: it did not work. */
typedef bool unit(void);

static uint64_t exits_now(void)
{
	return kernel.hypercalls + kernel.apic_accesses;
}

/* Some units, and what they took: the least of both, and each for one unit. */
static bool round_run(unit *once, unsigned times, uint64_t *least_ns, uint64_t *least_exits)
{
	uint64_t begin = clocks_ns(), exits = exits_now(), took;
	bool worked = true;

	for (unsigned i = 0; worked && i < times; i++)
		worked = once();
	took = (clocks_ns() - begin) / times;
	exits = (exits_now() - exits + times / 2) / times;
	*least_ns = took < *least_ns ? took : *least_ns;
	*least_exits = exits < *least_exits ? exits : *least_exits;
	return worked;
}

/* @registers: emulated ones, without the local APIC's, that a unit reads or writes. */
static void report(const char *name, const char *where, unit *once, unsigned times,
		   unsigned registers)
{
	uint64_t ns = UINT64_MAX, exits = UINT64_MAX;
	bool worked = true;

	for (unsigned round = 0; worked && round < ROUNDS; round++)
		worked = round_run(once, times, &ns, &exits);
	if (!worked) {
		print("bench %s %s failed\n", name, where);
		return;
	}
	print("exits %s %s %lu\n", name, where, exits + registers);
	print("bench %s %s %lu\n", name, where, ns);
}

/* As Linux does: acknowledged, then handled. */
static void counted_interrupt(void)
{
	apic_eoi();
	count();
}

/* The local APIC's timer: what Linux uses without Xen's. */
static bool apic_timer(void)
{
	uint32_t before = here.count;

	apic_timer_again(1);
	return wait(before + 1);
}

/* The 8254 through the IO-APIC. */
static bool pit_timer(void)
{
	uint32_t before = here.count;

	clocks_pit_arm(2);
	return wait(before + 1);
}

static bool apic_ipi(void)
{
	uint32_t before = here.count;

	apic_idle_wait();
	apic_send(0, VECTOR_IPI);
	return wait(before + 1);
}

/* To another vcpu, which is awake, and until its handler has run. */
static bool apic_ipi_other(void)
{
	uint32_t before = here.count;

	apic_idle_wait();
	apic_send(2, VECTOR_IPI);
	return wait(before + 1);
}

static void stay_awake(void *arg)
{
	cpu_interrupts_on();
	while (!__atomic_load_n(&here.stop, __ATOMIC_ACQUIRE))
		cpu_relax();
	cpu_interrupts_off();
}

static bool other_awake(void)
{
	__atomic_store_n(&here.stop, 0, __ATOMIC_RELEASE);
	return kernel.vcpus > 1 && !smp_begin(1, stay_awake, NULL);
}

static void other_sleeps(void)
{
	__atomic_store_n(&here.stop, 1, __ATOMIC_RELEASE);
	smp_wait(1);
}

/* A device's interrupt: the disk answers a question that it need not look at its medium for. */
static bool ata_event(void)
{
	return !ata_ask();
}

static bool hpet_read(void)
{
	return clocks_hpet() != 0;
}

static bool ata_request(void)
{
	return !ata_read(SECTOR, here.page);
}

static void pic_interrupt(void)
{
	count();
	pic_eoi(0);
}

static void pit_measure(void)
{
	interrupts_handle(VECTOR_LINE, counted_interrupt);
	ioapic_route(2, VECTOR_LINE, false); /* line 0 is wired to pin 2 */
	report("timer-interrupt", "pit,ioapic", pit_timer, TIMES, 3);
	ioapic_mask(2);
	interrupts_handle(VECTOR_PIC, pic_interrupt);
	pic_route(0, false);
	report("timer-interrupt", "pit,pic", pit_timer, TIMES, 4);
	pic_mask_all();
}

static void emulated(void)
{
	interrupts_handle(VECTOR_TIMER, counted_interrupt);
	interrupts_handle(VECTOR_IPI, counted_interrupt);
	apic_timer_arm(~0u);
	report("timer-interrupt", "lapic", apic_timer, TIMES, 0);
	if (clocks.pit && kernel.hvm)
		pit_measure();
	report("ipi", "lapic,self", apic_ipi, TIMES, 0);
	if (other_awake()) {
		report("ipi", "lapic,other", apic_ipi_other, TIMES, 0);
		other_sleeps();
	}
	if (clocks.hpet_period)
		report("clock-read", "hpet", hpet_read, TIMES, 1);
	if (!ata_start()) {
		report("event", "ide", ata_event, TIMES, 3);
		report("disk-request", "ide", ata_request, 4, 14);
		ata_stop();
	}
}

static bool counted(void *arg)
{
	count();
	return true;
}

static bool xen_timer(void)
{
	uint32_t before = world.fired[0];

	oneshot_set(&kernel.pvh.timer[0], world_now() + 1);
	return wait_for(&world.fired[0], before + 1);
}

static bool xen_ipi(void)
{
	uint32_t before = here.count;

	evtchn_send(&kernel.pvh.evtchn, &here.self);
	return wait(before + 1);
}

static bool xen_ipi_other(void)
{
	uint32_t before = here.count;

	evtchn_send(&kernel.pvh.evtchn, &here.other);
	return wait(before + 1);
}

static bool xen_event(void)
{
	uint32_t before = here.count;

	evtchn_send(&kernel.pvh.evtchn, &here.loop);
	return wait(before + 1);
}

static bool xen_clock(void)
{
	return clock_read(&kernel.pvh.clock) != 0;
}

static bool xen_disk(void)
{
	return !disk_read((uint64_t)SECTOR * 512, here.page, 4096);
}

static void upgraded(enum upcall_route route)
{
	const char *where = upcall_types[route].name;
	char words[48];

	report("timer-interrupt", where, xen_timer, TIMES, 0);
	print_into(words, sizeof(words), "%s,self", where);
	report("ipi", words, xen_ipi, TIMES, 0);
	if (upcall_types[route].every_vcpu && other_awake()) {
		print_into(words, sizeof(words), "%s,other", where);
		report("ipi", words, xen_ipi_other, TIMES, 0);
		other_sleeps();
	}
	report("event", where, xen_event, TIMES, 0);
}

/* With the way of interrupts that the upgrade would choose. */
static void disk_measure(enum upcall_route route)
{
	if (route != (kernel.pvh.upcall.apic_virtual ? UPCALL_VCPU : UPCALL_VECTOR) ||
	    kernel.dom0 || disk_open())
		return;
	report("disk-request", "blkfront", xen_disk, 4, 0);
	disk_close();
}

static bool channels_make(void)
{
	struct evtchn *evtchn = &kernel.pvh.evtchn;

	here.self = here.other = here.loop = here.far =
		(struct evtchn_channel){.handler = counted, .priority = 7};
	return !evtchn_bind_ipi(evtchn, &here.self, 0) &&
	       !evtchn_bind_ipi(evtchn, &here.other, kernel.vcpus - 1) &&
	       !evtchn_bind_unbound(evtchn, &here.far, DOMID_SELF) &&
	       !evtchn_bind_interdomain(evtchn, &here.loop, DOMID_SELF, here.far.port);
}

static void channels_end(void)
{
	evtchn_close(&kernel.pvh.evtchn, &here.loop);
	evtchn_close(&kernel.pvh.evtchn, &here.far);
	evtchn_close(&kernel.pvh.evtchn, &here.other);
	evtchn_close(&kernel.pvh.evtchn, &here.self);
}

static void upgraded_all(void)
{
	static const enum upcall_route routes[] = {UPCALL_GSI, UPCALL_INTX, UPCALL_VECTOR,
						   UPCALL_VCPU};

	for (unsigned i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (upcall_set(&kernel.pvh.upcall, kernel.pvh.features, routes[i]))
			continue;
		/* Once the other end of a new channel has been heard. */
		if (!channels_make())
			break;
		clocks_spin(1000000);
		upgraded(routes[i]);
		channels_end();
		disk_measure(routes[i]);
	}
}

static enum verdict bench(void)
{
	here.page = memory_pages(1);
	emulated();
	CHECK(!world_upgrade(), "no upgrade");
	CHECK(!world_abi(true), "no FIFO");
	upgraded_all();
	report("clock-read", clock_name(kernel.pvh.clock.source), xen_clock, TIMES * 5, 0);
	return VERDICT_OK;
}

void bench_run(void)
{
	static const struct test test = {"all", "3.0", bench};

	test_case("bench", &test);
}
