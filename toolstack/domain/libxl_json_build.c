/* What a domain is built of: libxl_domain_build_info. */
#include <stdio.h>

#include "toolstack/device/model_args.h"
#include "toolstack/domain/libxl_json_members.h"
#include "toolstack/json.h"

/* Structures of which we say nothing, but libxl that they are there. */
static void empty(const struct libxl_source *s, const char *key)
{
	libxl_json_object(s, key, NULL);
}

static void yes(const struct libxl_source *s, const char *key)
{
	libxl_json_flag(s->json, key, true);
}

static void vga_kind(const struct libxl_source *s, const char *key)
{
	static const char *const words[] = {
		[MODEL_VGA_CIRRUS] = "cirrus", [MODEL_VGA_STD] = "std", [MODEL_VGA_NONE] = "none"};

	json_string(s->json, key, words[model_vga(s->config)]);
}

static void vga(const struct libxl_source *s, const char *key)
{
	static const struct libxl_member members[] = {LIBXL_MADE("kind", vga_kind), LIBXL_LAST};

	libxl_json_object(s, key, members);
}

static void vnc_enable(const struct libxl_source *s, const char *key)
{
	libxl_json_flag(s->json, key, model_wants_vnc(s->config));
}

static void vnc(const struct libxl_source *s, const char *key)
{
	static const struct libxl_member members[] = {
		LIBXL_MADE("enable", vnc_enable),
		LIBXL_SAID("listen", OPTION_VNCLISTEN),
		LIBXL_SAID("passwd", OPTION_VNCPASSWD),
		LIBXL_SAID("display", OPTION_VNCDISPLAY),
		LIBXL_SAID("findunused", OPTION_VNCUNUSED),
		LIBXL_LAST,
	};

	libxl_json_object(s, key, members);
}

static void mmio_hole(const struct libxl_source *s, const char *key)
{
	int64_t mib = config_number(s->config, OPTION_MMIO_HOLE, 0);

	if (mib)
		json_number(s->json, key, mib << 10);
}

static const struct libxl_member hvm_members[] = {
	LIBXL_SAID("firmware", OPTION_FIRMWARE_OVERRIDE),
	LIBXL_SAID("bios", OPTION_BIOS),
	LIBXL_SAID("pae", OPTION_PAE),
	LIBXL_SAID("acpi_s3", OPTION_ACPI_S3),
	LIBXL_SAID("acpi_s4", OPTION_ACPI_S4),
	LIBXL_SAID("hpet", OPTION_HPET),
	LIBXL_MADE("mmio_hole_memkb", mmio_hole),
	LIBXL_SAID("system_firmware", OPTION_BIOS_PATH_OVERRIDE),
	LIBXL_SAID("hdtype", OPTION_HDTYPE),
	LIBXL_SAID("nographic", OPTION_NOGRAPHIC),
	LIBXL_MADE("vga", vga),
	LIBXL_MADE("vnc", vnc),
	LIBXL_SAID("keymap", OPTION_KEYMAP),
	LIBXL_MADE("sdl", empty),
	LIBXL_MADE("spice", empty),
	LIBXL_SAID("serial", OPTION_SERIAL),
	LIBXL_SAID("boot", OPTION_BOOT),
	LIBXL_SAID("usb", OPTION_USB),
	LIBXL_SAID("usbdevice", OPTION_USBDEVICE),
	LIBXL_SAID("xen_platform_pci", OPTION_XEN_PLATFORM_PCI),
	LIBXL_SAID("usbdevice_list", OPTION_USBDEVICE),
	LIBXL_SAID("serial_list", OPTION_SERIAL),
	LIBXL_MADE("rdm", empty),
	LIBXL_LAST,
};

static void max_vcpus(const struct libxl_source *s, const char *key)
{
	json_number(s->json, key, s->config->maxvcpus);
}

static void avail_vcpus(const struct libxl_source *s, const char *key)
{
	json_key(s->json, key);
	yajl_gen_array_open(s->json);
	for (uint32_t i = 0; i < s->config->vcpus; i++)
		yajl_gen_integer(s->json, i);
	yajl_gen_array_close(s->json);
}

static void max_memory(const struct libxl_source *s, const char *key)
{
	json_number(s->json, key, (long long)s->config->maxmem_kib);
}

static void target_memory(const struct libxl_source *s, const char *key)
{
	json_number(s->json, key, (long long)s->config->memory_kib);
}

static void video_memory(const struct libxl_source *s, const char *key)
{
	json_number(s->json, key,
		    s->config->type == DOMAIN_HVM ? (long long)model_video_kib(s->config) : 0);
}

static void shadow_memory(const struct libxl_source *s, const char *key)
{
	int64_t mib = config_number(s->config, OPTION_SHADOW_MEMORY, 0);

	if (mib)
		json_number(s->json, key, mib << 10);
}

static void device_model_version(const struct libxl_source *s, const char *key)
{
	if (s->config->type == DOMAIN_HVM)
		json_string(s->json, key, "qemu_xen");
}

static void sched_now(const struct libxl_source *s, const char *key)
{
	json_key(s->json, key);
	yajl_gen_map_open(s->json);
	json_string(s->json, "sched", s->sched->word);
	if (s->sched->shares) {
		json_number(s->json, "weight", s->sched->weight);
		json_number(s->json, "cap", s->sched->cap);
	}
	yajl_gen_map_close(s->json);
}

static void sched_params(const struct libxl_source *s, const char *key)
{
	static const struct libxl_member members[] = {LIBXL_SAID("weight", OPTION_CPU_WEIGHT),
						      LIBXL_SAID("cap", OPTION_CAP), LIBXL_LAST};

	if (s->sched)
		sched_now(s, key);
	else
		libxl_json_object(s, key, members);
}

static void kernel(const struct libxl_source *s, const char *key)
{
	libxl_json_text(s->json, key, s->config->kernel);
}

static void cmdline(const struct libxl_source *s, const char *key)
{
	libxl_json_text(s->json, key, s->config->cmdline);
}

static void ramdisk(const struct libxl_source *s, const char *key)
{
	libxl_json_text(s->json, key, s->config->ramdisk);
}

/* "type.hvm": what only guests of that type have. */
static void of_type(const struct libxl_source *s, const char *key)
{
	char full[16];

	snprintf(full, sizeof(full), "%s.%s", key, libxl_json_type(s->config));
	libxl_json_object(s, full, s->config->type == DOMAIN_HVM ? hvm_members : NULL);
}

static const struct libxl_member b_info_members[] = {
	LIBXL_MADE("max_vcpus", max_vcpus),
	LIBXL_MADE("avail_vcpus", avail_vcpus),
	LIBXL_MADE("vcpu_hard_affinity", libxl_json_hard_affinity),
	LIBXL_MADE("vcpu_soft_affinity", libxl_json_soft_affinity),
	LIBXL_MADE("numa_placement", libxl_json_placement),
	LIBXL_SAID("tsc_mode", OPTION_TSC_MODE),
	LIBXL_MADE("max_memkb", max_memory),
	LIBXL_MADE("target_memkb", target_memory),
	LIBXL_MADE("video_memkb", video_memory),
	LIBXL_MADE("shadow_memkb", shadow_memory),
	LIBXL_SAID("rtc_timeoffset", OPTION_RTC_TIMEOFFSET),
	LIBXL_SAID("localtime", OPTION_LOCALTIME),
	LIBXL_SAID("disable_migrate", OPTION_NOMIGRATE),
	LIBXL_MADE("cpuid", libxl_json_cpuid),
	LIBXL_SAID("max_grant_frames", OPTION_MAX_GRANT_FRAMES),
	LIBXL_SAID("max_maptrack_frames", OPTION_MAX_MAPTRACK_FRAMES),
	LIBXL_SAID("max_grant_version", OPTION_MAX_GRANT_VERSION),
	LIBXL_MADE("device_model_version", device_model_version),
	LIBXL_SAID("device_model", OPTION_DEVICE_MODEL_OVERRIDE),
	LIBXL_SAID("device_model_user", OPTION_DEVICE_MODEL_USER),
	LIBXL_SAID("extra", OPTION_DEVICE_MODEL_ARGS),
	LIBXL_SAID("extra_hvm", OPTION_DEVICE_MODEL_ARGS_HVM),
	LIBXL_MADE("sched_params", sched_params),
	LIBXL_MADE("ioports", libxl_json_ioports),
	LIBXL_MADE("irqs", libxl_json_irqs),
	LIBXL_MADE("iomem", libxl_json_iomem),
	LIBXL_MADE("claim_mode", yes),
	LIBXL_SAID("event_channels", OPTION_MAX_EVENT_CHANNELS),
	LIBXL_MADE("kernel", kernel),
	LIBXL_MADE("cmdline", cmdline),
	LIBXL_MADE("ramdisk", ramdisk),
	LIBXL_SAID("acpi", OPTION_ACPI),
	LIBXL_SAID("bootloader", OPTION_BOOTLOADER),
	LIBXL_SAID("bootloader_args", OPTION_BOOTLOADER_ARGS),
	LIBXL_SAID("timer_mode", OPTION_TIMER_MODE),
	LIBXL_SAID("nested_hvm", OPTION_NESTEDHVM),
	LIBXL_SAID("apic", OPTION_APIC),
	LIBXL_SAID("dm_restrict", OPTION_DM_RESTRICT),
	LIBXL_MADE("type", of_type),
	LIBXL_MADE("arch_arm", empty),
	LIBXL_MADE("arch_x86", empty),
	LIBXL_SAID("vpmu", OPTION_VPMU),
	LIBXL_LAST,
};

void libxl_json_build(const struct libxl_source *s, const char *key)
{
	libxl_json_object(s, key, b_info_members);
}
