/* Where the entry code arrives, and how the kernel ends. */
#include <stdint.h>

#include <xen/arch-x86/hvm/start_info.h>

#include "frontend/kernel/kernel.h"
#include "frontend/kernel/store.h"
#include "frontend/kernel/test.h"

struct kernel kernel;

/* A tool writes the command line over it where no loader passes one: a disk's boot sector, and Xen
 * when the kernel is an HVM domain's firmware. */
static const volatile char embedded[COMMAND_LINE_SIZE]
	__attribute__((section(".data"))) = "xsplit-command-line:";

#define EMBEDDED_MARK 20u

void kernel_main(const struct hvm_start_info *start);

const char *kernel_option(const char *name)
{
	const char *at = kernel.command_line;
	size_t length = strlen(name);

	while (*at) {
		if (string_begins(at, name)) {
			if (at[length] == '=')
				return at + length + 1;
			if (!at[length] || at[length] == ' ')
				return at + length;
		}
		while (*at && *at != ' ')
			at++;
		while (*at == ' ')
			at++;
	}
	return NULL;
}

static void command_line_read(const struct hvm_start_info *start)
{
	const char *line = start->cmdline_paddr ? (const char *)start->cmdline_paddr : "";
	unsigned i;

	for (i = 0; i < COMMAND_LINE_SIZE - 1 && line[i]; i++)
		kernel.command_line[i] = line[i];
	if (i)
		return;
	for (i = 0; i < COMMAND_LINE_SIZE - EMBEDDED_MARK - 1; i++)
		kernel.command_line[i] = embedded[EMBEDDED_MARK + i];
}

void kernel_shutdown(unsigned reason)
{
	struct sched_shutdown shutdown = {.reason = reason};

	for (;;) {
		hypercall_sched(&kernel.host, SCHEDOP_shutdown, &shutdown);
		cpu_interrupts_off();
		__asm__ volatile("hlt");
	}
}

void kernel_panic(const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	print_text(line, sizeof(line), format, args);
	va_end(args);
	print("kernel: %s\nTest result: FAILURE\n", line);
	kernel_shutdown(SHUTDOWN_crash);
}

static void machine_start(const struct hvm_start_info *start)
{
	guest_start();
	smp_boot();
	memory_start(start);
	interrupts_make();
	interrupts_load();
	pic_start();
	console_start_early();
	apic_enable(false);
}

void kernel_main(const struct hvm_start_info *start)
{
	struct cpuid_time time = {0};
	int rc;

	command_line_read(start);
	machine_start(start);
	rc = guest_find();
	if (rc)
		kernel_panic("there is no Xen here (error %d)", rc);
	kernel.bios = start->cmdline_paddr == 0 && (uint64_t)start < 0x10000;
	console_start();
	cpuid_time_read(&kernel.host, &kernel.xen, &time);
	clocks_start(time.khz);
	cpu_interrupts_on();
	smp_start(SMP_VCPUS_MAX);
	print("xsplit kernel: %s%s, Xen %u.%u, %u vcpus, %u pages, TSC %lu kHz, \"%s\"\n",
	      kernel.hvm ? "HVM" : "PVH", kernel.bios ? " through a BIOS" : "", kernel.xen.major,
	      kernel.xen.minor, kernel.vcpus, memory_free_pages(), clocks.tsc_khz,
	      kernel.command_line);
	rc = store_start();
	kernel.dom0 = rc == -ENODEV;
	print("Test result: %s\n", test_run());
	kernel_shutdown(SHUTDOWN_poweroff);
}
