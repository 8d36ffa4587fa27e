#include "toolstack/domain/adopt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hotplug.h"
#include "lib/number.h"
#include "lib/xs.h"
#include "toolstack/device/index.h"
#include "toolstack/domain/record.h"

/* libxl's scripts do what we do without one. */
#define SCRIPTS "/etc/xen/scripts/"

struct adoption {
	struct toolstack *ts;
	uint16_t domid;
	xs_transaction_t t;
	const char *mark; /* the domain's in the index */
	struct domain_config config;
};

/* Numbers of devices; no more than a domain may have. */
struct ids {
	uint32_t id[DEVICES_MAX];
	unsigned count;
};

static void present_get(struct adoption *a, const char *kind, struct ids *present)
{
	unsigned count;
	char **ids = nodes_list(a->ts->xs, a->t, &count, "/libxl/%u/device/%s", a->domid, kind);

	present->count = 0;
	for (unsigned i = 0; i < count && present->count < DEVICES_MAX; i++)
		if (!number_parse_u32(ids[i], &present->id[present->count]))
			present->count++;
	free(ids);
}

static bool ids_have(const struct ids *ids, uint32_t id)
{
	for (unsigned i = 0; i < ids->count; i++)
		if (ids->id[i] == id)
			return true;
	return false;
}

/* Those that the index has, a disk once for each of its keys. */
static void noted_get(struct adoption *a, const char *kind, struct ids *noted)
{
	unsigned count;
	char **notes = nodes_list(a->ts->xs, a->t, &count, INDEX_PATH "/domain/%s", a->mark), of[8];
	uint32_t id;

	noted->count = 0;
	for (unsigned i = 0; i < count && noted->count < DEVICES_MAX; i++)
		if (sscanf(notes[i], "%7[a-z]-%" SCNu32 "@", of, &id) == 2 && !strcmp(of, kind) &&
		    !ids_have(noted, id))
			noted->id[noted->count++] = id;
	free(notes);
}

/* A node of one of a domain's devices, for free(3), or NULL. */
static char *node(struct adoption *a, const char *kind, uint32_t id, const char *name)
{
	return xs_read_string(a->ts->xs, a->t, "/libxl/%u/device/%s/%" PRIu32 "/%s", a->domid, kind,
			      id, name);
}

static bool node_is(struct adoption *a, const char *kind, uint32_t id, const char *name,
		    const char *value)
{
	char *text = node(a, kind, id, name);
	bool is = text && !strcmp(text, value);

	free(text);
	return is;
}

static char *script_of(struct adoption *a, const char *kind, uint32_t id, const char *usual)
{
	char *script = node(a, kind, id, "script");

	if (script && (!*script || !hotplug_is_script(script) || !strcmp(script, usual))) {
		free(script);
		script = NULL;
	}
	return script;
}

/* "aio:/PATH", "qcow2:/PATH", "/PATH", "nbd://HOST": the format before a path. Takes @params. */
static void target_set(struct disk_config *disk, char *params)
{
	char *path = params ? strstr(params, ":/") : NULL;

	disk->target = params;
	disk->remote = path && path[2] == '/';
	if (!path || disk->remote)
		return;
	*path = '\0';
	for (int format = DISK_RAW; format <= DISK_VDI; format++)
		if (!strcmp(params, disk_format_word((enum disk_format)format)))
			disk->format = (enum disk_format)format;
	memmove(params, path + 1, strlen(path + 1) + 1);
}

static void disk_read(struct adoption *a, uint32_t id, struct disk_config *disk)
{
	char *vdev = node(a, "vbd", id, "dev");

	*disk = (struct disk_config){
		.number = id,
		.backend = node_is(a, "vbd", id, "type", "qdisk") ? DISK_QDISK : DISK_PHY,
		.writable = node_is(a, "vbd", id, "mode", "w"),
		.cdrom = node_is(a, "vbd", id, "device-type", "cdrom"),
		.discard = !node_is(a, "vbd", id, "discard-enable", "0"),
		.direct_io_safe = node_is(a, "vbd", id, "direct-io-safe", "1"),
		.script = script_of(a, "vbd", id, SCRIPTS "block"),
	};
	snprintf(disk->vdev, sizeof(disk->vdev), "%s", vdev ? vdev : "");
	target_set(disk, node(a, "vbd", id, "params"));
	free(vdev);
}

/* As a config of ours would say it: what does not read as that is no disk of ours. */
static int disk_take(struct adoption *a, uint32_t id, struct disk_config *disk)
{
	struct disk_config found;
	struct fault ignored = {0};
	char *spec;
	int rc = -EINVAL;

	disk_read(a, id, &found);
	spec = found.target ? disk_config_spec(&found) : NULL;
	if (spec)
		rc = disk_config_parse(spec, "disk", disk, &ignored);
	if (!rc && disk->number != id) {
		disk_config_free(disk);
		rc = -EINVAL;
	}
	free(spec);
	disk_config_free(&found);
	return rc;
}

/* Another image in a drive that the config has: the rest of what it says of it stays. */
static void disk_exchange(struct disk_config *disk, struct disk_config *found)
{
	free(disk->target);
	disk->target = found->target;
	disk->format = found->format;
	disk->remote = found->remote;
	found->target = NULL;
	disk_config_free(found);
}

static int disk_adopt(struct adoption *a, uint32_t id)
{
	struct domain_config *config = &a->config;
	struct disk_config *disk = domain_config_disk(config, id), *grown, found;
	int rc = disk_take(a, id, &found);

	if (rc)
		return rc == -ENOMEM ? rc : 0;
	if (disk) {
		disk_exchange(disk, &found);
		return 0;
	}
	grown = config->disks < DEVICES_MAX
			? realloc(config->disk, (config->disks + 1) * sizeof(*grown))
			: NULL;
	if (!grown) {
		disk_config_free(&found);
		return config->disks < DEVICES_MAX ? -ENOMEM : 0;
	}
	config->disk = grown;
	grown[config->disks++] = found;
	return 0;
}

static void rate_set(struct vif_config *vif, const char *text)
{
	uint64_t bytes;
	uint32_t usecs;

	if (text && sscanf(text, "%" SCNu64 ",%" SCNu32, &bytes, &usecs) == 2 && bytes && usecs &&
	    bytes <= UINT64_MAX / 1000000) {
		vif->rate_bytes = bytes;
		vif->rate_usecs = usecs;
	}
}

static void vif_read(struct adoption *a, uint32_t id, struct vif_config *vif)
{
	char *mac = node(a, "vif", id, "mac"), *rate = node(a, "vif", id, "rate");
	char *mtu = node(a, "vif", id, "mtu"), *bridge = node(a, "vif", id, "bridge");

	*vif = (struct vif_config){
		.devid = (int)id,
		.bridge = bridge ? bridge : strdup("xenbr0"),
		.name = node(a, "vif", id, "vifname"),
		.script = script_of(a, "vif", id, SCRIPTS "vif-bridge"),
		.ip = node(a, "vif", id, "ip"),
		/* What comes later has no emulated card. */
		.kind = VIF_PV_ONLY,
		.trusted = true,
	};
	vif->mac_given = mac && !mac_parse(mac, vif->mac);
	if (mtu && number_parse_u32(mtu, &vif->mtu))
		vif->mtu = 0;
	rate_set(vif, rate);
	free(mac);
	free(rate);
	free(mtu);
}

static int vif_take(struct adoption *a, uint32_t id, struct vif_config *vif)
{
	struct vif_config found;
	struct fault ignored = {0};
	char *spec;
	int rc = -EINVAL;

	vif_read(a, id, &found);
	spec = found.mac_given && found.bridge ? vif_config_spec(&found) : NULL;
	if (spec)
		rc = vif_config_parse(spec, "vif", vif, &ignored);
	free(spec);
	vif_config_free(&found);
	return rc;
}

static int vif_adopt(struct adoption *a, uint32_t id)
{
	struct domain_config *config = &a->config;
	struct vif_config *grown;
	int rc;

	if (id >= DEVICES_MAX || config->vifs == DEVICES_MAX || domain_config_vif(config, id))
		return 0;
	grown = realloc(config->vif, (config->vifs + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	config->vif = grown;
	rc = vif_take(a, id, &grown[config->vifs]);
	config->vifs += !rc;
	return rc == -ENOMEM ? rc : 0;
}

static const struct {
	const char *kind;
	enum device_type type;
	int (*adopt)(struct adoption *a, uint32_t id);
	void (*remove)(struct domain_config *config, uint32_t id);
} kinds[] = {
	{"vbd", DEVICE_VBD, disk_adopt, domain_config_disk_remove},
	{"vif", DEVICE_VIF, vif_adopt, domain_config_vif_remove},
};

static int kind_follow(struct adoption *a, unsigned n)
{
	struct device device = {.type = kinds[n].type, .domid = a->domid};
	struct ids present, noted;
	int rc = 0;

	present_get(a, kinds[n].kind, &present);
	noted_get(a, kinds[n].kind, &noted);
	for (unsigned i = 0; i < noted.count; i++)
		if (!ids_have(&present, noted.id[i]))
			kinds[n].remove(&a->config, noted.id[i]);
	for (unsigned i = 0; i < present.count && !rc; i++) {
		device.id = present.id[i];
		if (!index_has(a->ts->xs, a->t, a->mark, &device))
			rc = kinds[n].adopt(a, device.id);
	}
	return rc;
}

static int config_follow(xs_transaction_t t, const char *mark, void *arg)
{
	struct adoption *a = arg;
	struct fault ignored = {0};
	char *text = NULL;
	int rc = 0;

	a->t = t;
	a->mark = mark;
	if (record_config_read(a->ts, t, a->domid, &a->config, &ignored))
		return 0;
	for (unsigned n = 0; n < sizeof(kinds) / sizeof(kinds[0]) && !rc; n++)
		rc = kind_follow(a, n);
	if (!rc) {
		text = domain_config_print(&a->config);
		rc = text ? record_config_replace(a->ts, t, a->domid, text) : -ENOMEM;
	}
	free(text);
	domain_config_free(&a->config);
	/* One that does not read stays out. The index follows all the same: it keeps others off. */
	return rc == -EINVAL ? 0 : rc;
}

int domain_adopt(struct toolstack *ts, uint16_t domid)
{
	struct adoption a = {.ts = ts, .domid = domid};
	struct xen_domain domain;
	struct fault ignored = {0};

	/* One that ends loses its devices one by one, to whoever removes it. */
	if (xen_domain_get(ts->xen, domid, &domain, &ignored) || domain.dying || domain.shutdown)
		return 0;
	return index_follow(ts, domid, domain.uuid, config_follow, &a);
}
