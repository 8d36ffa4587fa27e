/*
 * options.h - the keys of xl.cfg(5) that hold one plain value: a flag, a number, a word, a text, or
 * a list of texts.
 *
 * One table says how each is read and which domains can have it; reading, printing and JSON follow
 * from it. A key that means nothing for the domain's type is refused, never ignored.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolstack/fault.h"

struct domain_config;

enum domain_option {
	/* processors */
	OPTION_CPUS,
	OPTION_CPUS_SOFT,
	OPTION_CPU_WEIGHT,
	OPTION_CAP,
	OPTION_POOL,
	OPTION_CPUID,
	OPTION_HAP,
	OPTION_NESTEDHVM,
	OPTION_VIRIDIAN,
	OPTION_VPMU,
	OPTION_PAE,
	OPTION_SHADOW_MEMORY,
	/* time */
	OPTION_LOCALTIME,
	OPTION_RTC_TIMEOFFSET,
	OPTION_TSC_MODE,
	OPTION_TIMER_MODE,
	OPTION_HPET,
	/* what Xen grants it */
	OPTION_DOMID,
	OPTION_MAX_GRANT_FRAMES,
	OPTION_MAX_MAPTRACK_FRAMES,
	OPTION_MAX_GRANT_VERSION,
	OPTION_MAX_EVENT_CHANNELS,
	OPTION_NOMIGRATE,
	OPTION_DRIVER_DOMAIN,
	OPTION_IOPORTS,
	OPTION_IOMEM,
	OPTION_IRQS,
	OPTION_PASSTHROUGH,
	OPTION_PVSHIM,
	OPTION_E820_HOST,
	/* what it boots */
	OPTION_BOOTLOADER,
	OPTION_BOOTLOADER_ARGS,
	OPTION_FIRMWARE,
	OPTION_FIRMWARE_OVERRIDE,
	OPTION_BIOS,
	OPTION_BIOS_PATH_OVERRIDE,
	OPTION_BOOT,
	OPTION_HDTYPE,
	/* the machine that is emulated */
	OPTION_ACPI,
	OPTION_ACPI_S3,
	OPTION_ACPI_S4,
	OPTION_APIC,
	OPTION_XEN_PLATFORM_PCI,
	OPTION_MMIO_HOLE,
	OPTION_VIDEORAM,
	OPTION_STDVGA,
	OPTION_VGA,
	OPTION_VNC,
	OPTION_VNCLISTEN,
	OPTION_VNCDISPLAY,
	OPTION_VNCUNUSED,
	OPTION_VNCPASSWD,
	OPTION_KEYMAP,
	OPTION_NOGRAPHIC,
	OPTION_SERIAL,
	OPTION_USB,
	OPTION_USBDEVICE,
	OPTION_DEVICE_MODEL_VERSION,
	OPTION_DEVICE_MODEL_OVERRIDE,
	OPTION_DEVICE_MODEL_USER,
	OPTION_DEVICE_MODEL_ARGS,
	OPTION_DEVICE_MODEL_ARGS_HVM,
	OPTION_DM_RESTRICT,
	OPTION_COUNT
};

enum option_kind {
	OPTION_IS_FLAG,   /* number: 0 or 1 */
	OPTION_IS_NUMBER, /* number */
	OPTION_IS_WORD,   /* number: the index of the word; text: the word */
	OPTION_IS_TEXT,   /* text */
	OPTION_IS_TEXTS,  /* list, or one text alone: cpus="1" is not cpus=["1"] */
};

/** What a config has for an option; all zero when it has nothing. */
struct option_value {
	bool given;
	unsigned line;
	int64_t number;
	char *text;
	char **list; /* @count texts */
	size_t count;
	bool alone; /* the list's one text was written without a list */
};

/** option_find - the option of a key. Return: false when the key is no option. */
bool option_find(const char *key, enum domain_option *option);

/** option_key, option_kind - its key in xl.cfg(5), its kind. */
const char *option_key(enum domain_option option);
enum option_kind option_kind(enum domain_option option);

/**
 * option_set - give a config's option its value.
 * @texts: @count of them as written; exactly one unless the option is OPTION_IS_TEXTS
 * @alone: the one text was not in a list
 * @place: what messages begin with
 *
 * Return: 0, -EINVAL (not such a value, or nothing for this type of domain), -ENOMEM.
 */
int option_set(struct domain_config *config, enum domain_option option, const char *const *texts,
	       size_t count, bool alone, unsigned line, const char *place, struct fault *fault);

/** options_free - free what the options of a config hold. */
void options_free(struct domain_config *config);

/**
 * config_flag, config_number, config_text, config_texts - what a config has for an option of that
 * kind. @otherwise: when it has nothing. Texts are the config's own; NULL, 0 when it has nothing.
 */
bool config_flag(const struct domain_config *config, enum domain_option option, bool otherwise);
int64_t config_number(const struct domain_config *config, enum domain_option option,
		      int64_t otherwise);
const char *config_text(const struct domain_config *config, enum domain_option option);
char *const *config_texts(const struct domain_config *config, enum domain_option option,
			  size_t *count);

/**
 * option_place - where an option stands, as domain_config_place().
 */
void option_place(const struct domain_config *config, enum domain_option option, char *text,
		  size_t size);
