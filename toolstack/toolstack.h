/*
 * toolstack.h - what every operation of the toolstack works with.
 */
#pragma once

#include <xenstore.h>

#include "toolstack/fault.h"
#include "toolstack/interrupt.h"
#include "toolstack/xen/xen.h"

/** The domain that this toolstack and, so far, all backends run in. */
#define BACKEND_DOMID 0

/** How long a backend may take to answer, as libxl's device timeout. */
#define BACKEND_SECONDS 10

/** For one whose storage is a server's, or a qemu-nbd's that it starts first. */
#define BACKEND_FAR_SECONDS 40

/** Where long work shows how far it is: on standard error. */
enum progress_shown { PROGRESS_ON_TERMINAL, PROGRESS_NEVER, PROGRESS_ALWAYS };

struct toolstack {
	struct xen *xen;
	struct xs_handle *xs;
	struct interrupt interrupt;
	enum progress_shown progress;
};

/** toolstack_open - open Xen and the XenStore. Return: 0 or a negative errno. */
int toolstack_open(struct toolstack *ts, struct fault *fault);
void toolstack_close(struct toolstack *ts);
