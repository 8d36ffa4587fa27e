/* Disks and network cards, and what is said of them as of domains. */
#include <string.h>

#include "toolstack/domain/libxl_json_members.h"
#include "toolstack/json.h"

void libxl_json_flag(yajl_gen json, const char *key, bool value)
{
	json_string(json, key, value ? "True" : "False");
}

void libxl_json_text(yajl_gen json, const char *key, const char *value)
{
	if (value && *value)
		json_string(json, key, value);
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
	libxl_json_text(json, "format", format_word(disk));
	libxl_json_text(json, "script", disk->script);
	if (disk->cdrom)
		json_number(json, "removable", 1);
	if (disk->writable)
		json_number(json, "readwrite", 1);
	if (disk->cdrom)
		json_number(json, "is_cdrom", 1);
	if (disk->direct_io_safe)
		json_bool(json, "direct_io_safe", true);
	libxl_json_flag(json, "discard_enable", disk->discard);
	libxl_json_flag(json, "trusted", !disk->untrusted);
	yajl_gen_map_close(json);
}

static void nic_json(yajl_gen json, const struct domain_config *config,
		     const struct vif_config *vif)
{
	bool emulated = config->type == DOMAIN_HVM && vif->kind != VIF_PV_ONLY;
	static const uint8_t none[MAC_SIZE];
	char mac[MAC_TEXT_SIZE];

	mac_format(vif->mac, mac);
	yajl_gen_map_open(json);
	json_number(json, "devid", vif->devid);
	if (vif->mtu)
		json_number(json, "mtu", vif->mtu);
	libxl_json_text(json, "model", vif->model);
	if (memcmp(vif->mac, none, MAC_SIZE) != 0)
		json_string(json, "mac", mac);
	libxl_json_text(json, "ip", vif->ip);
	libxl_json_text(json, "bridge", vif->bridge);
	libxl_json_text(json, "ifname", vif->name);
	libxl_json_text(json, "script", vif->script);
	json_string(json, "nictype", emulated ? "vif_ioemu" : "vif");
	if (vif->rate_bytes) {
		json_number(json, "rate_bytes_per_interval", (long long)vif->rate_bytes);
		json_number(json, "rate_interval_usecs", vif->rate_usecs);
	}
	libxl_json_flag(json, "trusted", vif->trusted);
	yajl_gen_map_close(json);
}

void libxl_json_disks(const struct libxl_source *s, const char *key)
{
	if (!s->config->disks)
		return;
	json_key(s->json, key);
	yajl_gen_array_open(s->json);
	for (size_t i = 0; i < s->config->disks; i++)
		disk_json(s->json, &s->config->disk[i]);
	yajl_gen_array_close(s->json);
}

void libxl_json_nics(const struct libxl_source *s, const char *key)
{
	if (!s->config->vifs)
		return;
	json_key(s->json, key);
	yajl_gen_array_open(s->json);
	for (size_t i = 0; i < s->config->vifs; i++)
		nic_json(s->json, s->config, &s->config->vif[i]);
	yajl_gen_array_close(s->json);
}
