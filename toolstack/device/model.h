/*
 * model.h - an HVM guest's device model: a QEMU in a sandbox, told by QMP what to do.
 *
 * Its QMP socket is where libxl has it (/run/xen/qmp-libxl-N), so that xl's commands reach it too.
 * The sandbox: its calls to Xen can name its own domain alone, an empty root directory, a user of
 * its own, no new privileges, a filter of system calls. It may be taken over by its guest all the
 * same: what it answers is text to check.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/nodes.h"
#include "toolstack/toolstack.h"

/**
 * model_nodes - compose the nodes that an HVM guest's firmware and xl read.
 * @bios: "seabios" or "ovmf"
 */
void model_nodes(struct nodes *nodes, const struct domain_config *config, uint16_t domid,
		 const char *bios);

/**
 * model_plan - can this host's device model run such a guest?
 * Return: 0, -ENOENT (no QEMU, no user), -EINVAL (the config), with the fault set.
 */
int model_plan(const struct domain_config *config, struct fault *fault);

/**
 * model_start - start it and wait until it answers; the guest may be unpaused then.
 * @state_fd: a saved state of its (model_save), or -1
 */
int model_start(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		int state_fd, struct fault *fault);

/** model_stop - end it and remove its socket, directory and log. */
void model_stop(struct toolstack *ts, uint16_t domid);

/** model_has - has the domain a device model? */
bool model_has(struct toolstack *ts, uint16_t domid);

/** model_ended - had the domain one that runs no more? */
bool model_ended(struct toolstack *ts, uint16_t domid);

/** model_continue - let its machine run (again). */
int model_continue(uint16_t domid, struct fault *fault);

/** model_logdirty - let it tell Xen which pages of the guest it writes, or no more. */
int model_logdirty(uint16_t domid, bool on, struct fault *fault);

/**
 * model_save - stop its machine and take its state.
 * @state_fd: set on success: a memory file, at its beginning, to be closed
 */
int model_save(uint16_t domid, int *state_fd, struct fault *fault);

/**
 * model_medium - put another medium into an emulated CD-ROM drive, or none.
 * Return: 0; -EIO when it refuses: a guest that has locked its drive is asked to let go first.
 */
int model_medium(uint16_t domid, const struct disk_config *disk, struct fault *fault);

/** model_socket - where its QMP socket is. */
void model_socket(uint16_t domid, char *path, size_t size);

struct qmp;

/** model_connect - a connection to it, for qmp_close(). */
int model_connect(uint16_t domid, struct qmp **qmp, struct fault *fault);

/**
 * model_ready - wait until one that was started answers, publish where its VNC server and its
 * serial ports are, and let its machine run.
 */
int model_ready(struct toolstack *ts, const struct domain_config *config, uint16_t domid,
		struct fault *fault);
