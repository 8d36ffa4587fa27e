#include "toolstack/domain/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/hotplug.h"
#include "lib/xs.h"
#include "toolstack/device/device.h"
#include "toolstack/device/index.h"
#include "toolstack/device/qemu.h"
#include "toolstack/device/script.h"
#include "toolstack/device/settings.h"
#include "toolstack/device/vbd.h"
#include "toolstack/device/vif.h"
#include "toolstack/domain/suspend.h"

/* How often, and how long apart, an image is asked for that somebody still has. */
#define BACK_TIMES   20
#define BACK_SECONDS 1

/* Of a file, or of the cache in front of a device. */
static int disk_sync(const struct disk_config *disk, uint16_t domid, struct fault *fault)
{
	int fd, rc = 0;

	/* What a server was told it keeps for all who ask. */
	if (disk->script || disk->remote || !disk->writable)
		return 0;
	fd = open(disk->target, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fsync(fd))
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc ? fault_set(fault, rc, "domain %u: disk %s: cannot write %s out: %s", domid,
			      disk->vdev, disk->target, strerror(-rc))
		  : 0;
}

static bool is_disk(const struct device *device)
{
	return device->type == DEVICE_VBD || device->type == DEVICE_QDISK;
}

/* Our backend of this domain, and nobody's script. */
static bool can_be_away(struct toolstack *ts, const struct device *device)
{
	char back[XS_PATH_SIZE], *script;
	bool prepared;

	device_back(device, back);
	script = xs_read_string(ts->xs, XBT_NULL, "%s/script", back);
	prepared = hotplug_is_script(script);
	free(script);
	return device->type == DEVICE_VBD && device->backend == BACKEND_DOMID && !prepared;
}

static bool all_can_be_away(struct toolstack *ts, const struct devices *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		if (is_disk(&devices->device[i]) && !can_be_away(ts, &devices->device[i]))
			return false;
	return true;
}

static int away_set(struct toolstack *ts, const struct device *device, const char *away,
		    struct fault *fault)
{
	const struct device_node nodes[] = {{"away", away}, {0}};

	return device_settings(ts, device, nodes, fault);
}

static int disks_away(struct toolstack *ts, const struct devices *devices, struct fault *fault)
{
	int rc = 0;

	for (size_t i = 0; i < devices->count && !rc; i++)
		if (is_disk(&devices->device[i]))
			rc = away_set(ts, &devices->device[i], "1", fault);
	return rc;
}

static int disk_back(struct toolstack *ts, const struct device *device, struct fault *fault)
{
	static const struct timespec apart = {.tv_sec = BACK_SECONDS};
	char back[XS_PATH_SIZE];
	int rc = 0;

	device_back(device, back);
	if (!is_disk(device) || !xs_exists(ts->xs, XBT_NULL, "%s/away", back))
		return 0;
	for (int i = 0; i < BACK_TIMES; i++) {
		*fault = (struct fault){0};
		rc = away_set(ts, device, NULL, fault);
		if (rc != -EIO)
			break;
		nanosleep(&apart, NULL);
	}
	return rc;
}

static int disks_back(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	struct devices devices = {0};
	int rc = devices_list(ts, domid, &devices);

	if (rc)
		return fault_memory(fault);
	for (size_t i = 0; i < devices.count && !rc; i++)
		rc = disk_back(ts, &devices.device[i], fault);
	devices_free(&devices);
	return rc;
}

/* All but the console. */
static void consoles_leave(struct devices *devices)
{
	size_t n = 0;

	for (size_t i = 0; i < devices->count; i++)
		if (devices->device[i].type != DEVICE_CONSOLE)
			devices->device[n++] = devices->device[i];
	devices->count = n;
}

static int devices_remove(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct devices *devices = arg;
	int rc = 0;

	for (size_t i = 0; i < devices->count && !rc; i++)
		rc = device_remove(xs, t, &devices->device[i]);
	return rc;
}

static int devices_end(struct toolstack *ts, uint16_t domid, struct devices *devices,
		       struct fault *fault)
{
	int rc = xs_write_string(ts->xs, XBT_NULL, "1", HANDOVER_CLOSED, domid);

	consoles_leave(devices);
	if (!rc)
		rc = devices_close(ts, devices, true);
	if (!rc)
		rc = devices_wait_closed(ts, devices, fault);
	if (!rc)
		scripts_remove(ts, devices);
	if (!rc)
		rc = xs_transact(ts->xs, devices_remove, devices);
	if (rc && !fault->text[0])
		fault_set(fault, rc, "domain %u: cannot close its devices: %s", domid,
			  strerror(-rc));
	return rc;
}

static void nodes_compose(struct nodes *nodes, const struct domain_config *config, uint16_t domid)
{
	for (size_t i = 0; i < config->disks; i++)
		vbd_nodes(nodes, domid, &config->disk[i]);
	for (size_t i = 0; i < config->vifs; i++)
		vif_nodes(nodes, domid, &config->vif[i]);
	index_config_nodes(nodes, domid, config);
}

static int nodes_all_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	return nodes_write(arg, xs, t);
}

static int devices_anew(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
			struct fault *fault)
{
	struct devices devices = {0};
	struct nodes nodes = {0};
	int rc;

	nodes_compose(&nodes, config, domid);
	rc = xs_transact(ts->xs, nodes_all_write, &nodes);
	nodes_free(&nodes);
	if (rc)
		return fault_set(fault, rc, "domain %u: cannot write its devices' nodes: %s", domid,
				 strerror(-rc));
	if (qemu_wanted(config))
		rc = qemu_start(ts, domid, config->name, fault);
	if (!rc && devices_list(ts, domid, &devices))
		rc = fault_memory(fault);
	if (!rc)
		rc = devices_wait_ready(ts, &devices, fault);
	if (!rc)
		rc = scripts_add(ts, &devices, fault);
	devices_free(&devices);
	return rc;
}

int handover_begin(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		   struct fault *fault)
{
	struct devices devices = {0};
	int rc = devices_list(ts, domid, &devices);

	if (rc)
		return fault_memory(fault);
	rc = all_can_be_away(ts, &devices) ? disks_away(ts, &devices, fault)
					   : devices_end(ts, domid, &devices, fault);
	for (size_t i = 0; i < config->disks && !rc; i++)
		rc = disk_sync(&config->disk[i], domid, fault);
	devices_free(&devices);
	return rc;
}

static int undo(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		struct fault *fault)
{
	int rc;

	if (!xs_exists(ts->xs, XBT_NULL, HANDOVER_CLOSED, domid)) {
		rc = disks_back(ts, domid, fault);
		return rc ? rc : suspend_resume(ts, domid, fault);
	}
	rc = devices_anew(ts, config, domid, fault);
	if (!rc)
		rc = suspend_resume_anew(ts, domid, fault);
	if (!rc)
		xs_remove(ts->xs, XBT_NULL, HANDOVER_CLOSED, domid);
	return rc;
}

int handover_undo(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		  struct fault *fault)
{
	struct interrupt asked = ts->interrupt;
	int rc;

	/* What undoes does not ask whether it shall stop. */
	ts->interrupt.fd = -1;
	rc = undo(ts, config, domid, fault);
	ts->interrupt = asked;
	return rc;
}
