/* A PVH guest's ACPI tables: every checksum is right, every address leads where it should. */
#include <stdint.h>
#include <string.h>

#include "tests/unit/check.h"
#include "toolstack/xen/acpi.h"

#define ADDRESS 0xfc001000ull

static uint8_t tables[ACPI_TABLES_SIZE], rsdp[ACPI_RSDP_SIZE];

static uint8_t sum(const uint8_t *bytes, size_t size)
{
	uint8_t total = 0;

	while (size--)
		total = (uint8_t)(total + *bytes++);
	return total;
}

static uint64_t number(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, at, bytes);
	return value;
}

/* The table at a guest-physical address: inside, sealed, and of this name. */
static const uint8_t *table(uint64_t address, const char *name)
{
	const uint8_t *at;

	ck_assert_uint_ge(address, ADDRESS);
	ck_assert_uint_lt(address - ADDRESS, ACPI_TABLES_SIZE);
	at = tables + (address - ADDRESS);
	ck_assert_msg(!memcmp(at, name, 4), "%s", name);
	ck_assert_uint_le(address - ADDRESS + number(at + 4, 4), ACPI_TABLES_SIZE);
	ck_assert_msg(sum(at, number(at + 4, 4)) == 0, "checksum of %s", name);
	return at;
}

static const struct {
	unsigned vcpus, online;
} sizes[] = {{1, 1}, {2, 1}, {4, 4}, {ACPI_VCPUS_MAX, 1}};

START_TEST(chain)
{
	unsigned vcpus = sizes[_i].vcpus, online = sizes[_i].online;
	size_t used = acpi_build(tables, ADDRESS, rsdp, vcpus, online);
	const uint8_t *xsdt, *fadt, *madt;

	ck_assert_uint_gt(used, 0);
	ck_assert_uint_le(used, ACPI_TABLES_SIZE);
	ck_assert(!memcmp(rsdp, "RSD PTR ", 8));
	ck_assert_uint_eq(sum(rsdp, 20), 0);
	ck_assert_uint_eq(sum(rsdp, 36), 0);

	xsdt = table(number(rsdp + 24, 8), "XSDT");
	ck_assert_uint_eq(number(xsdt + 4, 4), 36 + 2 * 8);
	fadt = table(number(xsdt + 36, 8), "FACP");
	ck_assert_uint_ne(number(fadt + 112, 4) & 1u << 20, 0);
	ck_assert_uint_eq(number(fadt + 40, 4), number(fadt + 140, 8));
	table(number(fadt + 140, 8), "DSDT");

	madt = table(number(xsdt + 44, 8), "APIC");
	ck_assert_uint_eq(number(madt + 36, 4), 0xfee00000);
	ck_assert_uint_eq(number(madt + 4, 4), 44 + vcpus * 8);
	for (unsigned i = 0; i < vcpus; i++) {
		const uint8_t *lapic = madt + 44 + i * 8;

		ck_assert_uint_eq(lapic[0], 0);
		ck_assert_uint_eq(lapic[1], 8);
		ck_assert_uint_eq(lapic[2], i);
		ck_assert_uint_eq(lapic[3], i * 2);
		ck_assert_uint_eq(lapic[4] & 1, i < online);
	}
}
END_TEST

START_TEST(out_of_range)
{
	ck_assert_uint_eq(acpi_build(tables, ADDRESS, rsdp, 0, 0), 0);
	ck_assert_uint_eq(acpi_build(tables, ADDRESS, rsdp, 1, 0), 0);
	ck_assert_uint_eq(acpi_build(tables, ADDRESS, rsdp, 1, 2), 0);
	ck_assert_uint_eq(acpi_build(tables, ADDRESS, rsdp, ACPI_VCPUS_MAX + 1, 1), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("acpi");
	TCase *tc = tcase_create("acpi");

	tcase_add_loop_test(tc, chain, 0, TABLE_SIZE(sizes));
	tcase_add_test(tc, out_of_range);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
