#include "toolstack/domain/adopt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"
#include "lib/xs.h"
#include "toolstack/device/device.h"
#include "toolstack/domain/record.h"

/* libxl's scripts do what we do without one. */
#define SCRIPTS "/etc/xen/scripts/"

struct adoption {
	struct toolstack *ts;
	uint16_t domid;
	xs_transaction_t t;
	struct domain_config config;
	bool changed;
};

/* As many as a domain may have; what more is said to be there is left alone. */
struct present {
	uint32_t id[DEVICES_MAX];
	unsigned count;
};

static void present_get(struct adoption *a, const char *kind, struct present *present)
{
	unsigned count;
	char **ids = nodes_list(a->ts->xs, a->t, &count, "/libxl/%u/device/%s", a->domid, kind);

	present->count = 0;
	for (unsigned i = 0; i < count && present->count < DEVICES_MAX; i++)
		if (!number_parse_u32(ids[i], &present->id[present->count]))
			present->count++;
	free(ids);
}

static bool present_has(const struct present *present, uint32_t id)
{
	for (unsigned i = 0; i < present->count; i++)
		if (present->id[i] == id)
			return true;
	return false;
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

	if (script && (!*script || !strcmp(script, usual))) {
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

static int disk_adopt(struct adoption *a, uint32_t id)
{
	struct domain_config *config = &a->config;
	struct disk_config *grown = realloc(config->disk, (config->disks + 1) * sizeof(*grown));
	int rc;

	if (!grown)
		return -ENOMEM;
	config->disk = grown;
	rc = config->disks < DEVICES_MAX ? disk_take(a, id, &grown[config->disks]) : -EINVAL;
	if (!rc) {
		config->disks++;
		a->changed = true;
	}
	return rc == -ENOMEM ? rc : 0;
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
	struct vif_config *grown = realloc(config->vif, (config->vifs + 1) * sizeof(*grown));
	int rc;

	if (!grown)
		return -ENOMEM;
	config->vif = grown;
	rc = config->vifs < DEVICES_MAX && id < DEVICES_MAX ? vif_take(a, id, &grown[config->vifs])
							    : -EINVAL;
	if (!rc) {
		config->vifs++;
		a->changed = true;
	}
	return rc == -ENOMEM ? rc : 0;
}

static bool config_has_disk(const struct domain_config *config, uint32_t id)
{
	for (size_t i = 0; i < config->disks; i++)
		if (config->disk[i].number == id)
			return true;
	return false;
}

static bool config_has_vif(const struct domain_config *config, uint32_t id)
{
	for (size_t i = 0; i < config->vifs; i++)
		if ((uint32_t)config->vif[i].devid == id)
			return true;
	return false;
}

static int disks_follow(struct adoption *a)
{
	struct domain_config *config = &a->config;
	struct present present;
	int rc = 0;

	present_get(a, "vbd", &present);
	for (size_t i = config->disks; i-- > 0;) {
		if (present_has(&present, config->disk[i].number))
			continue;
		disk_config_free(&config->disk[i]);
		config->disk[i] = config->disk[--config->disks];
		a->changed = true;
	}
	for (unsigned i = 0; i < present.count && !rc; i++)
		if (!config_has_disk(config, present.id[i]))
			rc = disk_adopt(a, present.id[i]);
	return rc;
}

static int vifs_follow(struct adoption *a)
{
	struct domain_config *config = &a->config;
	struct present present;
	int rc = 0;

	present_get(a, "vif", &present);
	for (size_t i = config->vifs; i-- > 0;) {
		if (present_has(&present, (uint32_t)config->vif[i].devid))
			continue;
		vif_config_free(&config->vif[i]);
		config->vif[i] = config->vif[--config->vifs];
		a->changed = true;
	}
	for (unsigned i = 0; i < present.count && !rc; i++)
		if (!config_has_vif(config, present.id[i]))
			rc = vif_adopt(a, present.id[i]);
	return rc;
}

static int adoption_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct adoption *a = arg;
	struct fault ignored = {0};
	char *text = NULL;
	int rc;

	(void)xs;
	a->t = t;
	a->changed = false;
	if (record_config_read(a->ts, t, a->domid, &a->config, &ignored))
		return 0;
	rc = disks_follow(a);
	if (!rc)
		rc = vifs_follow(a);
	if (!rc && a->changed) {
		text = domain_config_print(&a->config);
		rc = text ? record_config_replace(a->ts, t, a->domid, text) : -ENOMEM;
	}
	free(text);
	domain_config_free(&a->config);
	return rc;
}

int config_adopt(struct toolstack *ts, uint16_t domid)
{
	struct adoption a = {.ts = ts, .domid = domid};
	struct xen_domain domain;
	struct fault ignored = {0};
	int rc;

	if (xen_domain_get(ts->xen, domid, &domain, &ignored) || domain.dying || domain.shutdown)
		return 0;
	rc = xs_transact(ts->xs, adoption_write, &a);
	return rc ? rc : a.changed;
}
