#include "toolstack/device/model_args.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "toolstack/device/qemu.h"

#define IDE_DISKS  4
#define AHCI_DISKS 6

/* In MiB, as libxl: the least and the most usual each card has. */
#define VIDEO_CIRRUS 8
#define VIDEO_STD    16

/* The place of a disk among those of the whole machine: hda and xvda are the first. -1: none. */
static int drive_slot(const struct disk_config *disk)
{
	const char *letter = disk->vdev + (*disk->vdev == 'x' ? 3 : 2);

	if (strncmp(disk->vdev, "hd", 2) != 0 && strncmp(disk->vdev, "xvd", 3) != 0)
		return -1;
	return *letter >= 'a' && *letter <= 'z' && !letter[1] ? *letter - 'a' : -1;
}

static bool is_scsi(const struct disk_config *disk)
{
	return !strncmp(disk->vdev, "sd", 2) && disk->vdev[2] && !disk->vdev[3];
}

bool model_emulates_disk(const struct disk_config *disk)
{
	if (disk->script)
		return false;
	/* An IDE disk cannot be told not to write; a CD-ROM never does. */
	return is_scsi(disk) || ((disk->writable || disk->cdrom) && drive_slot(disk) >= 0 &&
				 drive_slot(disk) < AHCI_DISKS);
}

bool model_emulates_vif(const struct vif_config *vif)
{
	return !vif->script && vif->kind != VIF_PV_ONLY;
}

const char *model_vif_card(const struct vif_config *vif)
{
	return vif->model ? vif->model : "rtl8139";
}

bool model_restricted(const struct domain_config *config)
{
	return config_flag(config, OPTION_DM_RESTRICT, true);
}

enum model_vga model_vga(const struct domain_config *config)
{
	const char *vga = config_text(config, OPTION_VGA);

	if (config_flag(config, OPTION_NOGRAPHIC, false) || (vga && !strcmp(vga, "none")))
		return MODEL_VGA_NONE;
	if (vga ? !strcmp(vga, "stdvga") : config_flag(config, OPTION_STDVGA, false))
		return MODEL_VGA_STD;
	return MODEL_VGA_CIRRUS;
}

uint64_t model_video_kib(const struct domain_config *config)
{
	int64_t otherwise = model_vga(config) == MODEL_VGA_STD ? VIDEO_STD : VIDEO_CIRRUS;

	if (model_vga(config) == MODEL_VGA_NONE)
		return 0;
	return (uint64_t)config_number(config, OPTION_VIDEORAM, otherwise) << 10;
}

bool model_wants_vnc(const struct domain_config *config)
{
	return config_flag(config, OPTION_VNC, model_vga(config) != MODEL_VGA_NONE);
}

static const char *usb_device(const char *word)
{
	static const char *const known[][2] = {{"tablet", "usb-tablet,bus=usb-bus.0"},
					       {"mouse", "usb-mouse,bus=usb-bus.0"},
					       {"keyboard", "usb-kbd,bus=usb-bus.0"}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(word, known[i][0]))
			return known[i][1];
	return NULL;
}

const char *model_wrong(const struct domain_config *config, enum domain_option *option)
{
	enum model_vga vga = model_vga(config);
	uint64_t video = model_video_kib(config) >> 10;
	char *const *texts;
	size_t count;

	*option = OPTION_VIDEORAM;
	if (vga == MODEL_VGA_CIRRUS && video < VIDEO_CIRRUS)
		return "videoram is less than the 8 MiB of a cirrus card; raise it";
	if (vga == MODEL_VGA_STD && video < VIDEO_STD)
		return "videoram is less than the 16 MiB of a stdvga card; raise it";
	if (config->memory_kib <= video << 10)
		return "memory is not more than the graphics card's; raise it";
	*option = OPTION_VNC;
	if (vga == MODEL_VGA_NONE && model_wants_vnc(config))
		return "vnc=1 without a graphics card shows nothing; leave one of them out";
	*option = OPTION_MMIO_HOLE;
	if (config->option[OPTION_MMIO_HOLE].given)
		return "mmio_hole is not supported by this version; leave it out";
	*option = OPTION_VIRIDIAN;
	if (config->option[OPTION_VIRIDIAN].given)
		return "viridian is not supported by this version; leave it out";
	*option = OPTION_USBDEVICE;
	texts = config_texts(config, OPTION_USBDEVICE, &count);
	for (size_t i = 0; i < count; i++)
		if (!usb_device(texts[i]))
			return "usbdevice can be tablet, mouse or keyboard";
	return NULL;
}

static void machine_add(struct argv *argv, const struct domain_config *config,
			const struct model_setup *setup)
{
	char name[2 * DOMAIN_NAME_MAX + 2];

	qemu_escape(config->name, name, sizeof(name));
	argv_add(argv, "%s", setup->path);
	argv_add(argv, "-xen-domid");
	argv_add(argv, "%u", setup->domid);
	argv_pair(argv, "-name", name);
	argv_add(argv, "-no-shutdown");
	argv_add(argv, "-nodefaults");
	argv_add(argv, "-no-user-config");
	argv_add(argv, "-S");
	argv_add(argv, "-chardev");
	argv_add(argv, "socket,id=qmp,fd=%d,server=on,wait=off", setup->qmp_fd);
	argv_pair(argv, "-mon", "chardev=qmp,mode=control");
	argv_add(argv, "-machine");
	/* The machine "pc" has no Xen platform device. */
	argv_add(argv, "%s,suppress-vmdesc=on",
		 config_flag(config, OPTION_XEN_PLATFORM_PCI, true) ? "xenfv" : "pc,accel=xen");
	argv_add(argv, "-m");
	argv_add(argv, "%" PRIu64, (config->maxmem_kib - model_video_kib(config)) >> 10);
	if (config->maxvcpus > 1) {
		argv_add(argv, "-smp");
		argv_add(argv, "%" PRIu32 ",maxcpus=%" PRIu32, config->vcpus, config->maxvcpus);
	}
	if (!config_flag(config, OPTION_ACPI, true))
		argv_add(argv, "-no-acpi");
}

static void boot_add(struct argv *argv, const struct domain_config *config)
{
	const char *order = config_text(config, OPTION_BOOT);

	if (config->kernel) {
		argv_pair(argv, "-kernel", config->kernel);
		if (config->ramdisk)
			argv_pair(argv, "-initrd", config->ramdisk);
		argv_pair(argv, "-append", config->cmdline);
	}
	argv_add(argv, "-boot");
	argv_add(argv, "order=%s", order ? order : "cda");
}

static void vnc_add(struct argv *argv, const struct domain_config *config)
{
	const char *listen = config_text(config, OPTION_VNCLISTEN);
	const char *password = config_text(config, OPTION_VNCPASSWD);
	char address[256], display[24] = "";

	if (!model_wants_vnc(config)) {
		argv_pair(argv, "-vnc", "none");
		return;
	}
	qemu_escape(listen ? listen : "127.0.0.1", address, sizeof(address));
	if (!strchr(address, ':'))
		snprintf(display, sizeof(display), ":%" PRId64,
			 config_number(config, OPTION_VNCDISPLAY, 0));
	argv_add(argv, "-vnc");
	/* "to=" has to be the last. */
	argv_add(argv, "%s%s%s%s", address, display, password && *password ? ",password=on" : "",
		 config_flag(config, OPTION_VNCUNUSED, true) ? ",to=99" : "");
}

static void display_add(struct argv *argv, const struct domain_config *config)
{
	const char *keymap = config_text(config, OPTION_KEYMAP);

	argv_pair(argv, "-display", "none");
	vnc_add(argv, config);
	if (keymap)
		argv_pair(argv, "-k", keymap);
	if (model_vga(config) == MODEL_VGA_NONE)
		return;
	argv_add(argv, "-device");
	argv_add(argv, "%s,vgamem_mb=%" PRIu64,
		 model_vga(config) == MODEL_VGA_STD ? "VGA" : "cirrus-vga",
		 model_video_kib(config) >> 10);
}

static void ports_add(struct argv *argv, const struct domain_config *config)
{
	char *const *texts;
	size_t count;

	texts = config_texts(config, OPTION_SERIAL, &count);
	for (size_t i = 0; i < count; i++)
		argv_pair(argv, "-serial", texts[i]);
	texts = config_texts(config, OPTION_USBDEVICE, &count);
	if (!count && !config_flag(config, OPTION_USB, false))
		return;
	argv_add(argv, "-usb");
	for (size_t i = 0; i < count; i++)
		argv_pair(argv, "-device", usb_device(texts[i]));
}

/*
 * The backend has the image open as well: the guest uses one way at a time. A QEMU that takes a
 * saved state would open the image read-only and once more, by its path, when the machine runs: in
 * its empty root there is no such path, so it opens it as it shall be from the first.
 */
static void image_add(struct argv *argv, const struct disk_config *disk)
{
	char file[8192];

	qemu_escape(disk->target, file, sizeof(file));
	argv_add(argv, "-drive");
	argv_add(argv,
		 "if=none,id=drive-%s,file=%s,format=%s,%sauto-read-only=off,cache=writeback,"
		 "discard=%s,readonly=%s",
		 disk->vdev, file, disk_format_word(disk->format),
		 disk->remote ? "" : "file.locking=off,", disk->discard ? "unmap" : "ignore",
		 disk->writable ? "off" : "on");
}

static void disk_add(struct argv *argv, const struct domain_config *config,
		     const struct disk_config *disk)
{
	const char *hdtype = config_text(config, OPTION_HDTYPE);
	bool ahci = hdtype && !strcmp(hdtype, "ahci");
	int slot = is_scsi(disk) ? disk->vdev[2] - 'a' : drive_slot(disk);
	const char *kind = disk->cdrom ? "cd" : "hd";
	char drive[32] = "";

	if (!model_emulates_disk(disk) ||
	    (!is_scsi(disk) && slot >= (ahci ? AHCI_DISKS : IDE_DISKS)))
		return;
	if (*disk->target) {
		image_add(argv, disk);
		snprintf(drive, sizeof(drive), ",drive=drive-%s", disk->vdev);
	}
	argv_add(argv, "-device");
	if (is_scsi(disk))
		argv_add(argv, "scsi-%s,id=" MODEL_DISK "%s,scsi-id=%d%s", kind, disk->vdev, slot,
			 drive);
	else if (ahci)
		argv_add(argv, "ide-%s,id=" MODEL_DISK "%s,bus=ahci0.%d,unit=0%s", kind, disk->vdev,
			 slot, drive);
	else
		argv_add(argv, "ide-%s,id=" MODEL_DISK "%s,bus=ide.%d,unit=%d%s", kind, disk->vdev,
			 slot / 2, slot % 2, drive);
}

static void disks_add(struct argv *argv, const struct domain_config *config)
{
	const char *hdtype = config_text(config, OPTION_HDTYPE);

	if (hdtype && !strcmp(hdtype, "ahci"))
		argv_pair(argv, "-device", "ahci,id=ahci0");
	for (size_t i = 0; i < config->disks; i++) {
		if (!is_scsi(&config->disk[i]))
			continue;
		argv_pair(argv, "-device", "lsi53c895a");
		break;
	}
	for (size_t i = 0; i < config->disks; i++)
		disk_add(argv, config, &config->disk[i]);
}

static void vifs_add(struct argv *argv, const struct domain_config *config,
		     const struct model_setup *setup)
{
	char mac[MAC_TEXT_SIZE];
	bool any = false;

	for (size_t i = 0; i < config->vifs; i++) {
		const struct vif_config *vif = &config->vif[i];

		if (setup->vif_fd[i] < 0)
			continue;
		any = true;
		mac_format(vif->mac, mac);
		argv_add(argv, "-netdev");
		argv_add(argv, "tap,id=net%d,fd=%d", vif->devid, setup->vif_fd[i]);
		argv_add(argv, "-device");
		argv_add(argv, "%s,id=nic%d,netdev=net%d,mac=%s", model_vif_card(vif), vif->devid,
			 vif->devid, mac);
	}
	if (!any)
		argv_pair(argv, "-net", "none");
}

/* The domain's id must be restricted last: QEMU does it when all is open. */
static void sandbox_add(struct argv *argv, const struct model_setup *setup)
{
	if (!setup->root)
		return;
	argv_add(argv, "-xen-domid-restrict");
	argv_pair(argv, "-chroot", setup->root);
	argv_add(argv, "-runas");
	argv_add(argv, "%" PRIu32 ":%" PRIu32, setup->uid, setup->gid);
}

static void extra_add(struct argv *argv, const struct domain_config *config)
{
	static const enum domain_option options[] = {OPTION_DEVICE_MODEL_ARGS,
						     OPTION_DEVICE_MODEL_ARGS_HVM};
	char *const *texts;
	size_t count;

	for (size_t o = 0; o < sizeof(options) / sizeof(options[0]); o++) {
		texts = config_texts(config, options[o], &count);
		for (size_t i = 0; i < count; i++)
			argv_add(argv, "%s", texts[i]);
	}
}

void model_args(struct argv *argv, const struct domain_config *config,
		const struct model_setup *setup)
{
	machine_add(argv, config, setup);
	boot_add(argv, config);
	display_add(argv, config);
	ports_add(argv, config);
	disks_add(argv, config);
	vifs_add(argv, config, setup);
	sandbox_add(argv, setup);
	if (setup->state_fd >= 0) {
		argv_add(argv, "-incoming");
		argv_add(argv, "fd:%d", setup->state_fd);
	}
	extra_add(argv, config);
}
