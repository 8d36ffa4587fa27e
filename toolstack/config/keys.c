#include "toolstack/config/keys.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "toolstack/nearest.h"

static const struct {
	const char *key;
	enum key_kind kind;
} keys[] = {
	{"builder", KEY_STRING},
	{"cmdline", KEY_STRING},
	{"disk", KEY_LIST},
	{"extra", KEY_STRING},
	{"kernel", KEY_STRING},
	{"maxmem", KEY_STRING},
	{"maxvcpus", KEY_STRING},
	{"memory", KEY_STRING},
	{"name", KEY_STRING},
	{"on_crash", KEY_STRING},
	{"on_poweroff", KEY_STRING},
	{"on_reboot", KEY_STRING},
	{"on_watchdog", KEY_STRING},
	{"ramdisk", KEY_STRING},
	{"root", KEY_STRING},
	{"type", KEY_STRING},
	{"uuid", KEY_STRING},
	{"vcpus", KEY_STRING},
	{"vif", KEY_LIST},

	{"acpi", KEY_REFUSED},
	{"altp2m", KEY_REFUSED},
	{"apic", KEY_REFUSED},
	{"bios", KEY_REFUSED},
	{"boot", KEY_REFUSED},
	{"bootloader", KEY_REFUSED},
	{"bootloader_args", KEY_REFUSED},
	{"cap", KEY_REFUSED},
	{"channel", KEY_REFUSED},
	{"cpu_weight", KEY_REFUSED},
	{"cpuid", KEY_REFUSED},
	{"cpus", KEY_REFUSED},
	{"cpus_soft", KEY_REFUSED},
	{"device_model_args", KEY_REFUSED},
	{"device_model_override", KEY_REFUSED},
	{"device_model_version", KEY_REFUSED},
	{"dm_restrict", KEY_REFUSED},
	{"driver_domain", KEY_REFUSED},
	{"e820_host", KEY_REFUSED},
	{"firmware", KEY_REFUSED},
	{"hap", KEY_REFUSED},
	{"hpet", KEY_REFUSED},
	{"iomem", KEY_REFUSED},
	{"ioports", KEY_REFUSED},
	{"irqs", KEY_REFUSED},
	{"localtime", KEY_REFUSED},
	{"max_event_channels", KEY_REFUSED},
	{"max_grant_frames", KEY_REFUSED},
	{"max_maptrack_frames", KEY_REFUSED},
	{"nestedhvm", KEY_REFUSED},
	{"nomigrate", KEY_REFUSED},
	{"nographic", KEY_REFUSED},
	{"on_soft_reset", KEY_REFUSED},
	{"p9", KEY_REFUSED},
	{"pae", KEY_REFUSED},
	{"passthrough", KEY_REFUSED},
	{"pci", KEY_REFUSED},
	{"pci_msitranslate", KEY_REFUSED},
	{"pci_permissive", KEY_REFUSED},
	{"pci_power_mgmt", KEY_REFUSED},
	{"pci_seize", KEY_REFUSED},
	{"pool", KEY_REFUSED},
	{"pvcalls", KEY_REFUSED},
	{"pvshim", KEY_REFUSED},
	{"rtc_timeoffset", KEY_REFUSED},
	{"sdl", KEY_REFUSED},
	{"seclabel", KEY_REFUSED},
	{"serial", KEY_REFUSED},
	{"spice", KEY_REFUSED},
	{"timer_mode", KEY_REFUSED},
	{"tsc_mode", KEY_REFUSED},
	{"usb", KEY_REFUSED},
	{"usbctrl", KEY_REFUSED},
	{"usbdev", KEY_REFUSED},
	{"usbdevice", KEY_REFUSED},
	{"vfb", KEY_REFUSED},
	{"vga", KEY_REFUSED},
	{"videoram", KEY_REFUSED},
	{"viridian", KEY_REFUSED},
	{"vkb", KEY_REFUSED},
	{"vnc", KEY_REFUSED},
	{"vncdisplay", KEY_REFUSED},
	{"vnclisten", KEY_REFUSED},
	{"vnuma", KEY_REFUSED},
	{"vpmu", KEY_REFUSED},
	{"vtpm", KEY_REFUSED},
	{"xen_platform_pci", KEY_REFUSED},
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

enum key_kind key_kind(const char *key)
{
	for (size_t i = 0; i < KEYS; i++)
		if (!strcmp(key, keys[i].key))
			return keys[i].kind;
	return KEY_UNKNOWN;
}

const char *key_nearest(const char *key)
{
	unsigned best = UINT_MAX;
	const char *found = NULL;

	for (size_t i = 0; i < KEYS; i++) {
		unsigned distance = nearest_distance(key, keys[i].key);

		if (keys[i].kind != KEY_REFUSED && distance < best) {
			best = distance;
			found = keys[i].key;
		}
	}
	return found && nearest_near(key, best) ? found : NULL;
}
