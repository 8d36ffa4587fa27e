#include "toolstack/domain/boot.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "toolstack/device/model_args.h"

#define GRUB "/usr/lib/grub-xen/grub-"

/* The ROM of an emulated card is memory of the guest's. */
#define CARD_ROM_KIB 256

/* A program is put into a domain the way a PV kernel is. */
static enum xen_container container_of_type(enum domain_type type)
{
	switch (type) {
	case DOMAIN_HVM:
		return XEN_HVM;
	case DOMAIN_PVH:
		return XEN_PVH;
	case DOMAIN_PV:
	case DOMAIN_PROCESS:
	default:
		return XEN_PV;
	}
}

/* xl's words for GRUB as a guest's kernel; Debian has them in grub-xen-host. */
static const char *grub_of(const struct domain_config *config)
{
	const char *word = config_text(config, OPTION_FIRMWARE);

	if (!word)
		return NULL;
	if (config->type == DOMAIN_PVH)
		return GRUB "i386-xen_pvh.bin";
	return !strcmp(word, "pvgrub32") ? GRUB "i386-xen.bin" : GRUB "x86_64-xen.bin";
}

int boot_plan(const struct domain_config *config, struct fault *fault)
{
	const char *word = config_text(config, OPTION_FIRMWARE), *grub = grub_of(config);
	char place[256];
	int rc;

	if (!grub)
		return 0;
	option_place(config, OPTION_FIRMWARE, place, sizeof(place));
	if (config->kernel || config->option[OPTION_BOOTLOADER].given)
		return fault_set(fault, -EINVAL,
				 "%s: both firmware and %s are set; keep one of them", place,
				 config->kernel ? "kernel" : "bootloader");
	if (strcmp(word, "pvgrub32") != 0 && strcmp(word, "pvgrub64") != 0)
		return fault_set(fault, -EINVAL,
				 "%s: firmware=\"%s\" is none of a %s guest; use pvgrub32 or "
				 "pvgrub64",
				 place, word, domain_type_word(config->type));
	if (!access(grub, R_OK))
		return 0;
	rc = -errno;
	return fault_set(fault, rc, "%s: firmware %s: %s; install the package grub-xen-host", place,
			 grub, strerror(-rc));
}

static int loader_prepare(struct toolstack *ts, const struct domain_config *config, bool menu,
			  struct boot *boot, struct fault *fault)
{
	int rc;

	if (!config->option[OPTION_BOOTLOADER].given) {
		if (!boot->kernel)
			boot->kernel = grub_of(config);
		return 0;
	}
	rc = bootloader_run(ts, config, menu, &boot->loader, fault);
	if (rc)
		return rc;
	boot->kernel = boot->loader.kernel;
	boot->ramdisk = boot->loader.ramdisk;
	boot->cmdline = boot->loader.cmdline;
	return 0;
}

int boot_prepare(struct toolstack *ts, const struct domain_config *config, bool menu,
		 struct boot *boot, struct fault *fault)
{
	*boot = (struct boot){
		.kernel = config->kernel, .ramdisk = config->ramdisk, .cmdline = config->cmdline};
	if (config->type != DOMAIN_HVM)
		return loader_prepare(ts, config, menu, boot, fault);
	boot->video_kib = model_video_kib(config);
	return firmware_find(config, &boot->firmware, fault);
}

void boot_free(struct boot *boot)
{
	bootloader_free(&boot->loader);
	firmware_free(&boot->firmware);
}

void boot_limits(const struct domain_config *config, struct xen_limits *limits)
{
	limits->container = container_of_type(config->type);
	limits->hpet = config_flag(config, OPTION_HPET, true);
	if (config->type != DOMAIN_HVM)
		return;
	for (size_t i = 0; i < config->vifs; i++)
		if (model_emulates_vif(&config->vif[i]))
			limits->model_kib += CARD_ROM_KIB;
}

void boot_image(const struct domain_config *config, const struct boot *boot,
		struct xen_image *image)
{
	bool hvm = config->type == DOMAIN_HVM;

	*image = (struct xen_image){
		.container = container_of_type(config->type),
		.kernel = hvm ? boot->firmware.loader : boot->kernel,
		.ramdisk = hvm ? NULL : boot->ramdisk,
		.cmdline = boot->cmdline,
		.memory_kib = config->memory_kib,
		.maxmem_kib = config->maxmem_kib,
		.video_kib = boot->video_kib,
		.firmware = boot->firmware.image,
		.apic = config_flag(config, OPTION_APIC, true),
		.vcpus = config->maxvcpus,
		.vcpus_online = config->vcpus,
	};
}
