/* The supervisor's half of a vbd: the toolstack's nodes, the image, the worker's connect. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/block/vbd_device.h"

static struct vbd_device *self(struct device *dev)
{
	return (struct vbd_device *)dev;
}

static bool back_says(struct device *dev, const char *node, const char *value)
{
	char *text = device_back_string(dev, node);
	bool same = text && !strcmp(text, value);

	free(text);
	return same;
}

/* One for each vcpu that the guest can have; no fewer than a backend before us has promised. */
static uint32_t queues_allowed(struct device *dev)
{
	uint64_t said = 0;
	unsigned vcpus = 0;
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u/cpu", dev->domid);
	free(xs_directory(dev->xs, XBT_NULL, path, &vcpus));
	(void)xs_read_number(dev->xs, XBT_NULL, VBD_QUEUES_MAX, &said, "%s/multi-queue-max-queues",
			     dev->back);
	if (vcpus < said)
		vcpus = (unsigned)said;
	if (vcpus > VBD_QUEUES_MAX)
		return VBD_QUEUES_MAX;
	return vcpus < VBD_QUEUES_MIN ? VBD_QUEUES_MIN : vcpus;
}

static int vbd_probe(struct device *dev)
{
	struct vbd_device *vbd = self(dev);
	char *mode = device_back_string(dev, "mode");

	vbd->lease = -1;
	vbd->storage = vbd_storage_new(dev);
	if (!vbd->storage)
		return device_fail(dev, -ENOMEM, "out of memory");
	if (!mode)
		return device_fail(dev, -EINVAL, "mode is missing; the toolstack writes r or w");
	/* "w!" is libxl's "writable, and never mind who else has it". */
	vbd->read_only = mode[0] != 'w';
	free(mode);
	vbd->cdrom = back_says(dev, "device-type", "cdrom");
	vbd->removable = back_says(dev, "removable", "1");
	vbd->discard = !back_says(dev, "discard-enable", "0");
	vbd->queues = queues_allowed(dev);
	if (vbd_units_read(dev))
		return -EINVAL;
	vbd->resumed = dev->recovering;
	if (!vbd->resumed)
		return vbd_settings_load(dev);
	vbd_resume(dev);
	return 0;
}

static int vbd_open(struct device *dev)
{
	struct vbd_device *vbd = self(dev);
	const char *node = dev->script ? "physical-device-path" : "params";
	char *path = vbd_served(dev);
	int rc;

	if (!path)
		path = vbd->settings.away && !dev->script ? strdup(VBD_STORAGE_AWAY)
							  : device_back_string(dev, node);
	if (!path || (!*path && !vbd->cdrom)) {
		free(path);
		return device_fail(dev, -EINVAL, "%s is missing; %s", node,
				   dev->script ? "the hotplug script has to write it"
					       : "the toolstack has to name the image");
	}
	rc = vbd_storage_open(vbd->storage, path);
	free(path);
	return rc;
}

static bool can_discard(const struct vbd_device *vbd)
{
	return vbd->discard && vbd->storage->image.can_discard;
}

static int vbd_publish(struct device *dev, struct xs_handle *xs, xs_transaction_t t)
{
	struct vbd_device *vbd = self(dev);
	const struct image *image = &vbd->storage->image;
	const struct {
		const char *node;
		uint64_t value;
	} nodes[] = {
		{"feature-barrier", 1},
		{"feature-flush-cache", 1},
		{"feature-persistent", vbd->settings.persistent},
		{"feature-discard", can_discard(vbd) || vbd->discard_told},
		{"discard-granularity",
		 can_discard(vbd) || vbd->discard_told ? image->discard_granularity : 0},
		{"discard-alignment",
		 can_discard(vbd) || vbd->discard_told ? image->discard_alignment : 0},
		{"discard-secure", (can_discard(vbd) && image->can_erase) || vbd->erase_told},
		{"feature-max-indirect-segments", BLK_SEGMENTS_MAX},
		{"max-ring-page-order", VBD_ORDER_MAX},
		{"max-ring-pages", 1u << VBD_ORDER_MAX},
		{"multi-queue-max-queues", vbd->queues},
		{"info", (vbd->read_only ? VDISK_READONLY : 0) | (vbd->cdrom ? VDISK_CDROM : 0) |
				 (vbd->removable ? VDISK_REMOVABLE : 0)},
		{"sector-size", vbd->sector_size},
		{"physical-sector-size", image->physical_sector > vbd->sector_size
						 ? image->physical_sector
						 : vbd->sector_size},
		{"sectors", vbd_sectors(vbd)},
	};
	/* With a hotplug script the image is not known before it ran: then only how we transport.
	 */
	size_t known = sizeof(nodes) / sizeof(nodes[0]) - (vbd->storage->params ? 0 : 3);
	int rc = 0;

	vbd->discard_told |= can_discard(vbd);
	vbd->erase_told |= can_discard(vbd) && image->can_erase;
	for (size_t i = 0; !rc && i < known; i++)
		rc = xs_write_number(xs, t, nodes[i].value, "%s/%s", dev->back, nodes[i].node);
	return rc;
}

static void lease_return(struct vbd_device *vbd)
{
	if (vbd->lease >= 0)
		close(vbd->lease);
	vbd->lease = -1;
}

static int lease_take(struct vbd_device *vbd)
{
	char why[128];
	int rc;

	lease_return(vbd); /* the worker before has gone */
	if (vbd->storage->image.fd < 0)
		return 0;
	rc = image_lease(&vbd->storage->image, vbd->storage->params, &vbd->lease);
	if (!rc || rc == -EAGAIN)
		return rc;
	snprintf(why, sizeof(why), "its image cannot be opened and locked again: %s",
		 strerror(-rc));
	return vbd_fall_back(&vbd->dev, why) ? lease_take(vbd)
					     : device_fail(&vbd->dev, rc, "%s", why);
}

/* A worker's complaint goes with it; that there is no server is not the worker's. */
static void stall_forget(struct device *dev)
{
	const struct vbd_storage *storage = self(dev)->storage;

	if (storage && !(storage->backing && backing_is_away(storage->backing)))
		device_recovered(dev, "its storage is not waited for any more");
}

static int vbd_connect(struct device *dev, void *payload, int *fds, size_t *count)
{
	struct vbd_device *vbd = self(dev);
	struct vbd_connect connect = {0};
	int rc;

	vbd_unsettle(dev); /* what a worker that died was asked */
	stall_forget(dev);
	vbd_remote_unwant(vbd->storage);
	if (vbd_settings_load(dev))
		log_warn("%s: %s; it keeps what it had", dev->name, dev->error);
	connect.settings = vbd->settings;
	/* Whatever the nodes say by now: there is nothing to serve. */
	connect.settings.away |= vbd_storage_is_away(vbd->storage);
	vbd_remote_describe(vbd->storage, &connect.remote);
	rc = vbd_front_read(dev, &connect);
	if (!rc)
		rc = device_journal(dev, connect.queues * vbd_ring_journal(&connect));
	if (!rc)
		rc = lease_take(vbd);
	if (rc)
		return rc;
	vbd_served_write(dev);
	connect.geometry = vbd_geometry(vbd);
	vbd->rings = connect.queues;
	vbd->ring_journal = vbd_ring_journal(&connect);
	connect.alignment = vbd->storage->image.alignment;
	connect.careful = dev->careful;
	connect.journal = dev->journal.fd >= 0;
	connect.image = vbd->lease >= 0;
	connect.stats = !vbd_stats_open(&vbd->stats);
	if (!connect.stats)
		log_warn("%s: no memory for its statistics, it has none", dev->name);
	memcpy(payload, &connect, sizeof(connect));
	if (connect.journal)
		fds[(*count)++] = dev->journal.fd;
	if (connect.stats)
		fds[(*count)++] = vbd->stats.fd;
	if (connect.image)
		fds[(*count)++] = vbd->lease;
	return 0;
}

/* In the head of a log: what a worker left of it is read as it is, and only shown. */
static bool ring_progress(struct device *dev, off_t at, size_t size, uint64_t *answered,
			  struct inflight_entry *oldest)
{
	struct inflight_ring ring;
	uint64_t out, unanswered;
	bool found = false;

	if (journal_read(&dev->journal, at, &ring, sizeof(ring)))
		return false;
	unanswered = inflight_progress(&ring, &out);
	*answered += out;
	for (at += (off_t)sizeof(ring), size -= sizeof(ring); unanswered && size;
	     at += (off_t)sizeof(*oldest), size -= sizeof(*oldest)) {
		struct inflight_entry entry;

		if (journal_read(&dev->journal, at, &entry, sizeof(entry)))
			break;
		if (entry.state == INFLIGHT_FREE || (found && entry.sequence > oldest->sequence))
			continue;
		*oldest = entry;
		found = true;
	}
	return found;
}

bool vbd_progress(struct device *dev, uint64_t *answered, char *text, size_t size)
{
	const struct vbd_device *vbd = self(dev);
	struct inflight_entry oldest;
	bool busy = false;
	unsigned operation;

	*answered = 0;
	for (unsigned n = 0; n < vbd->rings; n++) {
		if (!ring_progress(dev, (off_t)(n * vbd->ring_journal), vbd->ring_journal, answered,
				   &oldest))
			continue;
		busy = true;
		operation = oldest.wire.direct.operation;
		if (operation == BLKIF_OP_INDIRECT)
			operation = oldest.wire.indirect.indirect_op;
		snprintf(text, size, "ring %u, operation %u at sector %" PRIu64, n, operation,
			 oldest.wire.direct.sector_number);
	}
	return busy;
}

static void vbd_disconnected(struct device *dev)
{
	lease_return(self(dev));
	stall_forget(dev);
	vbd_unsettle(dev);
	vbd_remote_unwant(self(dev)->storage);
	vbd_switch_close(self(dev));
	self(dev)->discard_told = self(dev)->erase_told = false;
}

static void vbd_close(struct device *dev)
{
	struct vbd_device *vbd = self(dev);

	lease_return(vbd);
	vbd_storage_free(vbd->storage);
	vbd->storage = NULL;
	vbd_switch_close(vbd);
	vbd_unsettle(dev);
	vbd_settings_free(vbd);
	vbd_stats_close(&vbd->stats);
}

const struct device_class vbd_device_class = {
	.name = "vbd",
	.kind = WORKER_VBD,
	.traits = {.connect_on_initialised = true},
	.size = sizeof(struct vbd_device),
	.probe = vbd_probe,
	.open = vbd_open,
	.publish = vbd_publish,
	.connect = vbd_connect,
	.settle = vbd_settle,
	.changed = vbd_changed,
	.renew = vbd_renew,
	.fall_back = vbd_fall_back,
	.tick = vbd_tick,
	.tell = vbd_tell,
	.metrics = vbd_metrics,
	.dump = vbd_dump,
	.progress = vbd_progress,
	.want = vbd_remote_want,
	.disconnected = vbd_disconnected,
	.close = vbd_close,
};
