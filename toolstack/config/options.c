#include "toolstack/config/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>

#include "toolstack/config/cpulist.h"
#include "toolstack/config/domain_config.h"

enum {

	PV = 1u << DOMAIN_PV,
	PVH = 1u << DOMAIN_PVH,
	HVM = 1u << DOMAIN_HVM,
	CONTAINED = PVH | HVM, /* by the processor */
	XEN = PV | PVH | HVM,
	ANY = XEN | 1u << DOMAIN_PROCESS
};

#define WORDS(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

/* Kinds of values beyond those of the interface: how a text is checked. */
static const char *cpulist_wrong(const char *text)
{
	return cpulist_check(text) ? "write for example \"0-3,^1\", \"node:0\" or \"all\"" : NULL;
}

static const char *boot_wrong(const char *text)
{
	return !*text || text[strspn(text, "cdn")]
		       ? "write letters of c (disk), d (CD-ROM), n (network)"
		       : NULL;
}

struct rule {
	const char *key;
	int64_t least, most;                    /* of a number */
	const char *const *words;               /* of a word */
	const char *(*wrong)(const char *text); /* of texts: NULL, or what to write */
	enum option_kind kind;
	unsigned types;
	unsigned missing; /* types of guests that xl has it for, but not we */
	unsigned refused; /* the words from here on are xl's, but not ours */
	unsigned only_on; /* types for which a flag may be there, but not be off */
	bool only_off;    /* a flag that may be there, but not be on */
	bool split;       /* one text alone is several, between blanks */
};

#define FLAG(name, for_types) .key = name, .kind = OPTION_IS_FLAG, .types = (for_types)
#define NUMBER(name, for_types, l, m) \
	.key = name, .kind = OPTION_IS_NUMBER, .types = (for_types), .least = (l), .most = (m)
#define TEXT(name, for_types)  .key = name, .kind = OPTION_IS_TEXT, .types = (for_types)
#define TEXTS(name, for_types) .key = name, .kind = OPTION_IS_TEXTS, .types = (for_types)
#define WORD(name, for_types, n, ...)                                              \
	.key = name, .kind = OPTION_IS_WORD, .types = (for_types), .refused = (n), \
	.words = WORDS(__VA_ARGS__)

static const struct rule rules[OPTION_COUNT] = {
	[OPTION_CPUS] = {TEXTS("cpus", XEN), .wrong = cpulist_wrong},
	[OPTION_CPUS_SOFT] = {TEXTS("cpus_soft", XEN), .wrong = cpulist_wrong},
	[OPTION_CPU_WEIGHT] = {NUMBER("cpu_weight", XEN, 1, 65535)},
	[OPTION_CAP] = {NUMBER("cap", XEN, 0, 65535)},
	[OPTION_POOL] = {TEXT("pool", XEN)},
	[OPTION_CPUID] = {TEXTS("cpuid", XEN)},
	[OPTION_HAP] = {FLAG("hap", CONTAINED)},
	[OPTION_NESTEDHVM] = {FLAG("nestedhvm", CONTAINED)},
	[OPTION_VIRIDIAN] = {TEXTS("viridian", HVM)},
	[OPTION_VPMU] = {FLAG("vpmu", XEN)},
	[OPTION_PAE] = {FLAG("pae", HVM)},
	[OPTION_SHADOW_MEMORY] = {NUMBER("shadow_memory", CONTAINED, 1, 1 << 20)},
	[OPTION_LOCALTIME] = {FLAG("localtime", XEN)},
	[OPTION_RTC_TIMEOFFSET] = {NUMBER("rtc_timeoffset", XEN, INT32_MIN, INT32_MAX)},
	[OPTION_TSC_MODE] = {WORD("tsc_mode", XEN, 3, "default", "always_emulate", "native",
				  "native_paravirt")},
	[OPTION_TIMER_MODE] = {WORD("timer_mode", CONTAINED, 4, "delay_for_missed_ticks",
				    "no_delay_for_missed_ticks", "no_missed_ticks_pending",
				    "one_missed_tick_pending")},
	[OPTION_HPET] = {FLAG("hpet", HVM)},
	[OPTION_DOMID] = {NUMBER("domid", ANY, 1, DOMID_FIRST_RESERVED - 1)},
	[OPTION_MAX_GRANT_FRAMES] = {NUMBER("max_grant_frames", XEN, 1, INT32_MAX)},
	[OPTION_MAX_MAPTRACK_FRAMES] = {NUMBER("max_maptrack_frames", XEN, 0, INT32_MAX)},
	[OPTION_MAX_GRANT_VERSION] = {NUMBER("max_grant_version", XEN, 1, 2)},
	[OPTION_MAX_EVENT_CHANNELS] = {NUMBER("max_event_channels", XEN, 1, 131071)},
	[OPTION_NOMIGRATE] = {FLAG("nomigrate", XEN)},
	[OPTION_DRIVER_DOMAIN] = {FLAG("driver_domain", XEN)},
	[OPTION_IOPORTS] = {TEXTS("ioports", PV | HVM)},
	[OPTION_IOMEM] = {TEXTS("iomem", XEN)},
	[OPTION_IRQS] = {TEXTS("irqs", PV | HVM)},
	[OPTION_PASSTHROUGH] = {WORD("passthrough", XEN, 1, "disabled", "enabled", "sync_pt",
				     "share_pt")},
	[OPTION_PVSHIM] = {FLAG("pvshim", PVH), .only_off = true},
	[OPTION_E820_HOST] = {FLAG("e820_host", PV), .only_off = true},
	[OPTION_BOOTLOADER] = {TEXT("bootloader", PV | PVH)},
	[OPTION_BOOTLOADER_ARGS] = {TEXTS("bootloader_args", PV | PVH), .split = true},
	[OPTION_FIRMWARE] = {TEXT("firmware", XEN)},
	[OPTION_FIRMWARE_OVERRIDE] = {TEXT("firmware_override", HVM)},
	[OPTION_BIOS] = {WORD("bios", HVM, 2, "seabios", "ovmf", "rombios")},
	[OPTION_BIOS_PATH_OVERRIDE] = {TEXT("bios_path_override", HVM)},
	[OPTION_BOOT] = {TEXT("boot", HVM), .wrong = boot_wrong},
	[OPTION_HDTYPE] = {WORD("hdtype", HVM, 2, "ide", "ahci")},
	[OPTION_ACPI] = {FLAG("acpi", CONTAINED), .only_on = PVH},
	[OPTION_ACPI_S3] = {FLAG("acpi_s3", HVM)},
	[OPTION_ACPI_S4] = {FLAG("acpi_s4", HVM)},
	[OPTION_APIC] = {FLAG("apic", HVM)},
	[OPTION_XEN_PLATFORM_PCI] = {FLAG("xen_platform_pci", HVM)},
	[OPTION_MMIO_HOLE] = {NUMBER("mmio_hole", HVM, 256, 3840)},
	[OPTION_VIDEORAM] = {NUMBER("videoram", HVM, 1, 256)},
	[OPTION_STDVGA] = {FLAG("stdvga", HVM)},
	[OPTION_VGA] = {WORD("vga", HVM, 3, "stdvga", "none", "cirrus", "qxl")},
	[OPTION_VNC] = {FLAG("vnc", HVM)},
	[OPTION_VNCLISTEN] = {TEXT("vnclisten", HVM)},
	[OPTION_VNCDISPLAY] = {NUMBER("vncdisplay", HVM, 0, 59635)},
	[OPTION_VNCUNUSED] = {FLAG("vncunused", HVM)},
	[OPTION_VNCPASSWD] = {TEXT("vncpasswd", HVM)},
	[OPTION_KEYMAP] = {TEXT("keymap", HVM)},
	[OPTION_NOGRAPHIC] = {FLAG("nographic", HVM)},
	[OPTION_SERIAL] = {TEXTS("serial", HVM)},
	[OPTION_USB] = {FLAG("usb", HVM)},
	[OPTION_USBDEVICE] = {TEXTS("usbdevice", HVM)},
	[OPTION_DEVICE_MODEL_VERSION] = {WORD("device_model_version", XEN, 1, "qemu-xen",
					      "qemu-xen-traditional")},
	[OPTION_DEVICE_MODEL_OVERRIDE] = {TEXT("device_model_override", HVM), .missing = PV | PVH},
	[OPTION_DEVICE_MODEL_USER] = {TEXT("device_model_user", HVM)},
	[OPTION_DEVICE_MODEL_ARGS] = {TEXTS("device_model_args", HVM), .missing = PV | PVH},
	[OPTION_DEVICE_MODEL_ARGS_HVM] = {TEXTS("device_model_args_hvm", HVM)},
	[OPTION_DM_RESTRICT] = {FLAG("dm_restrict", HVM)},
};

bool option_find(const char *key, enum domain_option *option)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		if (strcmp(key, rules[i].key) != 0)
			continue;
		*option = (enum domain_option)i;
		return true;
	}
	return false;
}

const char *option_key(enum domain_option option)
{
	return rules[option].key;
}

enum option_kind option_kind(enum domain_option option)
{
	return rules[option].kind;
}

/* As strtol(3) with base 0, which xl uses, but the whole of the text and nothing before it. */
static bool number_read(const char *text, int64_t *number)
{
	char *end;

	if (!*text || !strchr("-0123456789", *text))
		return false;
	errno = 0;
	*number = strtoll(text, &end, 0);
	return !errno && !*end && end != text;
}

static int flag_set(const struct rule *rule, enum domain_type type, struct option_value *value,
		    const char *text, const char *place, struct fault *fault)
{
	if (!number_read(text, &value->number))
		return fault_set(fault, -EINVAL, "%s: %s=%s is neither 0 nor 1", place, rule->key,
				 text);
	value->number = value->number != 0;
	if (value->number && rule->only_off)
		return fault_set(fault, -EINVAL,
				 "%s: %s=1 is not supported by this version; remove it", place,
				 rule->key);
	if (!value->number && rule->only_on & 1u << type)
		return fault_set(fault, -EINVAL,
				 "%s: %s=0 is not supported by this version for a guest of "
				 "type=\"%s\"; remove it",
				 place, rule->key, domain_type_word(type));
	return 0;
}

static int number_set(const struct rule *rule, struct option_value *value, const char *text,
		      const char *place, struct fault *fault)
{
	if (!number_read(text, &value->number) || value->number < rule->least ||
	    value->number > rule->most)
		return fault_set(fault, -EINVAL,
				 "%s: %s=%s is not a number from %" PRId64 " to %" PRId64, place,
				 rule->key, text, rule->least, rule->most);
	return 0;
}

static int word_unknown(const struct rule *rule, const char *text, const char *place,
			struct fault *fault)
{
	char known[160] = "";

	for (unsigned i = 0; i < rule->refused && rule->words[i]; i++) {
		strncat(known, i ? ", " : "", sizeof(known) - strlen(known) - 1);
		strncat(known, rule->words[i], sizeof(known) - strlen(known) - 1);
	}
	for (unsigned i = rule->refused; rule->words[i]; i++)
		if (!strcmp(text, rule->words[i]))
			return fault_set(fault, -EINVAL,
					 "%s: %s=\"%s\" is not supported by this version; use %s",
					 place, rule->key, text, known);
	return fault_set(fault, -EINVAL, "%s: %s=\"%s\" is unknown; use %s", place, rule->key, text,
			 known);
}

/* The index itself is an old way to write a word. */
static int word_set(const struct rule *rule, struct option_value *value, const char *text,
		    const char *place, struct fault *fault)
{
	int64_t index = -1;

	for (unsigned i = 0; i < rule->refused && rule->words[i]; i++)
		if (!strcmp(text, rule->words[i]) || (number_read(text, &index) && index == i)) {
			value->number = i;
			value->text = strdup(rule->words[i]);
			return value->text ? 0 : fault_memory(fault);
		}
	return word_unknown(rule, text, place, fault);
}

static int text_check(const struct rule *rule, const char *text, const char *place,
		      struct fault *fault)
{
	const char *wrong = rule->wrong ? rule->wrong(text) : NULL;

	return wrong ? fault_set(fault, -EINVAL, "%s: %s=\"%s\" cannot be read; %s", place,
				 rule->key, text, wrong)
		     : 0;
}

static int texts_set(const struct rule *rule, struct option_value *value, const char *const *texts,
		     size_t count, const char *place, struct fault *fault)
{
	int rc = 0;

	value->list = calloc(count + 1, sizeof(*value->list));
	if (!value->list)
		return fault_memory(fault);
	for (size_t i = 0; i < count && !rc; i++) {
		rc = text_check(rule, texts[i], place, fault);
		if (rc)
			break;
		value->list[value->count] = strdup(texts[i]);
		if (!value->list[value->count++])
			rc = fault_memory(fault);
	}
	return rc;
}

/* xl's old way to write a list. */
static int words_set(const struct rule *rule, struct option_value *value, const char *text,
		     const char *place, struct fault *fault)
{
	char *copy = strdup(text), *rest = copy, *word;
	const char *words[64];
	size_t count = 0;
	int rc;

	if (!copy)
		return fault_memory(fault);
	while (count < sizeof(words) / sizeof(words[0]) && (word = strsep(&rest, " \t")))
		if (*word)
			words[count++] = word;
	rc = rest ? fault_set(fault, -EINVAL, "%s: %s has too many words", place, rule->key)
		  : texts_set(rule, value, words, count, place, fault);
	free(copy);
	return rc;
}

static int one_set(const struct rule *rule, enum domain_type type, struct option_value *value,
		   const char *text, const char *place, struct fault *fault)
{
	int rc;

	switch (rule->kind) {
	case OPTION_IS_FLAG:
		return flag_set(rule, type, value, text, place, fault);
	case OPTION_IS_NUMBER:
		return number_set(rule, value, text, place, fault);
	case OPTION_IS_WORD:
		return word_set(rule, value, text, place, fault);
	case OPTION_IS_TEXT:
	case OPTION_IS_TEXTS:
	default:
		rc = text_check(rule, text, place, fault);
		if (rc)
			return rc;
		value->text = strdup(text);
		return value->text ? 0 : fault_memory(fault);
	}
}

int option_set(struct domain_config *config, enum domain_option option, const char *const *texts,
	       size_t count, bool alone, unsigned line, const char *place, struct fault *fault)
{
	const struct rule *rule = &rules[option];
	struct option_value *value = &config->option[option];

	if (rule->missing & 1u << config->type)
		return fault_set(fault, -EINVAL,
				 "%s: %s is not supported by this version for a guest of "
				 "type=\"%s\"; remove it",
				 place, rule->key, domain_type_word(config->type));
	if (!(rule->types & 1u << config->type))
		return fault_set(fault, -EINVAL,
				 "%s: %s means nothing for a guest of type=\"%s\"; remove it",
				 place, rule->key, domain_type_word(config->type));
	value->given = true;
	value->line = line;
	if (rule->kind == OPTION_IS_TEXTS && rule->split && alone)
		return words_set(rule, value, texts[0], place, fault);
	if (rule->kind == OPTION_IS_TEXTS) {
		value->alone = alone;
		return texts_set(rule, value, texts, count, place, fault);
	}
	return one_set(rule, config->type, value, texts[0], place, fault);
}

void options_free(struct domain_config *config)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		struct option_value *value = &config->option[i];

		for (size_t n = 0; n < value->count; n++)
			free(value->list[n]);
		free(value->list);
		free(value->text);
		*value = (struct option_value){0};
	}
}

bool config_flag(const struct domain_config *config, enum domain_option option, bool otherwise)
{
	const struct option_value *value = &config->option[option];

	return value->given ? value->number : otherwise;
}

int64_t config_number(const struct domain_config *config, enum domain_option option,
		      int64_t otherwise)
{
	const struct option_value *value = &config->option[option];

	return value->given ? value->number : otherwise;
}

const char *config_text(const struct domain_config *config, enum domain_option option)
{
	return config->option[option].text;
}

char *const *config_texts(const struct domain_config *config, enum domain_option option,
			  size_t *count)
{
	*count = config->option[option].count;
	return config->option[option].list;
}

void option_place(const struct domain_config *config, enum domain_option option, char *text,
		  size_t size)
{
	domain_config_place(config, config->option[option].line, text, size);
}
