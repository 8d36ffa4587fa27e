#include "toolstack/domain/config_json.h"

#include <stdlib.h>
#include <string.h>

#include "toolstack/json.h"

/* A bridge may be called 007. */
static bool is_number(const char *word, const char *value)
{
	static const char *const numbers[] = {
		"devid", "mtu", "sector-size", "legacy-sector-units", "vdev", "request-timeout"};
	bool may = qos_is_key(word);

	for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]) && !may; n++)
		may = !strcmp(word, numbers[n]);
	return may && *value && !value[strspn(value, "0123456789")];
}

/* A word of a specification as a member: KEY=VALUE, a flag, or its opposite. */
static void word_json(yajl_gen json, char *word)
{
	char *value = strchr(word, '=');

	if (!value) {
		bool no = !strncmp(word, "no-", 3), un = !strncmp(word, "un", 2);

		json_bool(json, word + (no ? 3 : un ? 2 : 0), !no && !un);
		return;
	}
	*value++ = '\0';
	if (!strcmp(word, "trusted"))
		json_bool(json, word, *value != '0');
	else if (is_number(word, value))
		json_number(json, word, strtoll(value, NULL, 10));
	else
		json_string(json, word, value);
}

/* A device as its specification says it, so that no word of one can be missing in the other. */
static void device_json(yajl_gen json, char *spec)
{
	char *rest = spec, *word;

	yajl_gen_map_open(json);
	while (rest && *rest) {
		if (!strncmp(rest, "target=", 7)) {
			json_string(json, "target", rest + 7);
			break;
		}
		word = strsep(&rest, ",");
		if (*word)
			word_json(json, word);
	}
	yajl_gen_map_close(json);
	free(spec);
}

static void option_json(yajl_gen json, enum domain_option option, const struct option_value *value)
{
	const char *key = option_key(option);

	switch (option_kind(option)) {
	case OPTION_IS_FLAG:
		json_bool(json, key, value->number);
		break;
	case OPTION_IS_NUMBER:
		json_number(json, key, value->number);
		break;
	case OPTION_IS_TEXTS:
		if (value->alone) {
			json_string(json, key, value->list[0]);
			break;
		}
		json_key(json, key);
		yajl_gen_array_open(json);
		for (size_t i = 0; i < value->count; i++)
			json_text(json, value->list[i]);
		yajl_gen_array_close(json);
		break;
	case OPTION_IS_WORD:
	case OPTION_IS_TEXT:
	default:
		json_string(json, key, value->text);
	}
}

void config_json(yajl_gen json, const struct domain_config *config)
{
	char uuid[UUID_STR_LEN];

	uuid_unparse_lower(config->uuid, uuid);
	yajl_gen_map_open(json);
	json_string(json, "name", config->name);
	json_string(json, "uuid", uuid);
	json_string(json, "type", domain_type_word(config->type));
	json_string(json, "kernel", config->kernel);
	json_string(json, "ramdisk", config->ramdisk);
	json_string(json, "cmdline", config->cmdline);
	json_number(json, "memory", (long long)(config->memory_kib >> 10));
	json_number(json, "maxmem", (long long)(config->maxmem_kib >> 10));
	json_number(json, "vcpus", config->vcpus);
	json_number(json, "maxvcpus", config->maxvcpus);
	for (int end = 0; end < END_COUNT; end++)
		json_string(json, domain_end_key((enum domain_end)end),
			    domain_action_word(config->action[end]));
	for (int option = 0; option < OPTION_COUNT; option++)
		if (config->option[option].given)
			option_json(json, (enum domain_option)option, &config->option[option]);
	json_key(json, "disk");
	yajl_gen_array_open(json);
	for (size_t i = 0; i < config->disks; i++)
		device_json(json, disk_config_spec(&config->disk[i]));
	yajl_gen_array_close(json);
	json_key(json, "vif");
	yajl_gen_array_open(json);
	for (size_t i = 0; i < config->vifs; i++)
		device_json(json, vif_config_spec(&config->vif[i]));
	yajl_gen_array_close(json);
	yajl_gen_map_close(json);
}

void config_debug(const struct domain_config *config)
{
	yajl_gen out = json_open();

	if (!out)
		return;
	config_json(out, config);
	json_close_on(out, stderr);
}
