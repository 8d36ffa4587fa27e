#include "toolstack/domain/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/config/vdev.h"
#include "toolstack/device/index.h"
#include "toolstack/device/model.h"
#include "toolstack/device/model_args.h"
#include "toolstack/device/settings.h"
#include "toolstack/device/vbd.h"
#include "toolstack/domain/attach.h"
#include "toolstack/domain/claims.h"
#include "toolstack/domain/plan.h"
#include "toolstack/domain/record.h"

/* The disk that is there now. */
struct present {
	char *params;
	bool writable, cdrom;
};

static bool node_is(struct toolstack *ts, const char *back, const char *node, const char *start)
{
	char *value = xs_read_string(ts->xs, XBT_NULL, "%s/%s", back, node);
	bool is = value && !strncmp(value, start, strlen(start));

	free(value);
	return is;
}

static void present_read(struct toolstack *ts, const struct device *device, struct present *present)
{
	char back[XS_PATH_SIZE];

	device_back(device, back);
	present->params = xs_read_string(ts->xs, XBT_NULL, "%s/params", back);
	present->writable = node_is(ts, back, "mode", "w");
	present->cdrom = node_is(ts, back, "device-type", "cdrom");
}

/* The description of the disk as it shall be, checked as a new one would be. */
static int plan(struct toolstack *ts, const struct device *device, const struct present *present,
		const char *target, const char *format, struct disk_config *disk,
		struct fault *fault)
{
	char name[VDEV_NAME_SIZE], label[64], place[96], *spec = NULL;
	int rc;

	vdev_name(device->id, name);
	device_label(device, label, sizeof(label));
	snprintf(place, sizeof(place), "domain %u: %s", device->domid, label);
	if (asprintf(&spec, "format=%s,vdev=%s,access=%s%s,target=%s", format, name,
		     present->writable ? "rw" : "ro", present->cdrom ? ",devtype=cdrom" : "",
		     target) < 0)
		return fault_memory(fault);
	rc = disk_config_parse(spec, place, disk, fault);
	free(spec);
	if (rc)
		return rc;
	/* It may be the one that is there, which we have for ourselves. */
	if (present->params && *present->params == '/' && !disk->remote &&
	    images_same(present->params, disk->target)) {
		free(disk->target);
		disk->target = strdup(present->params);
		rc = disk->target ? 0 : fault_memory(fault);
	} else {
		rc = plan_disk(ts, disk, place, fault);
	}
	if (rc)
		disk_config_free(disk);
	return rc;
}

struct memory {
	struct toolstack *ts;
	const struct device *device;
	const char *params;
};

static int memory_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct memory *memory = arg;
	char path[XS_PATH_SIZE];
	int rc;

	/* Only while it is there. */
	device_private(memory->device, path);
	if (!xs_exists(xs, t, "%s/params", path))
		return 0;
	rc = xs_write_string(xs, t, memory->params, "%s/params", path);
	return rc ? rc : index_device_write(memory->ts, t, memory->device, memory->params, NULL);
}

/* What the toolstack itself remembers follows. */
static int remember(struct toolstack *ts, const struct device *device,
		    const struct disk_config *disk, const char *params, struct fault *fault)
{
	const struct disk_change change = {.image = disk};
	struct memory memory = {ts, device, params};
	char label[64];
	int rc = xs_transact(ts->xs, memory_write, &memory);

	device_label(device, label, sizeof(label));
	if (rc)
		return fault_set(
			fault, rc,
			"domain %u: %s has the new image, but that cannot be written to the "
			"XenStore: %s",
			device->domid, label, strerror(-rc));
	return attach_changed(ts, device, &change, fault);
}

/* An HVM guest's CD-ROM drive is the emulated one; what it has locked it must let go of first. */
static bool is_emulated(struct toolstack *ts, const struct device *device,
			const struct disk_config *disk)
{
	return disk->cdrom && model_has(ts, device->domid) && model_emulates_disk(disk);
}

/* What the backend has refused must not stay in the emulated drive: the one before comes back. */
static void emulated_return(struct toolstack *ts, const struct device *device, struct fault *fault)
{
	const struct disk_config *before = NULL;
	struct domain_config config;
	struct fault late = {0}, refused = *fault;
	int rc = record_config_read(ts, XBT_NULL, device->domid, &config, &late);

	if (!rc) {
		before = domain_config_disk(&config, device->id);
		rc = before ? model_medium(device->domid, before, &late)
			    : fault_set(&late, -ENOENT, "its config does not have this drive");
		domain_config_free(&config);
	}
	if (rc)
		fault_set(fault, -EIO,
			  "%s; the guest's emulated drive has the new medium all the same: %s",
			  refused.text, late.text);
}

static int exchange(struct toolstack *ts, const struct device *device,
		    const struct present *present, const char *target, const char *format,
		    struct fault *fault)
{
	struct disk_config disk = {0};
	bool emulated;
	char *params;
	int rc = plan(ts, device, present, target, format, &disk, fault);

	if (rc)
		return rc;
	params = vbd_params(&disk);
	emulated = is_emulated(ts, device, &disk);
	rc = !params    ? fault_memory(fault)
	     : emulated ? model_medium(device->domid, &disk, fault)
			: 0;
	if (!rc) {
		const struct device_node nodes[] = {{"params", params}, {0}};

		rc = device_settings(ts, device, nodes, fault);
		if (rc == -EIO && emulated)
			emulated_return(ts, device, fault);
	}
	if (!rc)
		rc = remember(ts, device, &disk, params, fault);
	free(params);
	disk_config_free(&disk);
	return rc;
}

int exchange_image(struct toolstack *ts, const struct device *device, const char *target,
		   const char *format, bool cdrom, struct fault *fault)
{
	struct present present;
	char label[64];
	int rc;

	present_read(ts, device, &present);
	device_label(device, label, sizeof(label));
	if (cdrom && !present.cdrom)
		rc = fault_set(fault, -EINVAL,
			       "domain %u: %s is not a CD-ROM drive; xsplit block-switch exchanges "
			       "the image of any disk",
			       device->domid, label);
	else
		rc = exchange(ts, device, &present, target, format, fault);
	free(present.params);
	return rc;
}
