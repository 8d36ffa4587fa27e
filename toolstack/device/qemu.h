/*
 * qemu.h - the process that serves a domain's backend/qdisk devices: one QEMU a domain.
 */
#pragma once

#include "toolstack/config/domain_config.h"
#include "toolstack/toolstack.h"

/** qemu_wanted - has a config disks of backendtype=qdisk? */
bool qemu_wanted(const struct domain_config *config);

/**
 * qemu_start - start it in the background if the domain has none; its id goes to the node
 * /local/domain/N/image/device-model-pid, what it prints to RUNDIR/qemu-N.log. It is ready when the
 * devices' backends are (devices_wait_ready).
 *
 * Return: 0, -ENOENT (it is not installed), or a negative errno.
 */
int qemu_start(struct toolstack *ts, uint16_t domid, const char *name, struct fault *fault);

/**
 * qemu_complaint - why QEMU does not serve a device: what its log says of it, or that it is gone.
 * Return: for free(3), or NULL when nothing is known to be wrong.
 */
char *qemu_complaint(struct toolstack *ts, uint16_t domid, uint32_t id);

/** qemu_stop - end it, if it still is the domain's, and remove its log. */
void qemu_stop(struct toolstack *ts, uint16_t domid);
