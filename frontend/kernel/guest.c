/* What pvh-timer needs of its host (pvh-timer/host.h). */
#include "frontend/kernel/kernel.h"

#define PCI_ADDRESS             0xcf8
#define PCI_DATA                0xcfc
#define MSR_HYPERCALL_PAGE_SIZE 4096u

static uint8_t hypercall_page[MSR_HYPERCALL_PAGE_SIZE] __attribute__((aligned(4096)));

static long call_page(unsigned number, unsigned long a, unsigned long b, unsigned long c,
		      unsigned long d, unsigned long e)
{
	register unsigned long r10 __asm__("r10") = d;
	register unsigned long r8 __asm__("r8") = e;
	void *entry = hypercall_page + (size_t)number * 32;
	long rc;

	__asm__ volatile("call *%[entry]"
			 : "=a"(rc), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
			 : [entry] "r"(entry)
			 : "memory", "rcx", "r11");
	return rc;
}

static long call_intel(unsigned number, unsigned long a, unsigned long b, unsigned long c,
		       unsigned long d, unsigned long e)
{
	register unsigned long r10 __asm__("r10") = d;
	register unsigned long r8 __asm__("r8") = e;
	long rc;

	__asm__ volatile("vmcall"
			 : "=a"(rc), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
			 : "0"((unsigned long)number)
			 : "memory");
	return rc;
}

static long call_amd(unsigned number, unsigned long a, unsigned long b, unsigned long c,
		     unsigned long d, unsigned long e)
{
	register unsigned long r10 __asm__("r10") = d;
	register unsigned long r8 __asm__("r8") = e;
	long rc;

	__asm__ volatile("vmmcall"
			 : "=a"(rc), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
			 : "0"((unsigned long)number)
			 : "memory");
	return rc;
}

static long host_hypercall(struct pvh_host *host, unsigned number, unsigned long a, unsigned long b,
			   unsigned long c, unsigned long d, unsigned long e)
{
	kernel.hypercalls++;
	switch (kernel.way) {
	case HYPERCALL_VMCALL:
		return call_intel(number, a, b, c, d, e);
	case HYPERCALL_VMMCALL:
		return call_amd(number, a, b, c, d, e);
	case HYPERCALL_PAGE:
		return call_page(number, a, b, c, d, e);
	default:
		return -ENOSYS;
	}
}

static void host_cpuid(struct pvh_host *host, uint32_t leaf, uint32_t subleaf,
		       struct pvh_cpuid_words *words)
{
	__asm__ volatile("cpuid"
			 : "=a"(words->eax), "=b"(words->ebx), "=c"(words->ecx), "=d"(words->edx)
			 : "0"(leaf), "2"(subleaf));
}

static uint64_t host_rdtsc(struct pvh_host *host)
{
	return cpu_rdtsc_ordered();
}

static uint32_t host_port_in(struct pvh_host *host, uint16_t port, unsigned bytes)
{
	return bytes == 1 ? cpu_in8(port) : bytes == 2 ? cpu_in16(port) : cpu_in32(port);
}

static void host_port_out(struct pvh_host *host, uint16_t port, unsigned bytes, uint32_t value)
{
	if (bytes == 1)
		cpu_out8(port, (uint8_t)value);
	else if (bytes == 2)
		cpu_out16(port, (uint16_t)value);
	else
		cpu_out32(port, value);
}

static void *host_page_allocate(struct pvh_host *host)
{
	return memory_pages(1);
}

static void host_page_free(struct pvh_host *host, void *page)
{
	memory_pages_free(page, 1);
}

static uint64_t host_physical(struct pvh_host *host, const volatile void *pointer)
{
	return (uint64_t)pointer;
}

static void *host_frame(struct pvh_host *host, unsigned slot, uint64_t *gfn)
{
	uint64_t address = memory_unpopulated(FRAME_SHARED + slot);

	*gfn = address / PVH_PAGE_SIZE;
	return (void *)address;
}

static unsigned host_vcpu(struct pvh_host *host)
{
	return smp_vcpu();
}

static int host_vcpu_run(struct pvh_host *host, unsigned vcpu, void (*function)(void *arg),
			 void *arg)
{
	return smp_run(vcpu, function, arg);
}

static bool host_lapic_enabled(struct pvh_host *host)
{
	return apic_enabled();
}

static void host_lapic_eoi(struct pvh_host *host)
{
	apic_eoi();
}

static void host_upcall_again(struct pvh_host *host, uint8_t vector)
{
	apic_send(smp_vcpu() * 2, vector);
}

/* Through the 8259s or the IO-APIC: the acknowledgement goes where it came from. */
static void pic_upcall(void)
{
	kernel.line.came_by_pic = true;
	upcall_interrupt(&kernel.pvh.upcall, 0, true);
}

static void ioapic_upcall(void)
{
	kernel.line.came_by_pic = false;
	upcall_interrupt(&kernel.pvh.upcall, 0, true);
}

/* The firmware has written where a PCI line goes; without one, Xen's fixed routing tells. */
static uint8_t line_gsi(const struct pvh_line *line)
{
	if (!line->pci)
		return line->gsi;
	return (uint8_t)(16 + ((line->devfn >> 3) * 4 + (line->devfn >> 3 >> 3) + line->intx) % 32);
}

static void line_close(void)
{
	if (kernel.line.open && kernel.line.by_pic)
		pic_mask_all();
	else if (kernel.line.open)
		ioapic_mask(kernel.line.gsi);
	kernel.line.open = false;
}

static int host_line_open(struct pvh_host *host, const struct pvh_line *line, uint8_t vector)
{
	line_close();
	if (!line)
		return 0;
	/* Dom0's lines are the real machine's. */
	if (!kernel.hvm || kernel.dom0)
		return -ENODEV;
	kernel.line.gsi = line_gsi(line);
	kernel.line.by_pic = kernel.by_pic && kernel.line.gsi < 16;
	kernel.line.open = true;
	if (kernel.line.by_pic) {
		interrupts_handle((uint8_t)(VECTOR_PIC + kernel.line.gsi), pic_upcall);
		pic_route(kernel.line.gsi, true);
	} else {
		interrupts_handle(VECTOR_LINE, ioapic_upcall);
		ioapic_route(kernel.line.gsi, VECTOR_LINE, true);
	}
	return 0;
}

static void host_line_eoi(struct pvh_host *host)
{
	if (kernel.line.came_by_pic)
		pic_eoi(kernel.line.gsi);
	else
		apic_eoi();
}

static uint64_t host_now(struct pvh_host *host)
{
	return clocks_ns();
}

static void host_relax(struct pvh_host *host)
{
	smp_yield();
}

static const struct pvh_ops ops = {
	.hypercall = host_hypercall,
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

void guest_start(void)
{
	kernel.host.ops = &ops;
}

static uint32_t pci_read(uint8_t devfn, uint8_t reg)
{
	cpu_out32(PCI_ADDRESS, 0x80000000u | (uint32_t)devfn << 8 | reg);
	return cpu_in32(PCI_DATA);
}

/* The platform device, 5853:0001, on bus 0. */
static void platform_find(void)
{
	for (unsigned device = 0; device < 32; device++) {
		if (pci_read((uint8_t)(device << 3), 0) != 0x00015853)
			continue;
		kernel.pvh.pci_present = true;
		kernel.pvh.line.devfn = (uint8_t)(device << 3);
		kernel.pvh.line.intx = 0;
	}
}

int guest_find(void)
{
	int rc = cpuid_find(&kernel.host, &kernel.xen);

	if (rc)
		return rc;
	kernel.way = hypercall_way_choose(&kernel.xen);
	if (kernel.xen.hypercall_msr)
		cpu_wrmsr(kernel.xen.hypercall_msr, (uint64_t)hypercall_page);
	kernel.hvm = ioapic_present();
	kernel.pvh.line.gsi = 5;
	if (kernel.hvm)
		platform_find();
	return kernel.way == HYPERCALL_NONE ? -ENODEV : 0;
}
