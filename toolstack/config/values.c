#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"
#include "toolstack/config/parse.h"

#define VCPUS_MAX     512u
/* More need local APICs of the second kind, which our ACPI tables do not describe. */
#define PVH_VCPUS_MAX 127u
/* HVM_MAX_VCPUS of xen/hvm/hvm_info_table.h */
#define HVM_VCPUS_MAX 128u

static const char *const end_keys[END_COUNT] = {"on_poweroff", "on_reboot", "on_crash",
						"on_watchdog", "on_soft_reset"};
static const char *const action_words[] = {
	[ACTION_DESTROY] = "destroy",
	[ACTION_RESTART] = "restart",
	[ACTION_PRESERVE] = "preserve",
	[ACTION_RENAME_RESTART] = "rename-restart",
	[ACTION_COREDUMP_DESTROY] = "coredump-destroy",
	[ACTION_COREDUMP_RESTART] = "coredump-restart",
	[ACTION_SOFT_RESET] = "soft-reset",
};

const char *domain_end_key(enum domain_end end)
{
	return end_keys[end];
}

const char *domain_action_word(enum domain_action action)
{
	return action_words[action];
}

const char *domain_name_check(const char *name)
{
	bool digits = true;

	if (!*name)
		return "is empty";
	if (strlen(name) > DOMAIN_NAME_MAX)
		return "is longer than 127 characters";
	for (const char *p = name; *p; p++) {
		if (iscntrl((unsigned char)*p) || isspace((unsigned char)*p) || *p == '/')
			return "holds a space, a slash or a control character";
		digits = digits && isdigit((unsigned char)*p);
	}
	return digits ? "is made of digits only and would be taken for a domain id" : NULL;
}

const char *parse_string(struct parse *p, const char *key)
{
	const char *value = NULL;

	return xlu_cfg_get_string(p->xlu, key, &value, 1) ? NULL : value;
}

int parse_copy(struct parse *p, const char *value, char **field)
{
	*field = strdup(value);
	return *field ? 0 : fault_memory(p->fault);
}

int parse_required(struct parse *p, const char *key, const char *example, char **field)
{
	const char *value = parse_string(p, key);

	if (!value || !*value)
		return fault_set(p->fault, -EINVAL, "%s: no %s; add %s=\"%s\"", parse_place(p, key),
				 key, key, example);
	return parse_copy(p, value, field);
}

static int number_take(struct parse *p, const char *key, const char *unit, uint64_t least,
		       uint64_t most, uint64_t *number)
{
	const char *value = parse_string(p, key);
	uint64_t parsed;

	if (!value)
		return 0;
	if (number_parse(value, most, &parsed) || parsed < least)
		return fault_set(p->fault, -EINVAL,
				 "%s: %s=%s is not a number of %s from %" PRIu64 " to %" PRIu64,
				 parse_place(p, key), key, value, unit, least, most);
	*number = parsed;
	return 0;
}

static int name_take(struct parse *p)
{
	int rc = parse_required(p, "name", "guest", &p->config->name);
	const char *why = rc ? NULL : domain_name_check(p->config->name);

	p->config->name_line = parse_line(p, "name");
	if (why)
		return fault_set(p->fault, -EINVAL, "%s: name \"%s\" %s; choose another",
				 parse_place(p, "name"), p->config->name, why);
	return rc;
}

static int uuid_take(struct parse *p)
{
	const char *text = parse_string(p, "uuid");

	if (!text) {
		uuid_generate_random(p->config->uuid);
		return 0;
	}
	if (uuid_parse(text, p->config->uuid) || uuid_is_null(p->config->uuid))
		return fault_set(p->fault, -EINVAL,
				 "%s: uuid=\"%s\" is no UUID; leave it out or write one that "
				 "uuidgen(1) prints",
				 parse_place(p, "uuid"), text);
	p->config->uuid_given = true;
	p->config->uuid_line = parse_line(p, "uuid");
	return 0;
}

/* maxmem is memory when it is not said; so is maxvcpus. */
static int memory_take(struct parse *p)
{
	uint64_t memory = 0, maxmem = 0;
	int rc = number_take(p, "memory", "MiB", MEMORY_MIB_MIN, MEMORY_MIB_MAX, &memory);

	p->config->memory_line = parse_line(p, "memory");
	if (!rc)
		rc = number_take(p, "maxmem", "MiB", MEMORY_MIB_MIN, MEMORY_MIB_MAX, &maxmem);
	if (rc)
		return rc;
	if (!memory && !maxmem)
		return fault_set(p->fault, -EINVAL, "%s: no memory; add memory=64 (MiB)",
				 parse_place(p, "memory"));
	memory = memory ? memory : maxmem;
	maxmem = maxmem ? maxmem : memory;
	if (maxmem < memory)
		return fault_set(p->fault, -EINVAL,
				 "%s: maxmem=%" PRIu64 " is less than memory=%" PRIu64 "; raise it",
				 parse_place(p, "maxmem"), maxmem, memory);
	p->config->memory_kib = memory << 10;
	p->config->maxmem_kib = maxmem << 10;
	return 0;
}

static int vcpus_take(struct parse *p)
{
	uint64_t most = p->config->type == DOMAIN_PVH   ? PVH_VCPUS_MAX
			: p->config->type == DOMAIN_HVM ? HVM_VCPUS_MAX
							: VCPUS_MAX;
	uint64_t vcpus = 0, maxvcpus = 0;
	int rc = number_take(p, "vcpus", "virtual CPUs", 1, most, &vcpus);

	if (!rc)
		rc = number_take(p, "maxvcpus", "virtual CPUs", 1, most, &maxvcpus);
	if (rc)
		return rc;
	vcpus = vcpus ? vcpus : maxvcpus ? maxvcpus : 1;
	maxvcpus = maxvcpus ? maxvcpus : vcpus;
	if (maxvcpus < vcpus)
		return fault_set(p->fault, -EINVAL,
				 "%s: maxvcpus=%" PRIu64 " is less than vcpus=%" PRIu64
				 "; raise it",
				 parse_place(p, "maxvcpus"), maxvcpus, vcpus);
	p->config->vcpus = (uint32_t)vcpus;
	p->config->maxvcpus = (uint32_t)maxvcpus;
	return 0;
}

static int action_take(struct parse *p, enum domain_end end)
{
	const char *key = end_keys[end], *value = parse_string(p, key);

	p->config->action[end] = end == END_REBOOT       ? ACTION_RESTART
				 : end == END_SOFT_RESET ? ACTION_SOFT_RESET
							 : ACTION_DESTROY;
	if (!value)
		return 0;
	for (size_t i = 0; i < sizeof(action_words) / sizeof(action_words[0]); i++) {
		if (!strcmp(value, action_words[i])) {
			p->config->action[end] = (enum domain_action)i;
			return 0;
		}
	}
	return fault_set(p->fault, -EINVAL,
			 "%s: %s=\"%s\" is unknown; use destroy, restart, preserve, "
			 "rename-restart, coredump-destroy, coredump-restart or soft-reset",
			 parse_place(p, key), key, value);
}

/* The texts of an option: of a list its items, of anything else the one. */
static int option_take(struct parse *p, enum domain_option option)
{
	const char *key = option_key(option), *value = NULL, *place = parse_place(p, key);
	XLU_ConfigList *list = NULL;
	const char **texts = NULL;
	int n = 1, rc = 0;
	bool is_list = !xlu_cfg_get_list(p->xlu, key, &list, &n, 1);

	if (!is_list && xlu_cfg_get_string(p->xlu, key, &value, 1))
		return 0;
	texts = calloc((size_t)n + 1, sizeof(*texts));
	if (!texts)
		return fault_memory(p->fault);
	for (int i = 0; i < n && !rc; i++) {
		texts[i] = is_list ? xlu_cfg_get_listitem(list, i) : value;
		if (!texts[i])
			rc = fault_set(p->fault, -EINVAL,
				       "%s: item %d of %s is a list; write it as one string", place,
				       i, key);
	}
	if (!rc)
		rc = option_set(p->config, option, texts, (size_t)n, !is_list, parse_line(p, key),
				place, p->fault);
	free(texts);
	return rc;
}

/* How a list's item is called in messages: "guest.cfg:7: vif 0". */
static void item_place(struct parse *p, const char *key, size_t index, unsigned *line, char *text,
		       size_t size)
{
	*line = lines_item(&p->places, key, index);
	domain_config_place(p->config, *line, p->place, sizeof(p->place));
	snprintf(text, size, "%s: %s %zu", p->place, key, index);
}

/* The items of a list key; a key that is not set has none. */
static int list_of(struct parse *p, const char *key, XLU_ConfigList **list, size_t *items)
{
	int n = 0;

	*items = 0;
	if (xlu_cfg_get_list(p->xlu, key, list, &n, 1) || n <= 0)
		return 0;
	if ((unsigned)n > DEVICES_MAX)
		return fault_set(p->fault, -EINVAL, "%s: %s has %d items; a domain has at most %u",
				 parse_place(p, key), key, n, DEVICES_MAX);
	*items = (size_t)n;
	return 0;
}

static const char *item_of(struct parse *p, XLU_ConfigList *list, size_t index, const char *place)
{
	const char *spec = xlu_cfg_get_listitem(list, (int)index);

	if (!spec)
		fault_set(p->fault, -EINVAL, "%s: is a list; write it as one string", place);
	return spec;
}

static int disk_unique(struct parse *p, const struct disk_config *disk, const char *place)
{
	for (size_t i = 0; i < p->config->disks; i++)
		if (p->config->disk[i].number == disk->number)
			return fault_set(p->fault, -EINVAL,
					 "%s: vdev %s is already disk %zu's; choose another", place,
					 disk->vdev, i);
	return 0;
}

static int disks_take(struct parse *p)
{
	struct domain_config *config = p->config;
	XLU_ConfigList *list = NULL;
	size_t n;
	int rc = list_of(p, "disk", &list, &n);

	if (rc || !n)
		return rc;
	config->disk = calloc(n, sizeof(*config->disk));
	if (!config->disk)
		return fault_memory(p->fault);
	for (size_t i = 0; i < n && !rc; i++) {
		struct disk_config *disk = &config->disk[i];
		char place[sizeof(p->place) + 32];
		const char *spec;
		unsigned line;

		item_place(p, "disk", i, &line, place, sizeof(place));
		spec = item_of(p, list, i, place);
		rc = spec ? disk_config_parse(spec, place, disk, p->fault) : -EINVAL;
		disk->line = line;
		if (!rc)
			rc = disk_unique(p, disk, place);
		config->disks++;
	}
	return rc;
}

static int vif_unique(struct parse *p, const struct vif_config *vif, const char *place)
{
	char mac[MAC_TEXT_SIZE];

	mac_format(vif->mac, mac);
	for (size_t i = 0; i < p->config->vifs; i++) {
		const struct vif_config *other = &p->config->vif[i];

		if (vif->mac_given && other->mac_given && !memcmp(vif->mac, other->mac, MAC_SIZE))
			return fault_set(p->fault, -EINVAL,
					 "%s: mac %s is already vif %zu's; choose another", place,
					 mac, i);
		if (vif->devid >= 0 && vif->devid == other->devid)
			return fault_set(p->fault, -EINVAL,
					 "%s: devid %d is already vif %zu's; choose another", place,
					 vif->devid, i);
		if (vif->name && other->name && !strcmp(vif->name, other->name))
			return fault_set(p->fault, -EINVAL,
					 "%s: vifname %s is already vif %zu's; choose another",
					 place, vif->name, i);
	}
	return 0;
}

static bool devid_taken(const struct domain_config *config, int devid)
{
	for (size_t i = 0; i < config->vifs; i++)
		if (config->vif[i].devid == devid)
			return true;
	return false;
}

static void devids_fill(struct domain_config *config)
{
	int devid = 0;

	for (size_t i = 0; i < config->vifs; i++) {
		if (config->vif[i].devid >= 0)
			continue;
		while (devid_taken(config, devid))
			devid++;
		config->vif[i].devid = devid;
	}
}

static int vifs_take(struct parse *p)
{
	struct domain_config *config = p->config;
	XLU_ConfigList *list = NULL;
	size_t n;
	int rc = list_of(p, "vif", &list, &n);

	if (rc || !n)
		return rc;
	config->vif = calloc(n, sizeof(*config->vif));
	if (!config->vif)
		return fault_memory(p->fault);
	for (size_t i = 0; i < n && !rc; i++) {
		struct vif_config *vif = &config->vif[i];
		char place[sizeof(p->place) + 32];
		const char *spec;
		unsigned line;

		item_place(p, "vif", i, &line, place, sizeof(place));
		spec = item_of(p, list, i, place);
		rc = spec ? vif_config_parse(spec, place, vif, p->fault) : -EINVAL;
		vif->line = line;
		if (!rc)
			rc = vif_unique(p, vif, place);
		config->vifs++;
	}
	if (!rc)
		devids_fill(config);
	return rc;
}

int parse_values(struct parse *p)
{
	int rc = name_take(p);

	if (!rc)
		rc = uuid_take(p);
	if (!rc)
		rc = parse_image(p);
	if (!rc)
		rc = memory_take(p);
	if (!rc)
		rc = vcpus_take(p);
	for (int end = 0; end < END_COUNT && !rc; end++)
		rc = action_take(p, (enum domain_end)end);
	for (int option = 0; option < OPTION_COUNT && !rc; option++)
		rc = option_take(p, (enum domain_option)option);
	if (!rc)
		rc = disks_take(p);
	if (!rc)
		rc = vifs_take(p);
	return rc;
}
