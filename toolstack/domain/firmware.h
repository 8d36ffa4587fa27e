/*
 * firmware.h - what an HVM guest starts with: hvmloader, or an ELF file in its place, and the BIOS
 * or UEFI that hvmloader puts where the processor begins.
 *
 * Debian's files, as its libxl has them: hvmloader of xen-utils-4.17, SeaBIOS of seabios, OVMF of
 * ovmf.
 */
#pragma once

#include "toolstack/config/domain_config.h"

struct firmware {
	const char *bios; /* "seabios" or "ovmf", as hvmloader wants to be told */
	char *loader;     /* path */
	char *image;      /* path, or NULL: what stands for hvmloader needs none */
};

/**
 * firmware_find - which files a config means, and that they are there.
 * @firmware: filled on success, to be ended with firmware_free()
 * Return: 0, -ENOENT or what else is wrong with a file, -EINVAL, -ENOMEM.
 */
int firmware_find(const struct domain_config *config, struct firmware *firmware,
		  struct fault *fault);
void firmware_free(struct firmware *firmware);
