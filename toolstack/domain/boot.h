/*
 * boot.h - what is put into a new domain: found in the config, chosen by a bootloader, or a
 * firmware that finds it from inside.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/domain/bootloader.h"
#include "toolstack/domain/firmware.h"
#include "toolstack/toolstack.h"

struct boot {
	const char *kernel, *ramdisk, *cmdline; /* the config's own, or in what is below */
	struct bootloader loader;               /* of a PV or PVH guest, when one was run */
	struct firmware firmware;               /* of an HVM guest */
	uint64_t video_kib;                     /* likewise */
};

/** boot_plan - is what a PV or PVH guest's firmware= names there, and nothing else to boot? */
int boot_plan(const struct domain_config *config, struct fault *fault);

/**
 * boot_prepare - find it.
 * @menu: a bootloader may ask the user at the terminal
 * @boot: filled on success, to be ended with boot_free() when the domain is built
 */
int boot_prepare(struct toolstack *ts, const struct domain_config *config, bool menu,
		 struct boot *boot, struct fault *fault);
void boot_free(struct boot *boot);

/** boot_limits - complete what Xen is asked for when the domain is made, by its kind. */
void boot_limits(const struct domain_config *config, struct xen_limits *limits);

/** boot_image - what is put in; the ports are the caller's to fill in. */
void boot_image(const struct domain_config *config, const struct boot *boot,
		struct xen_image *image);
