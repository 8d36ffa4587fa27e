#include "toolstack/xen/acpi.h"

#include <string.h>

#define LAPIC_ADDRESS       0xfee00000u
#define FADT_HW_REDUCED     (1u << 20)
#define FADT_NO_VGA         (1u << 2) /* of the boot architecture flags */
#define FADT_NO_CMOS_RTC    (1u << 5) /* likewise */
#define MADT_ENABLED        1u
#define MADT_ONLINE_CAPABLE 2u

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem[6];
	char oem_table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes */
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t checksum_all;
	uint8_t reserved[3];
} __attribute__((packed));

struct acpi_xsdt {
	struct acpi_header header;
	uint64_t fadt, madt;
} __attribute__((packed));

/* Revision 5: the fields that a hardware-reduced machine does not have are left zero. */
struct acpi_fadt {
	struct acpi_header header;
	uint32_t facs, dsdt;
	uint8_t legacy_hardware[65];
	uint16_t boot_flags;
	uint8_t reserved;
	uint32_t flags;
	uint8_t reset[15];
	uint8_t minor_revision;
	uint64_t x_facs, x_dsdt;
	uint8_t registers[120];
} __attribute__((packed));

struct acpi_madt {
	struct acpi_header header;
	uint32_t lapic_address;
	uint32_t flags;
} __attribute__((packed));

struct acpi_lapic {
	uint8_t type, length;
	uint8_t processor, apic_id;
	uint32_t flags;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 6.4, table 5.3");
_Static_assert(sizeof(struct acpi_fadt) == 268, "ACPI 5.0, table 5-34");
_Static_assert(sizeof(struct acpi_madt) == 44, "ACPI 6.4, table 5.19");

/* Tables are 8-byte aligned, one after the other. */
struct layout {
	uint8_t *tables;
	uint64_t address;
	size_t used;
};

static uint8_t checksum(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	while (size--)
		sum = (uint8_t)(sum + *bytes++);
	return (uint8_t)-sum;
}

static void header_fill(struct acpi_header *header, const char *signature, uint8_t revision,
			size_t length)
{
	memcpy(header->signature, signature, sizeof(header->signature));
	header->length = (uint32_t)length;
	header->revision = revision;
	memcpy(header->oem, "XSPLIT", sizeof(header->oem));
	memcpy(header->oem_table, "PVH     ", sizeof(header->oem_table));
	header->oem_revision = 1;
	memcpy(header->creator, "XSPL", sizeof(header->creator));
	header->creator_revision = 1;
}

/* Seals the table that starts at the layout's end and returns its guest-physical address. */
static uint64_t table_add(struct layout *layout, const void *table, size_t size)
{
	struct acpi_header *header = (struct acpi_header *)(layout->tables + layout->used);
	uint64_t address = layout->address + layout->used;

	if (table)
		memcpy(header, table, size);
	header->checksum = 0;
	header->checksum = checksum(header, size);
	layout->used += (size + 7) & ~(size_t)7;
	return address;
}

static uint64_t dsdt_add(struct layout *layout)
{
	struct acpi_header dsdt = {0};

	header_fill(&dsdt, "DSDT", 2, sizeof(dsdt));
	return table_add(layout, &dsdt, sizeof(dsdt));
}

static uint64_t fadt_add(struct layout *layout, uint64_t dsdt)
{
	struct acpi_fadt fadt = {
		.dsdt = (uint32_t)dsdt,
		.boot_flags = FADT_NO_VGA | FADT_NO_CMOS_RTC,
		.flags = FADT_HW_REDUCED,
		.minor_revision = 1,
		.x_dsdt = dsdt,
	};

	header_fill(&fadt.header, "FACP", 5, sizeof(fadt));
	return table_add(layout, &fadt, sizeof(fadt));
}

static uint64_t madt_add(struct layout *layout, unsigned vcpus, unsigned online)
{
	uint8_t *start = layout->tables + layout->used;
	size_t size = sizeof(struct acpi_madt) + vcpus * sizeof(struct acpi_lapic);
	struct acpi_madt madt = {.lapic_address = LAPIC_ADDRESS};

	header_fill(&madt.header, "APIC", 4, size);
	memcpy(start, &madt, sizeof(madt));
	for (unsigned i = 0; i < vcpus; i++) {
		struct acpi_lapic lapic = {
			.length = sizeof(lapic),
			.processor = (uint8_t)i,
			.apic_id = (uint8_t)(i * 2), /* as Xen numbers them */
			.flags = i < online ? MADT_ENABLED : MADT_ONLINE_CAPABLE,
		};

		memcpy(start + sizeof(madt) + i * sizeof(lapic), &lapic, sizeof(lapic));
	}
	return table_add(layout, NULL, size);
}

static void rsdp_fill(uint8_t *space, uint64_t xsdt)
{
	struct acpi_rsdp rsdp = {.revision = 2, .length = sizeof(rsdp), .xsdt = xsdt};

	memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
	memcpy(rsdp.oem, "XSPLIT", sizeof(rsdp.oem));
	rsdp.checksum = checksum(&rsdp, 20);
	rsdp.checksum_all = checksum(&rsdp, sizeof(rsdp));
	memset(space, 0, ACPI_RSDP_SIZE);
	memcpy(space, &rsdp, sizeof(rsdp));
}

size_t acpi_build(uint8_t *tables, uint64_t address, uint8_t *rsdp, unsigned vcpus, unsigned online)
{
	struct layout layout = {.tables = tables, .address = address};
	struct acpi_xsdt xsdt = {0};

	if (!vcpus || vcpus > ACPI_VCPUS_MAX || !online || online > vcpus)
		return 0;

	memset(tables, 0, ACPI_TABLES_SIZE);
	xsdt.fadt = fadt_add(&layout, dsdt_add(&layout));
	xsdt.madt = madt_add(&layout, vcpus, online);
	header_fill(&xsdt.header, "XSDT", 1, sizeof(xsdt));
	rsdp_fill(rsdp, table_add(&layout, &xsdt, sizeof(xsdt)));
	return layout.used;
}
