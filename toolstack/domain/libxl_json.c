#include "toolstack/domain/libxl_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/device/model_args.h"
#include "toolstack/json.h"

/* What is said of an option is said as it is; only its key may be another. */
struct member {
	enum domain_option option;
	const char *key;
};

static const struct member c_info[] = {
	{OPTION_HAP, "hap"},
	{OPTION_POOL, "pool_name"},
	{OPTION_DRIVER_DOMAIN, "driver_domain"},
	{OPTION_PASSTHROUGH, "passthrough"},
	{OPTION_COUNT, NULL},
};

static const struct member b_info[] = {
	{OPTION_TSC_MODE, "tsc_mode"},
	{OPTION_RTC_TIMEOFFSET, "rtc_timeoffset"},
	{OPTION_LOCALTIME, "localtime"},
	{OPTION_NOMIGRATE, "disable_migrate"},
	{OPTION_MAX_GRANT_FRAMES, "max_grant_frames"},
	{OPTION_MAX_MAPTRACK_FRAMES, "max_maptrack_frames"},
	{OPTION_MAX_GRANT_VERSION, "max_grant_version"},
	{OPTION_DEVICE_MODEL_OVERRIDE, "device_model"},
	{OPTION_DEVICE_MODEL_USER, "device_model_user"},
	{OPTION_DEVICE_MODEL_ARGS, "extra"},
	{OPTION_DEVICE_MODEL_ARGS_HVM, "extra_hvm"},
	{OPTION_MAX_EVENT_CHANNELS, "event_channels"},
	{OPTION_ACPI, "acpi"},
	{OPTION_BOOTLOADER, "bootloader"},
	{OPTION_BOOTLOADER_ARGS, "bootloader_args"},
	{OPTION_TIMER_MODE, "timer_mode"},
	{OPTION_NESTEDHVM, "nested_hvm"},
	{OPTION_APIC, "apic"},
	{OPTION_DM_RESTRICT, "dm_restrict"},
	{OPTION_VPMU, "vpmu"},
	{OPTION_COUNT, NULL},
};

static const struct member hvm[] = {
	{OPTION_FIRMWARE_OVERRIDE, "firmware"},
	{OPTION_BIOS, "bios"},
	{OPTION_PAE, "pae"},
	{OPTION_ACPI_S3, "acpi_s3"},
	{OPTION_ACPI_S4, "acpi_s4"},
	{OPTION_HPET, "hpet"},
	{OPTION_BIOS_PATH_OVERRIDE, "system_firmware"},
	{OPTION_HDTYPE, "hdtype"},
	{OPTION_NOGRAPHIC, "nographic"},
	{OPTION_KEYMAP, "keymap"},
	{OPTION_BOOT, "boot"},
	{OPTION_USB, "usb"},
	{OPTION_XEN_PLATFORM_PCI, "xen_platform_pci"},
	{OPTION_USBDEVICE, "usbdevice_list"},
	{OPTION_SERIAL, "serial_list"},
	{OPTION_COUNT, NULL},
};

static const struct member sched[] = {
	{OPTION_CPU_WEIGHT, "weight"},
	{OPTION_CAP, "cap"},
	{OPTION_COUNT, NULL},
};

static const struct member vnc[] = {
	{OPTION_VNCLISTEN, "listen"},   {OPTION_VNCPASSWD, "passwd"},
	{OPTION_VNCDISPLAY, "display"}, {OPTION_VNCUNUSED, "findunused"},
	{OPTION_COUNT, NULL},
};

/* libxl's flags have a third value, so they are words. */
static void flag_json(yajl_gen json, const char *key, bool value)
{
	json_string(json, key, value ? "True" : "False");
}

static void text_json(yajl_gen json, const char *key, const char *value)
{
	if (value && *value)
		json_string(json, key, value);
}

/* It has two members for what is a text or a list of them: serial and serial_list. */
static void list_json(yajl_gen json, const char *key, const struct option_value *value)
{
	const char *ending = strstr(key, "_list");
	char alone[32];

	if (value->alone && ending) {
		snprintf(alone, sizeof(alone), "%.*s", (int)(ending - key), key);
		json_string(json, alone, value->list[0]);
		return;
	}
	json_key(json, key);
	yajl_gen_array_open(json);
	for (size_t i = 0; i < value->count; i++)
		json_text(json, value->list[i]);
	yajl_gen_array_close(json);
}

static void members_json(yajl_gen json, const struct domain_config *config,
			 const struct member *members)
{
	for (const struct member *m = members; m->key; m++) {
		const struct option_value *value = &config->option[m->option];

		if (!value->given)
			continue;
		switch (option_kind(m->option)) {
		case OPTION_IS_FLAG:
			flag_json(json, m->key, value->number);
			break;
		case OPTION_IS_NUMBER:
			/* All of those that may be below zero are 32 bits without a sign to it. */
			json_number(json, m->key, (uint32_t)value->number);
			break;
		case OPTION_IS_TEXTS:
			list_json(json, m->key, value);
			break;
		case OPTION_IS_WORD:
		case OPTION_IS_TEXT:
		default:
			json_string(json, m->key, value->text);
		}
	}
}

/* To libxl a process is a PV guest. */
static const char *type_word(const struct domain_config *config)
{
	return config->type == DOMAIN_PROCESS ? "pv" : domain_type_word(config->type);
}

static void c_info_json(yajl_gen json, const struct domain_config *config)
{
	char uuid[UUID_STR_LEN];

	uuid_unparse_lower(config->uuid, uuid);
	json_key(json, "c_info");
	yajl_gen_map_open(json);
	json_string(json, "type", type_word(config));
	json_string(json, "name", config->name);
	json_string(json, "uuid", uuid);
	flag_json(json, "run_hotplug_scripts", true);
	members_json(json, config, c_info);
	yajl_gen_map_close(json);
}

static void machine_json(yajl_gen json, const struct domain_config *config)
{
	static const char *const vga[] = {
		[MODEL_VGA_CIRRUS] = "cirrus", [MODEL_VGA_STD] = "std", [MODEL_VGA_NONE] = "none"};
	int64_t hole = config_number(config, OPTION_MMIO_HOLE, 0);

	members_json(json, config, hvm);
	if (hole)
		json_number(json, "mmio_hole_memkb", hole << 10);
	json_key(json, "vga");
	yajl_gen_map_open(json);
	json_string(json, "kind", vga[model_vga(config)]);
	yajl_gen_map_close(json);
	json_key(json, "vnc");
	yajl_gen_map_open(json);
	flag_json(json, "enable", model_wants_vnc(config));
	members_json(json, config, vnc);
	yajl_gen_map_close(json);
}

static void memory_json(yajl_gen json, const struct domain_config *config)
{
	int64_t shadow = config_number(config, OPTION_SHADOW_MEMORY, 0);

	json_number(json, "max_memkb", (long long)config->maxmem_kib);
	json_number(json, "target_memkb", (long long)config->memory_kib);
	json_number(json, "video_memkb",
		    config->type == DOMAIN_HVM ? (long long)model_video_kib(config) : 0);
	if (shadow)
		json_number(json, "shadow_memkb", shadow << 10);
}

static void b_info_json(yajl_gen json, const struct domain_config *config)
{
	char of_type[16];

	json_key(json, "b_info");
	yajl_gen_map_open(json);
	json_number(json, "max_vcpus", config->maxvcpus);
	json_key(json, "avail_vcpus");
	yajl_gen_array_open(json);
	for (uint32_t i = 0; i < config->vcpus; i++)
		yajl_gen_integer(json, i);
	yajl_gen_array_close(json);
	memory_json(json, config);
	if (config->type == DOMAIN_HVM)
		json_string(json, "device_model_version", "qemu_xen");
	json_key(json, "sched_params");
	yajl_gen_map_open(json);
	members_json(json, config, sched);
	yajl_gen_map_close(json);
	flag_json(json, "claim_mode", true);
	text_json(json, "kernel", config->kernel);
	text_json(json, "cmdline", config->cmdline);
	text_json(json, "ramdisk", config->ramdisk);
	members_json(json, config, b_info);
	snprintf(of_type, sizeof(of_type), "type.%s", type_word(config));
	json_key(json, of_type);
	yajl_gen_map_open(json);
	if (config->type == DOMAIN_HVM)
		machine_json(json, config);
	yajl_gen_map_close(json);
	yajl_gen_map_close(json);
}

/* libxl does not know each of our formats: then it finds out itself. */
static const char *format_word(const struct disk_config *disk)
{
	static const char *const words[] = {
		[DISK_RAW] = "raw", [DISK_QCOW2] = "qcow2", [DISK_QCOW] = "qcow",
		[DISK_VHD] = "vhd", [DISK_QED] = "qed",     [DISK_VDI] = NULL};

	return disk->target && *disk->target ? words[disk->format] : "empty";
}

static void disk_json(yajl_gen json, const struct disk_config *disk)
{
	yajl_gen_map_open(json);
	json_string(json, "pdev_path", disk->target ? disk->target : "");
	json_string(json, "vdev", disk->vdev);
	text_json(json, "format", format_word(disk));
	text_json(json, "script", disk->script);
	if (disk->cdrom) {
		json_number(json, "removable", 1);
		json_number(json, "is_cdrom", 1);
	}
	json_number(json, "readwrite", disk->writable);
	json_bool(json, "direct_io_safe", disk->direct_io_safe);
	flag_json(json, "discard_enable", disk->discard);
	flag_json(json, "trusted", !disk->untrusted);
	yajl_gen_map_close(json);
}

static void nic_json(yajl_gen json, const struct domain_config *config,
		     const struct vif_config *vif)
{
	bool emulated = config->type == DOMAIN_HVM && vif->kind != VIF_PV_ONLY;
	char mac[MAC_TEXT_SIZE];

	mac_format(vif->mac, mac);
	yajl_gen_map_open(json);
	json_number(json, "devid", vif->devid);
	if (vif->mtu)
		json_number(json, "mtu", vif->mtu);
	text_json(json, "model", vif->model);
	json_string(json, "mac", mac);
	text_json(json, "ip", vif->ip);
	text_json(json, "bridge", vif->bridge);
	text_json(json, "ifname", vif->name);
	text_json(json, "script", vif->script);
	json_string(json, "nictype", emulated ? "vif_ioemu" : "vif");
	if (vif->rate_bytes) {
		json_number(json, "rate_bytes_per_interval", (long long)vif->rate_bytes);
		json_number(json, "rate_interval_usecs", vif->rate_usecs);
	}
	flag_json(json, "trusted", vif->trusted);
	yajl_gen_map_close(json);
}

static void actions_json(yajl_gen json, const struct domain_config *config)
{
	static const char *const words[] = {
		[ACTION_DESTROY] = "destroy",
		[ACTION_RESTART] = "restart",
		[ACTION_PRESERVE] = "preserve",
		[ACTION_RENAME_RESTART] = "restart_rename",
		[ACTION_COREDUMP_DESTROY] = "coredump_destroy",
		[ACTION_COREDUMP_RESTART] = "coredump_restart",
	};

	for (int end = 0; end < END_COUNT; end++)
		json_string(json, domain_end_key((enum domain_end)end), words[config->action[end]]);
}

char *libxl_json(const struct domain_config *config)
{
	yajl_gen json = json_open();
	char *text = NULL;
	size_t size;
	FILE *out = json ? open_memstream(&text, &size) : NULL;

	if (!out) {
		if (json)
			yajl_gen_free(json);
		return NULL;
	}
	yajl_gen_map_open(json);
	c_info_json(json, config);
	b_info_json(json, config);
	json_key(json, "disks");
	yajl_gen_array_open(json);
	for (size_t i = 0; i < config->disks; i++)
		disk_json(json, &config->disk[i]);
	yajl_gen_array_close(json);
	json_key(json, "nics");
	yajl_gen_array_open(json);
	for (size_t i = 0; i < config->vifs; i++)
		nic_json(json, config, &config->vif[i]);
	yajl_gen_array_close(json);
	actions_json(json, config);
	yajl_gen_map_close(json);
	json_close_on(json, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
