/*
 * qmp.h - talk to a QEMU over its QMP socket: one command, its answer.
 *
 * The other end may have been taken over by its guest: answers are bounded in size and time, and
 * what they hold is checked by whoever uses it. Events that come between are dropped.
 * Protocol: QEMU's docs/interop/qmp-spec.txt.
 */
#pragma once

#include <stdint.h>
#include <yajl/yajl_tree.h>

#include "toolstack/fault.h"

/** How long QEMU may take for one answer. */
#define QMP_SECONDS 30

struct qmp;

/**
 * qmp_open - connect to a socket and get through the greeting.
 * @what: what messages call the other end: "domain 5: its device model"
 * Return: 0, or a negative errno (-ECONNREFUSED, -ENOENT: nobody listens).
 */
int qmp_open(struct qmp **qmp, const char *path, const char *what, struct fault *fault);
void qmp_close(struct qmp *qmp);

/**
 * qmp_send - run a command.
 * @arguments: its arguments as a JSON object, or NULL
 * @fd:        a descriptor that goes with it, or -1
 * @answer:    the "return" member for yajl_tree_free(), or NULL when nobody wants it
 * Return: 0; -EIO when QEMU refuses (the fault has its words); -EPROTO, -ETIMEDOUT, ...
 */
int qmp_send(struct qmp *qmp, const char *command, const char *arguments, int fd, yajl_val *answer,
	     struct fault *fault);
