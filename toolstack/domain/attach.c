#include "toolstack/domain/attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/device/index.h"
#include "toolstack/device/qemu.h"
#include "toolstack/device/script.h"
#include "toolstack/device/vbd.h"
#include "toolstack/device/vif.h"
#include "toolstack/domain/claims.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/userdata.h"

/* One device to add: either a disk or a vif. */
struct attachment {
	struct toolstack *ts;
	uint16_t domid;
	const struct disk_config *disk;
	struct vif_config *vif;
	bool devid_free; /* the vif takes the lowest that is free */
	struct device device;
	const char *place;
	struct fault *fault;
};

static bool is_taken(struct attachment *a, xs_transaction_t t)
{
	char path[XS_PATH_SIZE];

	device_private(&a->device, path);
	return xs_exists(a->ts->xs, t, "%s", path);
}

/* Which device it is, and that its place in the guest is free. */
static int slot_take(struct attachment *a, xs_transaction_t t)
{
	if (a->disk) {
		a->device = vbd_device(a->domid, a->disk);
	} else {
		if (a->devid_free)
			a->vif->devid = 0;
		a->device = vif_device(a->domid, a->vif);
		while (a->devid_free && is_taken(a, t) && a->device.id < DEVICES_MAX)
			a->device.id = (uint32_t)++a->vif->devid;
	}
	if (!is_taken(a, t))
		return 0;
	if (a->disk)
		return fault_set(a->fault, -EEXIST,
				 "%s: domain %u has a %s already; choose another vdev", a->place,
				 a->domid, a->disk->vdev);
	return fault_set(a->fault, -EEXIST,
			 "%s: domain %u has a vif %d already; choose another devid", a->place,
			 a->domid, a->vif->devid);
}

static int config_extend(struct attachment *a, xs_transaction_t t)
{
	char *text = record_config_text(a->ts, t, a->domid), *extended = NULL;
	int rc = text ? 0 : -ENOMEM;

	/* A domain of another toolstack has no config here. */
	if (text && *text) {
		extended = domain_config_extend(text, a->disk, a->vif);
		rc = extended ? record_config_replace(a->ts, t, a->domid, extended) : -ENOMEM;
	}
	free(extended);
	free(text);
	return rc;
}

static int index_write(struct attachment *a, xs_transaction_t t)
{
	char *params = a->disk ? vbd_params(a->disk) : NULL;
	int rc = -ENOMEM;

	if (!a->disk || params)
		rc = index_device_write(a->ts, t, &a->device, params, a->vif ? a->vif->mac : NULL);
	free(params);
	return rc;
}

static int attachment_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct attachment *a = arg;
	struct nodes nodes = {0};
	int rc;

	a->fault->text[0] = '\0';
	/* Whoever removes or moves the guest has looked which devices it has. */
	rc = record_free(a->ts, t, a->domid, a->fault);
	if (!rc)
		rc = slot_take(a, t);
	if (!rc)
		rc = a->disk ? claims_image(a->ts, t, a->disk, a->place, a->fault)
			     : claims_mac(a->ts, t, a->vif, a->place, a->fault);
	/* Dom0's kernel may have complained of one that had gone: that is nothing about this one.
	 */
	if (!rc)
		rc = device_back_remove(xs, t, &a->device);
	if (rc)
		return rc;
	if (a->disk)
		vbd_nodes(&nodes, a->domid, a->disk);
	else
		vif_nodes(&nodes, a->domid, a->vif);
	rc = nodes_write(&nodes, xs, t);
	nodes_free(&nodes);
	if (!rc)
		rc = index_write(a, t);
	return rc ? rc : config_extend(a, t);
}

static int alive(struct attachment *a)
{
	struct xen_domain domain;
	int rc = xen_domain_get(a->ts->xen, a->domid, &domain, a->fault);

	if (!rc && (domain.dying || domain.shutdown))
		rc = fault_set(a->fault, -ESRCH, "domain %u has ended; it takes no devices",
			       a->domid);
	else if (rc == -ENOENT)
		rc = fault_set(a->fault, -ESRCH, "domain %u does not exist", a->domid);
	return rc;
}

static int served(struct attachment *a)
{
	struct devices one = {&a->device, 1};
	char *name = name_of(a->ts, a->domid);
	int rc = 0;

	if (a->device.type == DEVICE_QDISK)
		rc = qemu_start(a->ts, a->domid, name ? name : "", a->fault);
	free(name);
	if (!rc)
		rc = devices_wait_ready(a->ts, &one, a->fault);
	return rc ? rc : scripts_add(a->ts, &one, a->fault);
}

static int attach(struct attachment *a)
{
	struct fault ignored = {0};
	int rc = alive(a);

	if (rc)
		return rc;
	rc = xs_transact(a->ts->xs, attachment_write, a);
	if (rc && !a->fault->text[0])
		fault_set(a->fault, rc, "%s: cannot write its nodes: %s", a->place, strerror(-rc));
	if (rc)
		return rc;
	rc = served(a);
	if (rc)
		attach_undo(a->ts, &a->device, true, &ignored);
	else
		userdata_follow(a->ts, a->domid);
	return rc;
}

int attach_disk(struct toolstack *ts, uint16_t domid, const struct disk_config *disk,
		const char *place, struct fault *fault)
{
	struct attachment a = {
		.ts = ts, .domid = domid, .disk = disk, .place = place, .fault = fault};

	return attach(&a);
}

int attach_vif(struct toolstack *ts, uint16_t domid, struct vif_config *vif, const char *place,
	       struct fault *fault)
{
	struct attachment a = {.ts = ts,
			       .domid = domid,
			       .vif = vif,
			       .devid_free = vif->devid < 0,
			       .place = place,
			       .fault = fault};

	return attach(&a);
}

/* How the recorded config follows: @change of a disk, or without one the device is forgotten. */
struct revision {
	struct toolstack *ts;
	const struct device *device;
	const struct disk_change *change;
};

static int disk_revise(struct domain_config *config, const struct revision *r)
{
	for (size_t i = 0; i < config->disks; i++) {
		struct disk_config *disk = &config->disk[i];

		if (disk->number != r->device->id)
			continue;
		if (r->change->qos)
			disk->qos = *r->change->qos;
		if (r->change->image) {
			free(disk->target);
			disk->target = strdup(r->change->image->target);
			disk->format = r->change->image->format;
			return disk->target ? 0 : -ENOMEM;
		}
	}
	return 0;
}

static int revision_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct revision *r = arg;
	struct domain_config config;
	struct fault ignored = {0};
	char *text = NULL;
	int rc = record_config_read(r->ts, t, r->device->domid, &config, &ignored);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (r->change)
		rc = disk_revise(&config, r);
	else if (r->device->type == DEVICE_VIF)
		domain_config_vif_remove(&config, r->device->id);
	else
		domain_config_disk_remove(&config, r->device->id);
	if (!rc)
		text = domain_config_print(&config);
	if (!rc)
		rc = text ? record_config_replace(r->ts, t, r->device->domid, text) : -ENOMEM;
	free(text);
	domain_config_free(&config);
	return rc;
}

static int revise(const struct revision *r, struct fault *fault)
{
	int rc = xs_transact(r->ts->xs, revision_write, (void *)r);

	if (!rc)
		userdata_follow(r->ts, r->device->domid);
	return rc ? fault_set(fault, rc, "domain %u: cannot keep its new config: %s",
			      r->device->domid, strerror(-rc))
		  : 0;
}

int attach_changed(struct toolstack *ts, const struct device *device,
		   const struct disk_change *change, struct fault *fault)
{
	const struct revision r = {ts, device, change};

	return revise(&r, fault);
}

int attach_undo(struct toolstack *ts, const struct device *device, bool force, struct fault *fault)
{
	const struct revision r = {ts, device, NULL};
	int rc = device_detach(ts, device, force, fault);

	return rc ? rc : revise(&r, fault);
}
