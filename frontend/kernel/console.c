#include "frontend/kernel/console.h"

#include <stdint.h>

#include <xen/io/console.h>

#include "frontend/kernel/kernel.h"

#define COM1       0x3f8
#define COM_FULL   1000000u /* looks before a byte is given up */
#define RING_WAIT  2000u    /* yields before what is left of a line is given up */
#define DEBUG_PORT 0xe9

static struct {
	struct xencons_interface *ring;
	uint32_t port; /* before it is a channel of pvh-timer's */
	struct evtchn_channel channel;
	bool serial, xen, debug;
	uint32_t lock;
} console;

/* A scratch register remembers only where there is a port. */
void console_start_early(void)
{
	cpu_out8(COM1 + 7, 0x5a);
	console.serial = cpu_in8(COM1 + 7) == 0x5a;
	if (!console.serial)
		return;
	cpu_out8(COM1 + 1, 0);
	cpu_out8(COM1 + 3, 0x80);
	cpu_out8(COM1, 1);
	cpu_out8(COM1 + 1, 0);
	cpu_out8(COM1 + 3, 3);
	cpu_out8(COM1 + 2, 7);
	cpu_out8(COM1 + 4, 3);
}

void console_resume(void)
{
	uint64_t frame, port;

	if (hypercall_param_get(&kernel.host, HVM_PARAM_CONSOLE_PFN, &frame) || !frame ||
	    hypercall_param_get(&kernel.host, HVM_PARAM_CONSOLE_EVTCHN, &port))
		return;
	console.ring = (void *)(frame * 4096);
	console.port = (uint32_t)port;
}

void console_start(void)
{
	console_resume();
	console.xen = !console.ring;
	/* Each of its bytes is two trips to the device model. */
	console.serial = console.serial && (!console.ring || kernel_option("serial"));
	console.debug = kernel_option("debug");
}

static bool ring_event(void *arg)
{
	return true; /* who waits for room looks at the ring */
}

int console_upgrade(void)
{
	if (!console.ring)
		return -ENODEV;
	console.channel = (struct evtchn_channel){.handler = ring_event, .priority = 15};
	kernel.pvh.console = &console.channel;
	return evtchn_adopt(&kernel.pvh.evtchn, &console.channel, console.port);
}

static void serial_write(char c)
{
	unsigned looks = 0;

	while (!(cpu_in8(COM1 + 5) & 0x20) && looks++ < COM_FULL)
		;
	cpu_out8(COM1, (uint8_t)c);
}

static void ring_notify(void)
{
	struct evtchn_send send = {.port = console.channel.kind == EVTCHN_CLOSED
						   ? console.port
						   : console.channel.port};

	hypercall_evtchn(&kernel.host, EVTCHNOP_send, &send);
}

/* The other side is a daemon of dom0: if it does not read, the line is lost rather than we. */
static bool ring_room(uint32_t produced)
{
	for (unsigned wait = 0; wait < RING_WAIT; wait++) {
		uint32_t used =
			produced - __atomic_load_n(&console.ring->out_cons, __ATOMIC_ACQUIRE);

		if (used < sizeof(console.ring->out))
			return true;
		__atomic_store_n(&console.ring->out_prod, produced, __ATOMIC_RELEASE);
		ring_notify();
		hypercall_sched(&kernel.host, SCHEDOP_yield, NULL);
	}
	return false;
}

static void ring_write(const char *text, size_t size)
{
	uint32_t produced = console.ring->out_prod;

	for (size_t i = 0; i < size; i++) {
		if (!ring_room(produced))
			break;
		console.ring->out[produced++ % sizeof(console.ring->out)] = text[i];
	}
	__atomic_store_n(&console.ring->out_prod, produced, __ATOMIC_RELEASE);
	ring_notify();
}

void console_write(const char *text, size_t size)
{
	bool on = cpu_interrupts_save();

	while (__atomic_exchange_n(&console.lock, 1, __ATOMIC_ACQUIRE))
		cpu_relax();
	if (console.ring)
		ring_write(text, size);
	if (console.xen)
		kernel.host.ops->hypercall(&kernel.host, __HYPERVISOR_console_io, 0, size,
					   (unsigned long)text, 0, 0);
	for (size_t i = 0; i < size; i++) {
		if (console.serial && text[i] == '\n')
			serial_write('\r');
		if (console.serial)
			serial_write(text[i]);
		if (console.debug)
			cpu_out8(DEBUG_PORT, (uint8_t)text[i]);
	}
	__atomic_store_n(&console.lock, 0, __ATOMIC_RELEASE);
	cpu_interrupts_restore(on);
}
