/*
 * backend.h - a question to the backend of this domain: its socket $XSPLIT_RUNDIR/backend.sock.
 *
 * A JSON object on a line each way (backend/supervisor/query.h says which).
 */
#pragma once

#include <yajl/yajl_tree.h>

#include "toolstack/device/device.h"

struct backend_answer {
	char *text; /* the line */
	yajl_val root;
};

/**
 * backend_ask - ask, and wait some seconds for the answer.
 * @request: "stats", "dump"
 * @domid:   whose devices it is about, or -1 for all domains'
 * @device:  which of them, or NULL for all
 * @answer:  set on success, for backend_answer_free
 *
 * Return: 0, -EIO (it said why not), -EOPNOTSUPP (@device is served by QEMU or in another domain,
 * whose socket cannot be reached from here), or what the socket says; the fault is set.
 */
int backend_ask(const char *request, int domid, const struct device *device,
		struct backend_answer *answer, struct fault *fault);

void backend_answer_free(struct backend_answer *answer);

/** backend_number - an integer below @object, by its key; 0 when it is not there. */
long long backend_number(yajl_val object, const char *key);

/**
 * daemon_connect - be connected to a daemon's socket in the run directory.
 * @daemon: what messages call it
 * @fd: the caller's on success, else -1
 *
 * Return: 0 or a negative errno with the fault set.
 */
int daemon_connect(const char *daemon, const char *name, int *fd, struct fault *fault);
