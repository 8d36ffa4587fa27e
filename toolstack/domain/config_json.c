#include "toolstack/domain/config_json.h"

#include "toolstack/json.h"

static void disk_json(yajl_gen json, const struct disk_config *disk)
{
	yajl_gen_map_open(json);
	json_string(json, "vdev", disk->vdev);
	json_number(json, "number", disk->number);
	json_string(json, "target", disk->target);
	json_string(json, "format", disk_format_word(disk->format));
	json_string(json, "backendtype", disk->backend == DISK_QDISK ? "qdisk" : "phy");
	json_string(json, "access", disk->writable ? "rw" : "ro");
	json_string(json, "script", disk->script);
	json_bool(json, "discard", disk->discard);
	json_bool(json, "direct-io-safe", disk->direct_io_safe);
	yajl_gen_map_close(json);
}

static void vif_json(yajl_gen json, const struct vif_config *vif)
{
	char mac[MAC_TEXT_SIZE];

	mac_format(vif->mac, mac);
	yajl_gen_map_open(json);
	json_number(json, "devid", vif->devid);
	json_string(json, "mac", vif->mac_given ? mac : NULL);
	json_string(json, "bridge", vif->bridge);
	json_string(json, "vifname", vif->name);
	json_string(json, "script", vif->script);
	json_string(json, "ip", vif->ip);
	json_number(json, "mtu", vif->mtu);
	json_number(json, "rate_bytes", (long long)vif->rate_bytes);
	json_number(json, "rate_usecs", vif->rate_usecs);
	json_bool(json, "trusted", vif->trusted);
	json_string(json, "type",
		    vif->kind == VIF_DEFAULT ? NULL
		    : vif->kind == VIF_IOEMU ? "ioemu"
					     : "vif");
	json_string(json, "model", vif->model);
	yajl_gen_map_close(json);
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
		disk_json(json, &config->disk[i]);
	yajl_gen_array_close(json);
	json_key(json, "vif");
	yajl_gen_array_open(json);
	for (size_t i = 0; i < config->vifs; i++)
		vif_json(json, &config->vif[i]);
	yajl_gen_array_close(json);
	yajl_gen_map_close(json);
}
