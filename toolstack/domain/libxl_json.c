#include "toolstack/domain/libxl_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/domain/libxl_json_members.h"
#include "toolstack/json.h"

/* It has two members for what is a text or a list of them: serial and serial_list. */
static bool is_twin(enum domain_option option)
{
	return option == OPTION_SERIAL || option == OPTION_USBDEVICE;
}

static void texts_json(yajl_gen json, const struct libxl_member *m,
		       const struct option_value *value)
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

static void option_json(yajl_gen json, const struct libxl_member *m,
			const struct option_value *value)
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

void libxl_json_members(const struct libxl_source *s, const struct libxl_member *members)
{
	for (const struct libxl_member *m = members; m->key; m++) {
		const struct option_value *value = &s->config->option[m->option];

		if (m->write)
			m->write(s, m->key);
		else if (value->given && !is_default(m->option, value))
			option_json(s->json, m, value);
	}
}

void libxl_json_object(const struct libxl_source *s, const char *key,
		       const struct libxl_member *members)
{
	json_key(s->json, key);
	yajl_gen_map_open(s->json);
	if (members)
		libxl_json_members(s, members);
	yajl_gen_map_close(s->json);
}

const char *libxl_json_type(const struct domain_config *config)
{
	return config->type == DOMAIN_PROCESS ? "pv" : domain_type_word(config->type);
}

static void yes(const struct libxl_source *s, const char *key)
{
	libxl_json_flag(s->json, key, true);
}

static void type(const struct libxl_source *s, const char *key)
{
	json_string(s->json, key, libxl_json_type(s->config));
}

static void name(const struct libxl_source *s, const char *key)
{
	json_string(s->json, key, s->config->name);
}

static void uuid(const struct libxl_source *s, const char *key)
{
	char text[UUID_STR_LEN];

	uuid_unparse_lower(s->config->uuid, text);
	json_string(s->json, key, text);
}

static const struct libxl_member c_info_members[] = {
	LIBXL_MADE("type", type),
	LIBXL_SAID("hap", OPTION_HAP),
	LIBXL_MADE("name", name),
	LIBXL_MADE("uuid", uuid),
	LIBXL_SAID("pool_name", OPTION_POOL),
	LIBXL_MADE("run_hotplug_scripts", yes),
	LIBXL_SAID("driver_domain", OPTION_DRIVER_DOMAIN),
	LIBXL_SAID("passthrough", OPTION_PASSTHROUGH),
	LIBXL_LAST,
};

static void c_info(const struct libxl_source *s, const char *key)
{
	libxl_json_object(s, key, c_info_members);
}

static void ends(const struct libxl_source *s, const char *key)
{
	static const enum domain_end order[] = {END_POWEROFF, END_REBOOT, END_WATCHDOG, END_CRASH,
						END_SOFT_RESET};
	static const char *const words[] = {
		[ACTION_RESTART] = "restart",
		[ACTION_PRESERVE] = "preserve",
		[ACTION_RENAME_RESTART] = "restart_rename",
		[ACTION_COREDUMP_DESTROY] = "coredump_destroy",
		[ACTION_COREDUMP_RESTART] = "coredump_restart",
		[ACTION_SOFT_RESET] = "soft_reset",
	};

	(void)key;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		enum domain_action action = s->config->action[order[i]];

		/* To destroy it is libxl's default. */
		if (action != ACTION_DESTROY)
			json_string(s->json, domain_end_key(order[i]), words[action]);
	}
}

static const struct libxl_member domain_members[] = {
	LIBXL_MADE("c_info", c_info),
	LIBXL_MADE("b_info", libxl_json_build),
	LIBXL_MADE("disks", libxl_json_disks),
	LIBXL_MADE("nics", libxl_json_nics),
	LIBXL_MADE("on_poweroff", ends), /* and the others */
	LIBXL_LAST,
};

void libxl_json_config(yajl_gen json, const struct domain_config *config,
		       const struct libxl_sched *sched, const struct cpulist_host *host)
{
	const struct libxl_source s = {json, config, sched, host};

	yajl_gen_map_open(json);
	libxl_json_members(&s, domain_members);
	yajl_gen_map_close(json);
}

char *libxl_json(const struct domain_config *config, const struct cpulist_host *host)
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
	libxl_json_config(json, config, NULL, host);
	json_close_on(json, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
