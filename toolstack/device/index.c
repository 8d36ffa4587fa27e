#include "toolstack/device/index.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/number.h"
#include "toolstack/device/vbd.h"

#define MARKS INDEX_PATH "/domain"

/* FNV-1a. Whoever finds something by it looks at what it stands for. */
static uint64_t hash(const void *data, size_t size)
{
	const unsigned char *byte = data;
	uint64_t value = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		value = (value ^ byte[i]) * 0x100000001b3;
	return value;
}

void index_mark(uint16_t domid, const uuid_t uuid, char mark[INDEX_MARK_SIZE])
{
	/* Half of it: the names of some hundred domains fit into one answer of the store. */
	snprintf(mark, INDEX_MARK_SIZE, "%u-%08" PRIx32, domid,
		 (uint32_t)hash(uuid, sizeof(uuid_t)));
}

const char *index_target(const char *params)
{
	/* "aio:/PATH", "qcow2:/PATH"; not "nbd://HOST" */
	if (*params != '/' && strstr(params, ":/") && !strstr(params, "://"))
		return strstr(params, ":/") + 1;
	return params;
}

void index_image(const char *target, struct index_image *image)
{
	struct stat stat_of;

	snprintf(image->path, sizeof(image->path), "path-%016" PRIx64,
		 hash(target, strlen(target)));
	*image->file = '\0';
	if (*target != '/' || stat(target, &stat_of))
		return;
	if (S_ISBLK(stat_of.st_mode))
		snprintf(image->file, sizeof(image->file), "block-%jx", (uintmax_t)stat_of.st_rdev);
	else
		snprintf(image->file, sizeof(image->file), "file-%jx-%jx",
			 (uintmax_t)stat_of.st_dev, (uintmax_t)stat_of.st_ino);
}

void index_mac(const uint8_t mac[MAC_SIZE], char key[INDEX_KEY_SIZE])
{
	for (size_t i = 0; i < MAC_SIZE; i++)
		snprintf(key + 2 * i, 3, "%02x", mac[i]);
}

static void entry_nodes(struct nodes *nodes, const char *mark, const char *kind, const char *key,
			uint16_t domid, uint32_t id, const char *value)
{
	char dir[XS_PATH_SIZE], name[XS_PATH_SIZE];

	snprintf(dir, sizeof(dir), INDEX_PATH "/%s/%s", kind, key);
	snprintf(name, sizeof(name), "%u-%" PRIu32, domid, id);
	nodes_add(nodes, dir, name, "%s", value);
	snprintf(dir, sizeof(dir), MARKS "/%s", mark);
	snprintf(name, sizeof(name), "%s-%" PRIu32 "@%s", kind, id, key);
	nodes_add(nodes, dir, name, "%s", "");
}

void index_domain_nodes(struct nodes *nodes, uint16_t domid, const uuid_t uuid)
{
	char mark[INDEX_MARK_SIZE];

	index_mark(domid, uuid, mark);
	nodes_add(nodes, MARKS, mark, "%s", "");
}

void index_disk_nodes(struct nodes *nodes, const char *mark, uint16_t domid, uint32_t id,
		      const char *params)
{
	const char *target = index_target(params);
	struct index_image image = {0};

	/* An empty drive. */
	if (!*target)
		return;
	index_image(target, &image);
	entry_nodes(nodes, mark, "vbd", image.path, domid, id, params);
	if (*image.file)
		entry_nodes(nodes, mark, "vbd", image.file, domid, id, params);
}

void index_vif_nodes(struct nodes *nodes, const char *mark, uint16_t domid, uint32_t id,
		     const uint8_t mac[MAC_SIZE])
{
	char key[INDEX_KEY_SIZE];

	index_mac(mac, key);
	entry_nodes(nodes, mark, "vif", key, domid, id, "");
}

void index_config_nodes(struct nodes *nodes, uint16_t domid, const struct domain_config *config)
{
	char mark[INDEX_MARK_SIZE];

	index_mark(domid, config->uuid, mark);
	index_domain_nodes(nodes, domid, config->uuid);
	for (size_t i = 0; i < config->disks; i++) {
		char *params = vbd_params(&config->disk[i]);

		if (params)
			index_disk_nodes(nodes, mark, domid, config->disk[i].number, params);
		else
			nodes->rc = -ENOMEM;
		free(params);
	}
	for (size_t i = 0; i < config->vifs; i++)
		index_vif_nodes(nodes, mark, domid, (uint32_t)config->vif[i].devid,
				config->vif[i].mac);
}

static bool is_of(const char *mark, uint16_t domid)
{
	char start[8];
	int n = snprintf(start, sizeof(start), "%u-", domid);

	return !strncmp(mark, start, (size_t)n);
}

/* The node of an image or address, with its folder when it is the only one there. */
static int entry_remove(struct xs_handle *xs, xs_transaction_t t, const char *kind, const char *key,
			const char *owner)
{
	unsigned count;
	char **owners = nodes_list(xs, t, &count, INDEX_PATH "/%s/%s", kind, key);
	bool alone = count == 1 && !strcmp(owners[0], owner);

	free(owners);
	return alone ? xs_remove(xs, t, INDEX_PATH "/%s/%s", kind, key)
		     : xs_remove(xs, t, INDEX_PATH "/%s/%s/%s", kind, key, owner);
}

/* What a "KIND-DEV@KEY" of a mark stands for. */
static int noted_remove(struct xs_handle *xs, xs_transaction_t t, const char *mark,
			const char *note)
{
	char kind[8], key[INDEX_KEY_SIZE], owner[24];
	unsigned domid;
	uint32_t id;

	if (sscanf(mark, "%u-", &domid) != 1 ||
	    sscanf(note, "%7[a-z]-%" SCNu32 "@%63s", kind, &id, key) != 3)
		return 0;
	snprintf(owner, sizeof(owner), "%u-%" PRIu32, domid, id);
	return entry_remove(xs, t, kind, key, owner);
}

/* Those of a device, or with an empty @start all. */
static int noted_remove_all(struct xs_handle *xs, xs_transaction_t t, const char *mark,
			    const char *start)
{
	unsigned count;
	char **notes = nodes_list(xs, t, &count, MARKS "/%s", mark);
	int rc = 0;

	for (unsigned i = 0; i < count && !rc; i++) {
		if (strncmp(notes[i], start, strlen(start)) != 0)
			continue;
		rc = noted_remove(xs, t, mark, notes[i]);
		if (!rc && *start)
			rc = xs_remove(xs, t, MARKS "/%s/%s", mark, notes[i]);
	}
	free(notes);
	return rc;
}

int index_device_remove(struct xs_handle *xs, xs_transaction_t t, const struct device *device)
{
	bool vif = device->type == DEVICE_VIF;
	char start[24];
	unsigned count;
	char **marks;
	int rc = 0;

	if (device->type == DEVICE_CONSOLE)
		return 0;
	snprintf(start, sizeof(start), "%s-%" PRIu32 "@", vif ? "vif" : "vbd", device->id);
	marks = nodes_list(xs, t, &count, MARKS);
	for (unsigned i = 0; i < count && !rc; i++)
		if (is_of(marks[i], device->domid))
			rc = noted_remove_all(xs, t, marks[i], start);
	free(marks);
	return rc;
}

int index_device_write(struct toolstack *ts, xs_transaction_t t, const struct device *device,
		       const char *params, const uint8_t *mac)
{
	char mark[INDEX_MARK_SIZE];
	struct xen_domain domain;
	struct fault ignored = {0};
	struct nodes nodes = {0};
	int rc = xen_domain_get(ts->xen, device->domid, &domain, &ignored);

	if (rc)
		return rc;
	index_mark(device->domid, domain.uuid, mark);
	if (!xs_exists(ts->xs, t, MARKS "/%s", mark))
		return 0;
	rc = index_device_remove(ts->xs, t, device);
	if (params)
		index_disk_nodes(&nodes, mark, device->domid, device->id, params);
	if (mac)
		index_vif_nodes(&nodes, mark, device->domid, device->id, mac);
	if (!rc)
		rc = nodes_write(&nodes, ts->xs, t);
	nodes_free(&nodes);
	return rc;
}

int index_mark_remove(struct xs_handle *xs, xs_transaction_t t, const char *mark)
{
	int rc = noted_remove_all(xs, t, mark, "");

	return rc ? rc : xs_remove(xs, t, MARKS "/%s", mark);
}

void index_domain_goners(struct xs_handle *xs, xs_transaction_t t, uint16_t domid,
			 struct goners *goners)
{
	unsigned count, others = 0;
	char **marks = nodes_list(xs, t, &count, MARKS);

	for (unsigned i = 0; i < count; i++)
		others += !is_of(marks[i], domid);
	/* Nobody is left: no folder is either. */
	if (count && !others)
		goners_add(goners, INDEX_PATH);
	for (unsigned i = 0; others && i < count && !goners->rc; i++)
		if (is_of(marks[i], domid))
			goners->rc = index_mark_remove(xs, t, marks[i]);
	free(marks);
}

int index_domain_remove(struct xs_handle *xs, xs_transaction_t t, uint16_t domid)
{
	struct goners goners = {0};

	index_domain_goners(xs, t, domid, &goners);
	return goners_remove(&goners, xs, t);
}

static void found_nodes(struct nodes *nodes, const char *mark, const struct device *device,
			const char *value)
{
	uint8_t mac[MAC_SIZE];

	if (device->type != DEVICE_VIF)
		index_disk_nodes(nodes, mark, device->domid, device->id, value);
	else if (!mac_parse(value, mac))
		index_vif_nodes(nodes, mark, device->domid, device->id, mac);
}

static void kind_nodes(struct xs_handle *xs, xs_transaction_t t, struct nodes *nodes,
		       const char *mark, struct device *device)
{
	bool vif = device->type == DEVICE_VIF;
	unsigned count;
	char **ids = nodes_list(xs, t, &count, "/libxl/%u/device/%s", device->domid,
				vif ? "vif" : "vbd");

	for (unsigned i = 0; i < count; i++) {
		char path[XS_PATH_SIZE], *value;

		if (number_parse_u32(ids[i], &device->id))
			continue;
		device_private(device, path);
		value = xs_read_string(xs, t, "%s/%s", path, vif ? "mac" : "params");
		if (value)
			found_nodes(nodes, mark, device, value);
		free(value);
	}
	free(ids);
}

int index_domain_rebuild(struct xs_handle *xs, xs_transaction_t t, uint16_t domid,
			 const uuid_t uuid)
{
	struct device disk = {.type = DEVICE_VBD, .domid = domid};
	struct device card = {.type = DEVICE_VIF, .domid = domid};
	struct nodes nodes = {0};
	char mark[INDEX_MARK_SIZE];
	int rc = index_domain_remove(xs, t, domid);

	index_mark(domid, uuid, mark);
	index_domain_nodes(&nodes, domid, uuid);
	kind_nodes(xs, t, &nodes, mark, &disk);
	kind_nodes(xs, t, &nodes, mark, &card);
	if (!rc)
		rc = nodes_write(&nodes, xs, t);
	nodes_free(&nodes);
	return rc;
}
