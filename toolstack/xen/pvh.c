#include "toolstack/xen/internal.h"

#include <stdlib.h>
#include <xen/arch-x86/hvm/start_info.h>

#include "toolstack/xen/acpi.h"

/*
 * RAM ends below the hole and goes on at 4 GiB. In the hole, ascending: our ACPI tables, the RSDP
 * in the page behind them, the local APIC at 0xfee00000, the pages that the guest shares with Xen.
 */
#define FOUR_GIB      (1ull << 32)
#define ACPI_ADDRESS  0xfc000000u
#define RSDP_ADDRESS  (ACPI_ADDRESS + ACPI_TABLES_SIZE)
#define HOLE_START    ACPI_ADDRESS
#define SPECIAL_START ((X86_HVM_END_SPECIAL_REGION - X86_HVM_NR_SPECIAL_PAGES) << XC_PAGE_SHIFT)
#define SPECIAL_SIZE  (X86_HVM_NR_SPECIAL_PAGES << XC_PAGE_SHIFT)

_Static_assert(ACPI_TABLES_SIZE % XC_PAGE_SIZE == 0, "the RSDP has a page of its own");

struct pvh_machine {
	uint8_t tables[ACPI_TABLES_SIZE], rsdp[ACPI_RSDP_SIZE];
	struct e820entry map[4];
};

/* libxl__build_hvm, libxl_dom.c */
static void ram_lay(struct xc_dom_image *dom, const struct xen_image *image)
{
	uint64_t bytes = image->maxmem_kib << 10;

	dom->container_type = XC_DOM_HVM_CONTAINER;
	dom->target_pages = image->memory_kib << 10 >> XC_PAGE_SHIFT;
	dom->mmio_start = HOLE_START;
	dom->mmio_size = FOUR_GIB - HOLE_START;
	dom->lowmem_end = bytes < HOLE_START ? bytes : HOLE_START;
	dom->highmem_end = bytes > HOLE_START ? FOUR_GIB + (bytes - HOLE_START) : 0;
}

/* The loader copies modules into the guest while they have a length; the first is the RSDP. */
static void acpi_give(struct pvh_machine *machine, struct xc_dom_image *dom,
		      const struct xen_image *image)
{
	if (!acpi_build(machine->tables, ACPI_ADDRESS, machine->rsdp, image->vcpus,
			image->vcpus_online))
		return;
	dom->acpi_modules[0] = (struct xc_hvm_firmware_module){
		.data = machine->rsdp,
		.length = ACPI_RSDP_SIZE,
		.guest_addr_out = RSDP_ADDRESS,
	};
	dom->acpi_modules[1] = (struct xc_hvm_firmware_module){
		.data = machine->tables,
		.length = ACPI_TABLES_SIZE,
		.guest_addr_out = ACPI_ADDRESS,
	};
}

/* Both Xen and the guest's start information get it. */
static void map_draw(struct pvh_machine *machine, struct xc_dom_image *dom)
{
	unsigned n = 0;

	machine->map[n++] = (struct e820entry){
		.addr = 0, .size = dom->lowmem_end, .type = XEN_HVM_MEMMAP_TYPE_RAM};
	machine->map[n++] = (struct e820entry){.addr = ACPI_ADDRESS,
					       .size = ACPI_TABLES_SIZE + ACPI_RSDP_SIZE,
					       .type = XEN_HVM_MEMMAP_TYPE_ACPI};
	machine->map[n++] = (struct e820entry){
		.addr = SPECIAL_START, .size = SPECIAL_SIZE, .type = XEN_HVM_MEMMAP_TYPE_RESERVED};
	if (dom->highmem_end)
		machine->map[n++] = (struct e820entry){.addr = FOUR_GIB,
						       .size = dom->highmem_end - FOUR_GIB,
						       .type = XEN_HVM_MEMMAP_TYPE_RAM};
	dom->e820 = machine->map;
	dom->e820_entries = n;
}

struct pvh_machine *pvh_machine_make(struct xc_dom_image *dom, const struct xen_image *image)
{
	struct pvh_machine *machine = calloc(1, sizeof(*machine));

	if (!machine)
		return NULL;
	ram_lay(dom, image);
	acpi_give(machine, dom, image);
	map_draw(machine, dom);
	return machine;
}

void pvh_machine_free(struct pvh_machine *machine)
{
	free(machine);
}
