#include "frontend/kernel/ata.h"

#include "frontend/kernel/kernel.h"

#define PORT    0x1f0
#define CONTROL 0x3f6
#define LINE    14
#define VECTOR  (VECTOR_LINE + 1)
#define SECTORS 8u /* 4 KiB */
#define BUSY    0x80
#define READY   0x40
#define WAIT_NS UINT64_C(10000000000)

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define REG_COMMAND 0x04
#define REG_MASTER  0x20
/* Where the bus master goes if no firmware gave it a place. */
#define MASTER_PORT 0xc100u

/* One region: physical address, bytes, and the mark of the last. */
static struct {
	struct {
		uint32_t address;
		uint16_t size, last;
	} region __attribute__((aligned(8)));
	uint16_t port; /* of the bus master */
	uint32_t interrupts;
	uint8_t status;
	bool reading; /* by the bus master, whose interrupt is to be taken back too */
} ata;

static uint32_t pci_read(uint32_t device, uint32_t function, uint32_t reg)
{
	cpu_out32(PCI_ADDRESS, 0x80000000u | device << 11 | function << 8 | reg);
	return cpu_in32(PCI_DATA);
}

static void pci_write(uint32_t device, uint32_t function, uint32_t reg, uint32_t value)
{
	cpu_out32(PCI_ADDRESS, 0x80000000u | device << 11 | function << 8 | reg);
	cpu_out32(PCI_DATA, value);
}

bool ata_present(void)
{
	uint8_t status;

	if (!kernel.hvm)
		return false;
	cpu_out8(PORT + 6, 0xe0);
	status = cpu_in8(PORT + 7);
	return status != 0xff && status & READY && !(status & BUSY);
}

/* Reading the status takes the interrupt back. */
static void interrupt(void)
{
	ata.status = cpu_in8(PORT + 7);
	if (ata.reading)
		cpu_out8((uint16_t)(ata.port + 2), 4);
	__atomic_fetch_add(&ata.interrupts, 1, __ATOMIC_SEQ_CST);
	apic_eoi();
}

static void master_start(uint32_t device, uint32_t function)
{
	ata.port = (uint16_t)(pci_read(device, function, REG_MASTER) & 0xfffc);
	if (!ata.port) {
		ata.port = MASTER_PORT;
		pci_write(device, function, REG_MASTER, MASTER_PORT);
	}
	pci_write(device, function, REG_COMMAND, 5); /* ports and bus mastering */
}

int ata_start(void)
{
	for (uint32_t device = 0; device < 32; device++) {
		for (uint32_t function = 0; function < 8; function++) {
			if (pci_read(device, function, 8) >> 16 == 0x0101)
				master_start(device, function);
		}
	}
	if (!ata.port || !ata_present())
		return -ENODEV;
	interrupts_handle(VECTOR, interrupt);
	ioapic_route(LINE, VECTOR, false);
	cpu_out8(CONTROL, 0);
	return 0;
}

static void command(uint32_t sector)
{
	cpu_out8(PORT + 6, (uint8_t)(0xe0 | (sector >> 24 & 0xf)));
	cpu_out8(PORT + 2, SECTORS);
	cpu_out8(PORT + 3, (uint8_t)sector);
	cpu_out8(PORT + 4, (uint8_t)(sector >> 8));
	cpu_out8(PORT + 5, (uint8_t)(sector >> 16));
	cpu_out8(PORT + 7, 0xc8); /* READ DMA */
}

int ata_read(uint32_t sector, void *page)
{
	uint32_t before = __atomic_load_n(&ata.interrupts, __ATOMIC_ACQUIRE);
	uint64_t end = clocks_ns() + WAIT_NS;

	ata.region.address = (uint32_t)(uint64_t)page;
	ata.region.size = 4096;
	ata.region.last = 0x8000;
	cpu_out32((uint16_t)(ata.port + 4), (uint32_t)(uint64_t)&ata.region);
	ata.reading = true;
	cpu_out8((uint16_t)(ata.port + 2), 6);
	cpu_out8(ata.port, 8);
	command(sector);
	cpu_out8(ata.port, 9);
	cpu_interrupts_off();
	while (__atomic_load_n(&ata.interrupts, __ATOMIC_ACQUIRE) == before && clocks_ns() < end)
		cpu_wait();
	cpu_interrupts_on();
	cpu_out8(ata.port, 0);
	ata.reading = false;
	return ata.interrupts == before || ata.status & 1 ? -EIO : 0;
}

int ata_ask(void)
{
	uint32_t before = __atomic_load_n(&ata.interrupts, __ATOMIC_ACQUIRE);
	uint64_t end = clocks_ns() + WAIT_NS;

	cpu_out8(PORT + 7, 0xe5); /* CHECK POWER MODE */
	while (__atomic_load_n(&ata.interrupts, __ATOMIC_ACQUIRE) == before) {
		if (clocks_ns() > end)
			return -EIO;
		cpu_relax();
	}
	return 0;
}

void ata_stop(void)
{
	ioapic_mask(LINE);
}
