#include "toolstack/config/keys.h"

#include <limits.h>
#include <string.h>

#include "toolstack/config/options.h"
#include "toolstack/nearest.h"

/* Those that are taken come first: see key_name. */
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
	{"on_soft_reset", KEY_STRING},
	{"on_watchdog", KEY_STRING},
	{"ramdisk", KEY_STRING},
	{"root", KEY_STRING},
	{"type", KEY_STRING},
	{"uuid", KEY_STRING},
	{"vcpus", KEY_STRING},
	{"vif", KEY_LIST},

	{"acpi_firmware", KEY_REFUSED},
	{"acpi_laptop_slate", KEY_REFUSED},
	{"altp2m", KEY_REFUSED},
	{"altp2mhvm", KEY_REFUSED},
	{"channel", KEY_REFUSED},
	{"device_model_args_pv", KEY_REFUSED},
	{"device_model_stubdomain_override", KEY_REFUSED},
	{"device_model_stubdomain_seclabel", KEY_REFUSED},
	{"device_tree", KEY_REFUSED},
	{"dtdev", KEY_REFUSED},
	{"gfx_passthru", KEY_REFUSED},
	{"gic_version", KEY_REFUSED},
	{"init_seclabel", KEY_REFUSED},
	{"mca_caps", KEY_REFUSED},
	{"ms_vm_genid", KEY_REFUSED},
	{"msr_relaxed", KEY_REFUSED},
	{"oos", KEY_REFUSED},
	{"nx", KEY_REFUSED},
	{"opengl", KEY_REFUSED},
	{"p9", KEY_REFUSED},
	{"pci", KEY_REFUSED},
	{"pci_msitranslate", KEY_REFUSED},
	{"pci_permissive", KEY_REFUSED},
	{"pci_power_mgmt", KEY_REFUSED},
	{"pci_seize", KEY_REFUSED},
	{"pvcalls", KEY_REFUSED},
	{"pvshim_cmdline", KEY_REFUSED},
	{"pvshim_extra", KEY_REFUSED},
	{"pvshim_path", KEY_REFUSED},
	{"rdm", KEY_REFUSED},
	{"rdm_mem_boundary", KEY_REFUSED},
	{"sdl", KEY_REFUSED},
	{"seclabel", KEY_REFUSED},
	{"smbios_firmware", KEY_REFUSED},
	{"soundhw", KEY_REFUSED},
	{"spice", KEY_REFUSED},
	{"spice_clipboard_sharing", KEY_REFUSED},
	{"spice_image_compression", KEY_REFUSED},
	{"spice_streaming_video", KEY_REFUSED},
	{"spiceagent_mouse", KEY_REFUSED},
	{"spicedisable_ticketing", KEY_REFUSED},
	{"spicehost", KEY_REFUSED},
	{"spicepasswd", KEY_REFUSED},
	{"spiceport", KEY_REFUSED},
	{"spicetls_port", KEY_REFUSED},
	{"spiceusbredirection", KEY_REFUSED},
	{"spicevdagent", KEY_REFUSED},
	{"stubdomain_cmdline", KEY_REFUSED},
	{"stubdomain_kernel", KEY_REFUSED},
	{"stubdomain_memory", KEY_REFUSED},
	{"stubdomain_ramdisk", KEY_REFUSED},
	{"tee", KEY_REFUSED},
	{"usbctrl", KEY_REFUSED},
	{"usbdev", KEY_REFUSED},
	{"usbversion", KEY_REFUSED},
	{"vdispl", KEY_REFUSED},
	{"vendor_device", KEY_REFUSED},
	{"vfb", KEY_REFUSED},
	{"vkb", KEY_REFUSED},
	{"vkb_device", KEY_REFUSED},
	{"vmtrace_buf_kb", KEY_REFUSED},
	{"vnuma", KEY_REFUSED},
	{"vpt_align", KEY_REFUSED},
	{"vsnd", KEY_REFUSED},
	{"vtpm", KEY_REFUSED},
	{"vuart", KEY_REFUSED},
	{"xend_suspend_evtchn_compat", KEY_REFUSED},
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

const char *key_name(size_t n)
{
	if (n < OPTION_COUNT)
		return option_key((enum domain_option)n);
	n -= OPTION_COUNT;
	return n < KEYS && keys[n].kind != KEY_REFUSED ? keys[n].key : NULL;
}

enum key_kind key_kind(const char *key)
{
	enum domain_option option;

	if (option_find(key, &option))
		return KEY_OPTION;
	for (size_t i = 0; i < KEYS; i++)
		if (!strcmp(key, keys[i].key))
			return keys[i].kind;
	return KEY_UNKNOWN;
}

const char *key_nearest(const char *key)
{
	unsigned best = UINT_MAX;
	const char *found = NULL, *known;

	for (size_t n = 0; (known = key_name(n)) != NULL; n++) {
		unsigned distance = nearest_distance(key, known);

		if (distance < best) {
			best = distance;
			found = known;
		}
	}
	return found && nearest_near(key, best) ? found : NULL;
}
