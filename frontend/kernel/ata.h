/*
 * ata.h - the first emulated IDE disk, by bus-master DMA, as a fully virtualised guest uses it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** ata_present - does a disk answer on the first channel? */
bool ata_present(void);

/** ata_start - find the controller's DMA registers and route its interrupt. 0 or -ENODEV. */
int ata_start(void);

/** ata_read - 4 KiB from sector @sector into the page @page, waiting for the interrupt. 0 or -EIO.
 */
int ata_read(uint32_t sector, void *page);

/** ata_stop - mask its interrupt. */
void ata_stop(void);

/** ata_ask - the cheapest command that ends with an interrupt: is the disk awake? Looked for
 * without sleep. Return: 0 or -EIO. */
int ata_ask(void);
