#include "toolstack/device/device.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#include "lib/number.h"
#include "toolstack/config/domain_config.h"

static const struct {
	const char *kind; /* the frontend's */
	const char *type; /* the backend's */
} names[DEVICE_TYPES] = {
	[DEVICE_VBD] = {"vbd", "vbd"},
	[DEVICE_QDISK] = {"vbd", "qdisk"},
	[DEVICE_VIF] = {"vif", "vif"},
	[DEVICE_CONSOLE] = {"console", "console"},
};

void device_front(const struct device *d, char path[XS_PATH_SIZE])
{
	if (d->type == DEVICE_CONSOLE)
		snprintf(path, XS_PATH_SIZE, "/local/domain/%u/console", d->domid);
	else
		snprintf(path, XS_PATH_SIZE, "/local/domain/%u/device/%s/%" PRIu32, d->domid,
			 names[d->type].kind, d->id);
}

void device_back(const struct device *d, char path[XS_PATH_SIZE])
{
	snprintf(path, XS_PATH_SIZE, "/local/domain/%u/backend/%s/%u/%" PRIu32, d->backend,
		 names[d->type].type, d->domid, d->id);
}

void device_private(const struct device *d, char path[XS_PATH_SIZE])
{
	snprintf(path, XS_PATH_SIZE, "/libxl/%u/device/%s/%" PRIu32, d->domid, names[d->type].kind,
		 d->id);
}

void device_label(const struct device *d, char *text, size_t size)
{
	char vdev[VDEV_NAME_SIZE];

	if (d->type == DEVICE_VIF || d->type == DEVICE_CONSOLE) {
		snprintf(text, size, "%s %" PRIu32, names[d->type].kind, d->id);
	} else {
		vdev_name(d->id, vdev);
		snprintf(text, size, "disk %s", vdev);
	}
}

static void kind_add(struct nodes *nodes, const char *dir, const struct device_node *node)
{
	for (; node->name; node++)
		if (node->value)
			nodes_add(nodes, dir, node->name, "%s", node->value);
}

void device_nodes(struct nodes *nodes, const struct device *d, const struct device_node *front,
		  const struct device_node *back)
{
	char front_path[XS_PATH_SIZE], back_path[XS_PATH_SIZE], path[XS_PATH_SIZE];

	device_front(d, front_path);
	device_back(d, back_path);
	device_private(d, path);

	nodes_dir(nodes, 0, NODES_NO_READER, "%s", path);
	nodes_add(nodes, path, "frontend", "%s", front_path);
	nodes_add(nodes, path, "backend", "%s", back_path);
	nodes_add(nodes, path, "frontend-id", "%u", d->domid);
	kind_add(nodes, path, back);

	/* The console's front is read-only to the guest: xenconsoled believes what is there. */
	if (d->type == DEVICE_CONSOLE)
		nodes_dir(nodes, d->backend, d->domid, "%s", front_path);
	else
		nodes_dir(nodes, d->domid, d->backend, "%s", front_path);
	nodes_add(nodes, front_path, "backend", "%s", back_path);
	nodes_add(nodes, front_path, "backend-id", "%u", d->backend);
	kind_add(nodes, front_path, front);

	nodes_dir(nodes, d->backend, d->domid, "%s", back_path);
	nodes_add(nodes, back_path, "frontend", "%s", front_path);
	nodes_add(nodes, back_path, "frontend-id", "%u", d->domid);
	kind_add(nodes, back_path, back);
}

/* The backend's path in the private directory tells its domain and its type. */
static int device_find(struct toolstack *ts, struct device *d, const char *kind)
{
	char *back = xs_read_string(ts->xs, XBT_NULL, "/libxl/%u/device/%s/%" PRIu32 "/backend",
				    d->domid, kind, d->id);
	unsigned backend = 0;
	char type[16] = "";
	int rc = -ENOENT;

	if (back && sscanf(back, "/local/domain/%u/backend/%15[a-z]/", &backend, type) == 2) {
		d->backend = (uint16_t)backend;
		for (int i = 0; i < DEVICE_TYPES && rc; i++) {
			if (strcmp(names[i].kind, kind) != 0 || strcmp(names[i].type, type) != 0)
				continue;
			d->type = (enum device_type)i;
			rc = 0;
		}
	}
	free(back);
	return rc;
}

static int kind_list(struct toolstack *ts, uint16_t domid, const char *kind,
		     struct devices *devices)
{
	unsigned count;
	char **ids = nodes_list(ts->xs, XBT_NULL, &count, "/libxl/%u/device/%s", domid, kind);
	int rc = 0;

	for (unsigned i = 0; i < count && !rc; i++) {
		struct device d = {.domid = domid}, *grown;

		if (number_parse_u32(ids[i], &d.id) || device_find(ts, &d, kind))
			continue;
		grown = realloc(devices->device, (devices->count + 1) * sizeof(d));
		if (!grown) {
			rc = -ENOMEM;
			continue;
		}
		devices->device = grown;
		grown[devices->count++] = d;
	}
	free(ids);
	return rc;
}

int devices_list(struct toolstack *ts, uint16_t domid, struct devices *devices)
{
	static const char *const kinds[] = {"vbd", "vif", "console"};
	int rc = 0;

	*devices = (struct devices){0};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !rc; i++)
		rc = kind_list(ts, domid, kinds[i], devices);
	if (rc)
		devices_free(devices);
	return rc;
}

void devices_free(struct devices *devices)
{
	free(devices->device);
	*devices = (struct devices){0};
}

unsigned device_state(struct toolstack *ts, const struct device *device)
{
	char back[XS_PATH_SIZE];
	uint64_t state = XenbusStateUnknown;

	device_back(device, back);
	xs_read_number(ts->xs, XBT_NULL, XenbusStateReconfigured, &state, "%s/state", back);
	return (unsigned)state;
}
