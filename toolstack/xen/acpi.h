/*
 * acpi.h - the ACPI tables of a PVH guest.
 *
 * libxl compiles its own in and installs none, so a toolstack brings its own. A PVH kernel needs
 * them to find its vcpus: RSDP, XSDT, a hardware-reduced FADT, a MADT with one local APIC a vcpu,
 * and a DSDT with nothing in it. ACPI specification 6.4, 5.2.
 *
 * Pure: bytes into a buffer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Local APIC ids are twice the vcpu's number and have 8 bits in a MADT entry. */
#define ACPI_VCPUS_MAX 127u

/** What the RSDP takes, with room to spare as hvmloader and libxl give it. */
#define ACPI_RSDP_SIZE 64u

/** Enough for all tables with ACPI_VCPUS_MAX vcpus. */
#define ACPI_TABLES_SIZE 4096u

/**
 * acpi_build - write the tables.
 * @tables:  ACPI_TABLES_SIZE bytes; zeroed where no table is
 * @address: guest-physical address that @tables will have
 * @rsdp:    ACPI_RSDP_SIZE bytes
 * @vcpus:   1 to ACPI_VCPUS_MAX, the highest number the guest may have
 * @online:  how many of them are there at boot, at most @vcpus
 *
 * Return: the number of bytes of @tables in use, or 0 when @vcpus or @online is out of range.
 */
size_t acpi_build(uint8_t *tables, uint64_t address, uint8_t *rsdp, unsigned vcpus,
		  unsigned online);
