#include "toolstack/domain/libxl_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/device/model_args.h"
#include "toolstack/json.h"

/* What is written from, and where to. */
struct source {
	yajl_gen json;
	const struct domain_config *config;
	const struct libxl_sched *sched; /* as it is now; NULL: as the config has it */
};

/* A member of one of libxl's structures, in its order: an option of ours as it is, or what is made
 * of the config in another way. */
struct member {
	const char *key;
	enum domain_option option;
	void (*write)(const struct source *s, const char *key); /* NULL: it is the option */
};

#define SAID(k, o)                        \
	{                                 \
		.key = (k), .option = (o) \
	}
#define MADE(k, w)                       \
	{                                \
		.key = (k), .write = (w) \
	}
#define LAST MADE(NULL, NULL)

/* It has two members for what is a text or a list of them: serial and serial_list. */
static bool is_twin(enum domain_option option)
{
	return option == OPTION_SERIAL || option == OPTION_USBDEVICE;
}

static void texts_json(yajl_gen json, const struct member *m, const struct option_value *value)
{
	bool listed = strstr(m->key, "_list");

	if (is_twin(m->option) && listed == value->alone)
		return;
	if (is_twin(m->option) && !listed) {
		json_string(json, m->key, value->list[0]);
		return;
	}
	json_key(json, m->key);
	yajl_gen_array_open(json);
	for (size_t i = 0; i < value->count; i++)
		json_text(json, value->list[i]);
	yajl_gen_array_close(json);
}

/* What is libxl's own default it does not write. */
static bool is_default(enum domain_option option, const struct option_value *value)
{
	switch (option) {
	case OPTION_TSC_MODE:
	case OPTION_HDTYPE:
	case OPTION_RTC_TIMEOFFSET:
	case OPTION_VNCDISPLAY:
		return !value->number;
	default:
		return false;
	}
}

static void option_json(yajl_gen json, const struct member *m, const struct option_value *value)
{
	switch (option_kind(m->option)) {
	case OPTION_IS_FLAG:
		libxl_json_flag(json, m->key, value->number);
		break;
	case OPTION_IS_NUMBER:
		/* All of those that may be below zero are 32 bits without a sign to it. */
		json_number(json, m->key, (uint32_t)value->number);
		break;
	case OPTION_IS_TEXTS:
		texts_json(json, m, value);
		break;
	case OPTION_IS_WORD:
	case OPTION_IS_TEXT:
	default:
		json_string(json, m->key, value->text);
	}
}

static void members_json(const struct source *s, const struct member *members)
{
	for (const struct member *m = members; m->key; m++) {
		const struct option_value *value = &s->config->option[m->option];

		if (m->write)
			m->write(s, m->key);
		else if (value->given && !is_default(m->option, value))
			option_json(s->json, m, value);
	}
}

static void object_json(const struct source *s, const char *key, const struct member *members)
{
	json_key(s->json, key);
	yajl_gen_map_open(s->json);
	members_json(s, members);
	yajl_gen_map_close(s->json);
}

static const struct member nothing[] = {LAST};

/* Structures of which we say nothing, but libxl that they are there. */
static void empty(const struct source *s, const char *key)
{
	object_json(s, key, nothing);
}

static void yes(const struct source *s, const char *key)
{
	libxl_json_flag(s->json, key, true);
}

/* To libxl a process is a PV guest. */
static const char *type_word(const struct domain_config *config)
{
	return config->type == DOMAIN_PROCESS ? "pv" : domain_type_word(config->type);
}

static void type(const struct source *s, const char *key)
{
	json_string(s->json, key, type_word(s->config));
}

static void name(const struct source *s, const char *key)
{
	json_string(s->json, key, s->config->name);
}

static void uuid(const struct source *s, const char *key)
{
	char text[UUID_STR_LEN];

	uuid_unparse_lower(s->config->uuid, text);
	json_string(s->json, key, text);
}

static const struct member c_info_members[] = {
	MADE("type", type),
	SAID("hap", OPTION_HAP),
	MADE("name", name),
	MADE("uuid", uuid),
	SAID("pool_name", OPTION_POOL),
	MADE("run_hotplug_scripts", yes),
	SAID("driver_domain", OPTION_DRIVER_DOMAIN),
	SAID("passthrough", OPTION_PASSTHROUGH),
	LAST,
};

static void c_info(const struct source *s, const char *key)
{
	object_json(s, key, c_info_members);
}

static void vga_kind(const struct source *s, const char *key)
{
	static const char *const words[] = {
		[MODEL_VGA_CIRRUS] = "cirrus", [MODEL_VGA_STD] = "std", [MODEL_VGA_NONE] = "none"};

	json_string(s->json, key, words[model_vga(s->config)]);
}

static void vga(const struct source *s, const char *key)
{
	static const struct member members[] = {MADE("kind", vga_kind), LAST};

	object_json(s, key, members);
}

static void vnc_enable(const struct source *s, const char *key)
{
	libxl_json_flag(s->json, key, model_wants_vnc(s->config));
}

static void vnc(const struct source *s, const char *key)
{
	static const struct member members[] = {
		MADE("enable", vnc_enable),           SAID("listen", OPTION_VNCLISTEN),
		SAID("passwd", OPTION_VNCPASSWD),     SAID("display", OPTION_VNCDISPLAY),
		SAID("findunused", OPTION_VNCUNUSED), LAST,
	};

	object_json(s, key, members);
}

static void mmio_hole(const struct source *s, const char *key)
{
	int64_t mib = config_number(s->config, OPTION_MMIO_HOLE, 0);

	if (mib)
		json_number(s->json, key, mib << 10);
}

static const struct member hvm_members[] = {
	SAID("firmware", OPTION_FIRMWARE_OVERRIDE),
	SAID("bios", OPTION_BIOS),
	SAID("pae", OPTION_PAE),
	SAID("acpi_s3", OPTION_ACPI_S3),
	SAID("acpi_s4", OPTION_ACPI_S4),
	SAID("hpet", OPTION_HPET),
	MADE("mmio_hole_memkb", mmio_hole),
	SAID("system_firmware", OPTION_BIOS_PATH_OVERRIDE),
	SAID("hdtype", OPTION_HDTYPE),
	SAID("nographic", OPTION_NOGRAPHIC),
	MADE("vga", vga),
	MADE("vnc", vnc),
	SAID("keymap", OPTION_KEYMAP),
	MADE("sdl", empty),
	MADE("spice", empty),
	SAID("serial", OPTION_SERIAL),
	SAID("boot", OPTION_BOOT),
	SAID("usb", OPTION_USB),
	SAID("usbdevice", OPTION_USBDEVICE),
	SAID("xen_platform_pci", OPTION_XEN_PLATFORM_PCI),
	SAID("usbdevice_list", OPTION_USBDEVICE),
	SAID("serial_list", OPTION_SERIAL),
	MADE("rdm", empty),
	LAST,
};

static void max_vcpus(const struct source *s, const char *key)
{
	json_number(s->json, key, s->config->maxvcpus);
}

static void avail_vcpus(const struct source *s, const char *key)
{
	json_key(s->json, key);
	yajl_gen_array_open(s->json);
	for (uint32_t i = 0; i < s->config->vcpus; i++)
		yajl_gen_integer(s->json, i);
	yajl_gen_array_close(s->json);
}

static void max_memory(const struct source *s, const char *key)
{
	json_number(s->json, key, (long long)s->config->maxmem_kib);
}

static void target_memory(const struct source *s, const char *key)
{
	json_number(s->json, key, (long long)s->config->memory_kib);
}

static void video_memory(const struct source *s, const char *key)
{
	json_number(s->json, key,
		    s->config->type == DOMAIN_HVM ? (long long)model_video_kib(s->config) : 0);
}

static void shadow_memory(const struct source *s, const char *key)
{
	int64_t mib = config_number(s->config, OPTION_SHADOW_MEMORY, 0);

	if (mib)
		json_number(s->json, key, mib << 10);
}

static void device_model_version(const struct source *s, const char *key)
{
	if (s->config->type == DOMAIN_HVM)
		json_string(s->json, key, "qemu_xen");
}

static void sched_now(const struct source *s, const char *key)
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

static void sched_params(const struct source *s, const char *key)
{
	static const struct member members[] = {SAID("weight", OPTION_CPU_WEIGHT),
						SAID("cap", OPTION_CAP), LAST};

	if (s->sched)
		sched_now(s, key);
	else
		object_json(s, key, members);
}

static void kernel(const struct source *s, const char *key)
{
	libxl_json_text(s->json, key, s->config->kernel);
}

static void cmdline(const struct source *s, const char *key)
{
	libxl_json_text(s->json, key, s->config->cmdline);
}

static void ramdisk(const struct source *s, const char *key)
{
	libxl_json_text(s->json, key, s->config->ramdisk);
}

/* "type.hvm": what only guests of that type have. */
static void of_type(const struct source *s, const char *key)
{
	char full[16];

	snprintf(full, sizeof(full), "%s.%s", key, type_word(s->config));
	object_json(s, full, s->config->type == DOMAIN_HVM ? hvm_members : nothing);
}

static const struct member b_info_members[] = {
	MADE("max_vcpus", max_vcpus),
	MADE("avail_vcpus", avail_vcpus),
	SAID("tsc_mode", OPTION_TSC_MODE),
	MADE("max_memkb", max_memory),
	MADE("target_memkb", target_memory),
	MADE("video_memkb", video_memory),
	MADE("shadow_memkb", shadow_memory),
	SAID("rtc_timeoffset", OPTION_RTC_TIMEOFFSET),
	SAID("localtime", OPTION_LOCALTIME),
	SAID("disable_migrate", OPTION_NOMIGRATE),
	SAID("max_grant_frames", OPTION_MAX_GRANT_FRAMES),
	SAID("max_maptrack_frames", OPTION_MAX_MAPTRACK_FRAMES),
	SAID("max_grant_version", OPTION_MAX_GRANT_VERSION),
	MADE("device_model_version", device_model_version),
	SAID("device_model", OPTION_DEVICE_MODEL_OVERRIDE),
	SAID("device_model_user", OPTION_DEVICE_MODEL_USER),
	SAID("extra", OPTION_DEVICE_MODEL_ARGS),
	SAID("extra_hvm", OPTION_DEVICE_MODEL_ARGS_HVM),
	MADE("sched_params", sched_params),
	MADE("claim_mode", yes),
	SAID("event_channels", OPTION_MAX_EVENT_CHANNELS),
	MADE("kernel", kernel),
	MADE("cmdline", cmdline),
	MADE("ramdisk", ramdisk),
	SAID("acpi", OPTION_ACPI),
	SAID("bootloader", OPTION_BOOTLOADER),
	SAID("bootloader_args", OPTION_BOOTLOADER_ARGS),
	SAID("timer_mode", OPTION_TIMER_MODE),
	SAID("nested_hvm", OPTION_NESTEDHVM),
	SAID("apic", OPTION_APIC),
	SAID("dm_restrict", OPTION_DM_RESTRICT),
	MADE("type", of_type),
	MADE("arch_arm", empty),
	MADE("arch_x86", empty),
	SAID("vpmu", OPTION_VPMU),
	LAST,
};

static void b_info(const struct source *s, const char *key)
{
	object_json(s, key, b_info_members);
}

static void disks(const struct source *s, const char *key)
{
	if (!s->config->disks)
		return;
	json_key(s->json, key);
	yajl_gen_array_open(s->json);
	for (size_t i = 0; i < s->config->disks; i++)
		libxl_json_disk(s->json, &s->config->disk[i]);
	yajl_gen_array_close(s->json);
}

static void nics(const struct source *s, const char *key)
{
	if (!s->config->vifs)
		return;
	json_key(s->json, key);
	yajl_gen_array_open(s->json);
	for (size_t i = 0; i < s->config->vifs; i++)
		libxl_json_nic(s->json, s->config, &s->config->vif[i]);
	yajl_gen_array_close(s->json);
}

static void ends(const struct source *s, const char *key)
{
	static const enum domain_end order[] = {END_POWEROFF, END_REBOOT, END_WATCHDOG, END_CRASH,
						END_SOFT_RESET};
	static const char *const words[] = {
		[ACTION_RESTART] = "restart",
		[ACTION_PRESERVE] = "preserve",
		[ACTION_RENAME_RESTART] = "restart_rename",
		[ACTION_COREDUMP_DESTROY] = "coredump_destroy",
		[ACTION_COREDUMP_RESTART] = "coredump_restart",
	};

	(void)key;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		enum domain_action action = s->config->action[order[i]];

		/* To destroy it is libxl's default. */
		if (action != ACTION_DESTROY)
			json_string(s->json, domain_end_key(order[i]), words[action]);
	}
}

static const struct member domain_members[] = {
	MADE("c_info", c_info),
	MADE("b_info", b_info),
	MADE("disks", disks),
	MADE("nics", nics),
	MADE("on_poweroff", ends), /* and the others */
	LAST,
};

void libxl_json_config(yajl_gen json, const struct domain_config *config,
		       const struct libxl_sched *sched)
{
	const struct source s = {json, config, sched};

	yajl_gen_map_open(json);
	members_json(&s, domain_members);
	yajl_gen_map_close(json);
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
	libxl_json_config(json, config, NULL);
	json_close_on(json, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
