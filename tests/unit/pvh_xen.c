#include "tests/unit/pvh_xen.h"

#include <stdlib.h>
#include <string.h>

#include "pvh-timer/atomic.h"

static struct xen *xen_of(struct pvh_host *host)
{
	return (struct xen *)host;
}

static unsigned host_vcpu(struct pvh_host *host)
{
	struct xen *xen = xen_of(host);

	return xen->vcpu_of ? xen->vcpu_of() : xen->vcpu;
}

static struct pvh_cpuid_words leaf_time(const struct xen *xen, uint32_t subleaf)
{
	if (subleaf == 1)
		return (struct pvh_cpuid_words){.ecx = 0x80000000, .edx = 1};
	if (subleaf == 2)
		return (struct pvh_cpuid_words){.eax = xen->tsc_khz};
	return (struct pvh_cpuid_words){.eax = xen->tsc_emulated | xen->tsc_reliable << 1,
					.ebx = xen->tsc_mode,
					.ecx = xen->tsc_khz,
					.edx = xen->incarnation};
}

static struct pvh_cpuid_words leaf_xen(struct xen *xen, uint32_t leaf, uint32_t subleaf)
{
	switch (leaf) {
	case 0:
		return (struct pvh_cpuid_words){xen->cpuid_base + xen->cpuid_leaves, 0x566e6558,
						0x65584d4d, 0x4d4d566e};
	case 1:
		return (struct pvh_cpuid_words){.eax = 4 << 16 | 18};
	case 2:
		return (struct pvh_cpuid_words){.eax = 1, .ebx = 0x40000000};
	case 3:
		return leaf_time(xen, subleaf);
	case 4:
		return (struct pvh_cpuid_words){
			.eax = xen->hvm_flags, .ebx = host_vcpu(&xen->host), .ecx = 7};
	default:
		/* Beyond the maximum a processor answers with its last leaf's words. */
		return (struct pvh_cpuid_words){~0u, ~0u, ~0u, ~0u};
	}
}

static void host_cpuid(struct pvh_host *host, uint32_t leaf, uint32_t subleaf,
		       struct pvh_cpuid_words *words)
{
	struct xen *xen = xen_of(host);

	*words = (struct pvh_cpuid_words){0};
	if (leaf == 0 && xen->intel)
		*words = (struct pvh_cpuid_words){1, 0x756e6547, 0x6c65746e, 0x49656e69};
	else if (leaf == 0)
		*words = (struct pvh_cpuid_words){1, 0x68747541, 0x444d4163, 0x69746e65};
	else if (leaf == 0x80000000)
		words->eax = 0x80000008;
	else if (leaf == 0x80000007)
		words->edx = xen->tsc_invariant ? 1 << 8 : 0;
	else if (xen->cpuid_base && leaf >= xen->cpuid_base && leaf < xen->cpuid_base + 0x100)
		*words = leaf_xen(xen, leaf - xen->cpuid_base, subleaf);
}

/* 1 GHz: a tick is a nanosecond. */
static uint64_t host_rdtsc(struct pvh_host *host)
{
	struct xen *xen = xen_of(host);

	return __atomic_load_n(&xen->now, __ATOMIC_RELAXED) + (uint64_t)xen->skew[host_vcpu(host)] +
	       1000;
}

static uint32_t host_port_in(struct pvh_host *host, uint16_t port, unsigned bytes)
{
	struct xen *xen = xen_of(host);

	if (port == 0x10 && bytes == 2)
		return xen->blacklist && xen->product ? 0xd249 : xen->magic;
	if (port == 0x12 && bytes == 1)
		return xen->unplug_version;
	return ~0u;
}

static void host_port_out(struct pvh_host *host, uint16_t port, unsigned bytes, uint32_t value)
{
	struct xen *xen = xen_of(host);

	if (port == 0x12 && bytes == 2)
		xen->product = (uint16_t)value;
	else if (port == 0x10 && bytes == 4)
		xen->build = value;
	else if (port == 0x10 && bytes == 2)
		xen->unplugged = (uint16_t)value;
}

static void *host_page_allocate(struct pvh_host *host)
{
	struct xen *xen = xen_of(host);
	unsigned n = 0;

	if (xen->pages >= xen->pages_max)
		return NULL;
	while (xen->page[n])
		if (++n == XEN_PAGES)
			abort();
	xen->page[n] = aligned_alloc(PVH_PAGE_SIZE, PVH_PAGE_SIZE);
	xen->pages++;
	return xen->page[n] ? memset(xen->page[n], 0, PVH_PAGE_SIZE) : NULL;
}

static void host_page_free(struct pvh_host *host, void *page)
{
	struct xen *xen = xen_of(host);
	unsigned n = 0;

	while (xen->page[n] != page)
		if (++n == XEN_PAGES)
			abort();
	xen->page[n] = NULL;
	xen->pages--;
	free(page);
}

static uint64_t host_physical(struct pvh_host *host, const volatile void *pointer)
{
	return (uintptr_t)pointer;
}

static void *host_frame(struct pvh_host *host, unsigned slot, uint64_t *gfn)
{
	struct xen *xen = xen_of(host);

	if (slot >= 4)
		return NULL;
	if (!xen->frame[slot])
		xen->frame[slot] = aligned_alloc(PVH_PAGE_SIZE, PVH_PAGE_SIZE);
	*gfn = (uintptr_t)xen->frame[slot] / PVH_PAGE_SIZE;
	return xen->frame[slot];
}

static int host_vcpu_run(struct pvh_host *host, unsigned vcpu, void (*function)(void *arg),
			 void *arg)
{
	struct xen *xen = xen_of(host);
	unsigned before = xen->vcpu;

	if (xen->vcpu_down[vcpu])
		return -ENXIO;
	xen->vcpu = vcpu;
	xen->running++;
	function(arg);
	xen->running--;
	xen_interrupt(xen, vcpu);
	xen->vcpu = before;
	return 0;
}

void xen_interrupt(struct xen *xen, unsigned vcpu)
{
	if (xen->running || !xen->interrupt[vcpu] || !xen->interrupted)
		return;
	xen->interrupt[vcpu] = false;
	xen->interrupted(vcpu);
}

static bool host_lapic_enabled(struct pvh_host *host)
{
	return !xen_of(host)->lapic_off[host_vcpu(host)];
}

static void host_lapic_eoi(struct pvh_host *host)
{
	xen_of(host)->lapic_eois++;
}

static void host_line_eoi(struct pvh_host *host)
{
	xen_of(host)->line_eois++;
}

static void host_upcall_again(struct pvh_host *host, uint8_t vector)
{
	xen_of(host)->again++;
}

static int host_line_open(struct pvh_host *host, const struct pvh_line *line, uint8_t vector)
{
	return line && xen_of(host)->line_missing ? -ENODEV : 0;
}

static uint64_t host_now(struct pvh_host *host)
{
	return __atomic_load_n(&xen_of(host)->host_now, __ATOMIC_RELAXED);
}

static void host_relax(struct pvh_host *host)
{
	pvh_interleave();
}

static const struct pvh_ops ops = {
	.hypercall = xen_call,
	.cpuid = host_cpuid,
	.rdtsc = host_rdtsc,
	.port_in = host_port_in,
	.port_out = host_port_out,
	.page_allocate = host_page_allocate,
	.page_free = host_page_free,
	.physical = host_physical,
	.frame_unpopulated = host_frame,
	.vcpu = host_vcpu,
	.vcpu_run = host_vcpu_run,
	.lapic_enabled = host_lapic_enabled,
	.lapic_eoi = host_lapic_eoi,
	.upcall_again = host_upcall_again,
	.line_open = host_line_open,
	.line_eoi = host_line_eoi,
	.now = host_now,
	.relax = host_relax,
};

struct xen *xen_new(void)
{
	struct xen *xen = calloc(1, sizeof(*xen));

	if (!xen)
		abort();
	xen->host.ops = &ops;
	pthread_mutex_init(&xen->lock, NULL);
	xen->cpuid_base = 0x40000000;
	xen->cpuid_leaves = 5;
	xen->tsc_khz = 1000000;
	xen->hvm_flags = 1u << 0 | 1u << 3 | 1u << 4 | 1u << 6;
	xen->features = 1u << XENFEAT_hvm_callback_vector | 1u << XENFEAT_runstate_phys_area |
			1u << XENFEAT_vcpu_time_phys_area;
	xen->fifo_offered = true;
	xen->first_port = 1;
	xen->pages_max = 1000;
	xen->now = 1000000000;
	xen->wall_at_boot = UINT64_C(1700000000) * 1000000000;
	xen->magic = 0x49d2;
	xen->unplug_version = 1;
	return xen;
}

void xen_free(struct xen *xen)
{
	for (unsigned i = 0; i < 4; i++)
		free(xen->frame[i]);
	for (unsigned n = 0; n < XEN_PAGES; n++)
		free(xen->page[n]);
	free(xen);
}

void xen_refuse(struct xen *xen, unsigned number, unsigned op, int rc, unsigned skip,
		unsigned times)
{
	for (unsigned i = 0; i < 4; i++) {
		if (xen->refusal[i].times)
			continue;
		xen->refusal[i] = (struct xen_refusal){number, op, rc, skip, times};
		return;
	}
	abort();
}

static void time_write(const struct xen *xen, struct vcpu_time_info *time)
{
	time->version++;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	time->tsc_timestamp = xen->now + 1000;
	time->system_time = xen->now;
	time->tsc_to_system_mul = 0x80000000;
	time->tsc_shift = 1;
	time->flags = xen->stable ? XEN_PVCLOCK_TSC_STABLE_BIT : 0;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	time->version++;
}

void xen_times_write(struct xen *xen)
{
	for (unsigned vcpu = 0; vcpu < XEN_VCPUS; vcpu++) {
		if (xen->info[vcpu])
			time_write(xen, &xen->info[vcpu]->time);
		if (xen->time_area[vcpu])
			time_write(xen, xen->time_area[vcpu]);
	}
	if (xen->shared) {
		xen->shared->wc_sec = (uint32_t)(xen->wall_at_boot / 1000000000);
		xen->shared->wc_nsec = (uint32_t)(xen->wall_at_boot % 1000000000);
	}
}

static void virq_raise(struct xen *xen, unsigned vcpu, uint32_t virq)
{
	for (uint32_t port = 0; port < XEN_PORTS; port++) {
		if (xen->port[port].kind == XEN_VIRQ && xen->port[port].virq == virq &&
		    xen->port[port].vcpu == vcpu)
			xen_event(xen, port);
	}
}

void xen_advance(struct xen *xen, uint64_t ns)
{
	xen->now += ns;
	xen->host_now += ns;
	xen_times_write(xen);
	for (unsigned vcpu = 0; vcpu < XEN_VCPUS; vcpu++) {
		if (xen->deadline[vcpu] && (int64_t)xen->deadline[vcpu] <= (int64_t)xen->now) {
			xen->deadline[vcpu] = 0;
			virq_raise(xen, vcpu, VIRQ_TIMER);
		}
	}
}

static void runstate_write(struct xen *xen, unsigned vcpu)
{
	if (xen->runstate_area[vcpu])
		*xen->runstate_area[vcpu] = xen->runstate[vcpu];
}

void xen_steal(struct xen *xen, unsigned vcpu, uint64_t ns)
{
	xen->runstate[vcpu].time[RUNSTATE_runnable] += ns;
	xen->runstate[vcpu].state_entry_time = xen->now;
	runstate_write(xen, vcpu);
}

static void vcpu_notify(struct xen *xen, unsigned vcpu)
{
	if (xen->info[vcpu])
		atomic_swap8(&xen->info[vcpu]->evtchn_upcall_pending, 1);
}

static void event_2l(struct xen *xen, uint32_t port)
{
	struct vcpu_info *info = xen->info[xen->port[port].vcpu];

	if (atomic_bit_set(xen->shared->evtchn_pending, port))
		return;
	if (!atomic_bit_test(xen->shared->evtchn_mask, port) && info &&
	    !atomic_bit_set(&info->evtchn_pending_sel, port / 64))
		vcpu_notify(xen, xen->port[port].vcpu);
}

/* As try_set_link of event_fifo.c: 1 linked, 0 it is no longer in the queue, -EAGAIN it changed. */
static int link_try(uint32_t *word, uint32_t *seen, uint32_t port)
{
	uint32_t old = *seen;

	if (!(old & 1u << EVTCHN_FIFO_LINKED))
		return 0;
	return atomic_compare_swap32(
		       word, seen,
		       (old & ~(1u << EVTCHN_FIFO_BUSY | (uint32_t)EVTCHN_FIFO_LINK_MASK)) | port)
		       ? 1
		       : -EAGAIN;
}

/* As evtchn_fifo_set_link, as if its first try had failed: only a tail that is still linked can be
 * linked to. A guest that keeps changing it is stopped by BUSY, while which it must not unmask; one
 * that does not stop loses the event. */
static bool tail_link(struct xen *xen, uint32_t *word, uint32_t port)
{
	const uint32_t busy = 1u << EVTCHN_FIFO_BUSY, masked = 1u << EVTCHN_FIFO_MASKED;
	uint32_t seen, before;
	int linked = -EAGAIN;

	atomic_set32(word, busy);
	seen = atomic_read32(word);
	for (unsigned try = 0; try < 4 && linked < 0; try++) {
		before = seen;
		linked = link_try(word, &seen, port);
		if (linked < 0 && before & masked && !(seen & masked))
			xen->busy_broken = true;
	}
	if (linked <= 0)
		atomic_clear32(word, busy);
	return linked;
}

static void event_fifo(struct xen *xen, uint32_t port)
{
	struct xen_port *what = &xen->port[port];
	uint32_t *word, *tail;

	if (port / 1024 >= xen->array_pages) {
		what->pending = true;
		return;
	}
	word = &xen->array[port / 1024][port % 1024];
	tail = &xen->tail[what->vcpu][what->priority];
	atomic_set32(word, 1u << EVTCHN_FIFO_PENDING);
	if (atomic_read32(word) & 1u << EVTCHN_FIFO_MASKED ||
	    atomic_set32(word, 1u << EVTCHN_FIFO_LINKED))
		return;
	/* It was its old queue's tail: nothing may be linked to it there any more. */
	if (xen->tail[what->last_vcpu][what->last_priority] == port)
		xen->tail[what->last_vcpu][what->last_priority] = 0;
	what->last_vcpu = what->vcpu;
	what->last_priority = what->priority;
	if (!*tail || *tail == port ||
	    !tail_link(xen, &xen->array[*tail / 1024][*tail % 1024], port)) {
		atomic_write32(&xen->control[what->vcpu]->head[what->priority], port);
		*tail = port;
		if (!atomic_set32(&xen->control[what->vcpu]->ready, 1u << what->priority))
			vcpu_notify(xen, what->vcpu);
		return;
	}
	*tail = port;
}

void xen_event(struct xen *xen, uint32_t port)
{
	if (xen->fifo)
		event_fifo(xen, port);
	else
		event_2l(xen, port);
}

void xen_forget(struct xen *xen, uint64_t now)
{
	memset(xen->port, 0, sizeof(xen->port));
	memset(xen->info, 0, sizeof(xen->info));
	memset(xen->time_area, 0, sizeof(xen->time_area));
	memset(xen->runstate_area, 0, sizeof(xen->runstate_area));
	memset(xen->runstate, 0, sizeof(xen->runstate));
	memset(xen->deadline, 0, sizeof(xen->deadline));
	memset(xen->control, 0, sizeof(xen->control));
	memset(xen->tail, 0, sizeof(xen->tail));
	memset(xen->upcall_vector, 0, sizeof(xen->upcall_vector));
	for (unsigned vcpu = 0; vcpu < XEN_VCPUS; vcpu++)
		xen->periodic[vcpu] = true;
	xen->shared = NULL;
	xen->array_pages = 0;
	xen->fifo = false;
	xen->via = 0;
	xen->unplugged = 0;
	xen->now = now;
	xen->incarnation++;
}
