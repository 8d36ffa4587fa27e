/*
 * qemu.h - the processes of QEMU that a domain has: at most one that serves its backend/qdisk
 * devices, and one that is the device model of an HVM guest (model.h).
 *
 * A device model without sandbox serves the qdisk devices too. What each prints goes to
 * RUNDIR/qemu-N.log and RUNDIR/model-N.log. A guest can make it print for ever; xsplitd cuts them.
 */
#pragma once

#include "toolstack/argv.h"
#include "toolstack/config/domain_config.h"
#include "toolstack/toolstack.h"

enum qemu_role { QEMU_QDISK, QEMU_MODEL };

/** The node that says that a domain's device model runs without sandbox. */
#define QEMU_MODEL_FREE "/tool/xsplit/domain/%u/model-free"

/** qemu_wanted - has a config disks of backendtype=qdisk? */
bool qemu_wanted(const struct domain_config *config);

/**
 * qemu_start - start the one for qdisk in the background if the domain has none. It is ready when
 * the devices' backends are (devices_wait_ready).
 *
 * Return: 0, -ENOENT (it is not installed), or a negative errno.
 */
int qemu_start(struct toolstack *ts, uint16_t domid, const char *name, struct fault *fault);

/** A process to be. */
struct qemu_process {
	const struct argv *argv; /* the program's path first, then -xen-domid N */
	const int *fd;           /* @fds descriptors that it gets under their numbers */
	size_t fds;
	int (*prepare)(void); /* before its exec, or NULL; other than 0 ends it */
};

/** qemu_run - start it in the background and record its id where role has its node. */
int qemu_run(struct toolstack *ts, uint16_t domid, enum qemu_role role,
	     const struct qemu_process *process, struct fault *fault);

/**
 * qemu_find - QEMU's path, the config's own when it names one. @config may be NULL.
 * Return: 0 with @path for free(3), or what program_find() says.
 */
int qemu_find(const struct domain_config *config, char **path);

/** qemu_missing - the fault when it is not found. Return: -ENOENT. */
int qemu_missing(uint16_t domid, const char *what, struct fault *fault);

/**
 * qemu_complaint - why QEMU does not serve a device: what its log says of it, or that it is gone.
 * Return: for free(3), or NULL when nothing is known to be wrong.
 */
char *qemu_complaint(struct toolstack *ts, uint16_t domid, uint32_t id);

/** qemu_ended - had the domain one that runs no more? */
bool qemu_ended(struct toolstack *ts, uint16_t domid, enum qemu_role role);

/** qemu_last_words - the last line of its log, for free(3), or NULL. */
char *qemu_last_words(uint16_t domid, enum qemu_role role);

/** qemu_logs_trim - what a domain's QEMUs have printed is cut to its end when it got long. */
void qemu_logs_trim(uint16_t domid);

/** qemu_escape - a text as a value of QEMU's options: each comma twice. Cut at @size. */
void qemu_escape(const char *text, char *out, size_t size);

/** qemu_stop - end one, if it still is the domain's, and remove its log. */
void qemu_stop(struct toolstack *ts, uint16_t domid, enum qemu_role role);
