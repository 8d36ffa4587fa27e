/*
 * model_args.h - the command line of an HVM guest's device model.
 *
 * What libxl gives QEMU (libxl__build_device_model_args_new, libxl_dm.c), with these differences:
 * TAPs come as descriptors, so that the device model needs no right to make any; the sandbox is on
 * unless dm_restrict=0; QEMU starts its machine only when told by QMP. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/argv.h"
#include "toolstack/config/domain_config.h"

/** The graphics cards that a device model has. */
enum model_vga { MODEL_VGA_NONE, MODEL_VGA_CIRRUS, MODEL_VGA_STD };

/** What is not in the config. Descriptors are those in the device model's own process. */
struct model_setup {
	const char *path; /* QEMU */
	uint16_t domid;
	int qmp_fd;              /* a listening socket */
	int vif_fd[DEVICES_MAX]; /* TAPs by the config's index; -1: the vif is not emulated */
	int state_fd;            /* a saved device model's state, or -1 */
	const char *root;        /* an empty directory; NULL without sandbox */
	uint32_t uid, gid;       /* in the sandbox */
};

/** model_args - compose it; words.rc tells whether memory sufficed. */
void model_args(struct argv *argv, const struct domain_config *config,
		const struct model_setup *setup);

/** model_wrong - what of a config the device model cannot do: NULL, or the words after the place.
 * @option: where it stands */
const char *model_wrong(const struct domain_config *config, enum domain_option *option);

/** model_restricted - shall the device model run in its sandbox? */
bool model_restricted(const struct domain_config *config);

/** model_vga, model_video_kib - the graphics card and its memory, part of maxmem. */
enum model_vga model_vga(const struct domain_config *config);
uint64_t model_video_kib(const struct domain_config *config);

/** What a drive is called over QMP, in front of the disk's vdev. */
#define MODEL_DISK "disk-"

/** model_emulates - has a disk a drive, a vif a card in the emulated machine? */
bool model_emulates_disk(const struct disk_config *disk);
bool model_emulates_vif(const struct vif_config *vif);

/** model_vif_card - QEMU's name of a vif's emulated card. */
const char *model_vif_card(const struct vif_config *vif);

/** model_wants_vnc - shall there be a VNC server? */
bool model_wants_vnc(const struct domain_config *config);
