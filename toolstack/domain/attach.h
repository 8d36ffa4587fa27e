/*
 * attach.h - devices of a running guest: added, taken away.
 *
 * The domain's recorded config follows, so that a restarted guest has what it had.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/device/device.h"
#include "toolstack/toolstack.h"

/**
 * attach_disk - give a guest a disk that plan_disk() checked, and wait for its backend.
 * @place: what messages begin with
 * Return: 0, -ESRCH (no such guest), -EEXIST (its vdev is taken), -EBUSY (record_free()), or as
 * devices_wait_ready(); on failure it is as it was before.
 */
int attach_disk(struct toolstack *ts, uint16_t domid, const struct disk_config *disk,
		const char *place, struct fault *fault);

/** attach_vif - the same for a vif; one without a devid gets the lowest that is free. */
int attach_vif(struct toolstack *ts, uint16_t domid, struct vif_config *vif, const char *place,
	       struct fault *fault);

/** What of a disk is different from now on; NULL is left as it was. */
struct disk_change {
	const struct disk_config *image; /* its target and format */
	const struct qos_limits *qos;
};

/**
 * attach_changed - remember what was changed of a guest's disk, for its restart.
 * Return: 0 (also when the guest's config is not ours), or a negative errno with the fault set.
 */
int attach_changed(struct toolstack *ts, const struct device *device,
		   const struct disk_change *change, struct fault *fault);

/** attach_undo - detach a device and forget it. Arguments and errors of device_detach(). */
int attach_undo(struct toolstack *ts, const struct device *device, bool force, struct fault *fault);
