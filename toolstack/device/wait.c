#include "toolstack/device/wait.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#include "lib/clock.h"
#include "toolstack/device/qemu.h"

/* How often to look even where no event comes: QEMU complains in its log only. */
#define LOOK_QEMU_MS 200
#define LOOK_MS      2000

/* The longest pause between looks before anything is watched. */
#define BRIEF_MS 64

static int look_ms(const struct devices *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		if (devices->device[i].type == DEVICE_QDISK)
			return LOOK_QEMU_MS;
	return LOOK_MS;
}

/* Who is waited for, and how far they are. */
struct waiting {
	struct toolstack *ts;
	const struct devices *devices;
	bool *done; /* by device: it is not looked at any more */
	device_check check;
	const void *arg;
	const struct device **late;
	struct fault *fault;
};

static int check_all(const struct waiting *w)
{
	*w->late = NULL;
	for (size_t i = 0; i < w->devices->count; i++) {
		const struct device *device = &w->devices->device[i];
		enum device_progress progress =
			w->done[i] ? DEVICE_DONE : w->check(w->ts, device, w->arg, w->fault);

		if (progress == DEVICE_FAILED)
			return -EIO;
		if (progress == DEVICE_PENDING && !*w->late)
			*w->late = device;
		w->done[i] = progress == DEVICE_DONE;
	}
	return *w->late ? -EINPROGRESS : 0;
}

int device_patience(struct toolstack *ts, const struct device *d)
{
	char back[XS_PATH_SIZE], *params;
	bool far;

	device_back(d, back);
	params = xs_read_string(ts->xs, XBT_NULL, "%s/params", back);
	far = params && *params && *params != '/';
	free(params);
	return far ? BACKEND_FAR_SECONDS : BACKEND_SECONDS;
}

/* A handle of its own, so that watches of others are left to them. */
static struct xs_handle *watch_all(const struct devices *devices)
{
	struct xs_handle *xs = xs_open(0);
	char path[XS_PATH_SIZE];

	for (size_t i = 0; xs && i < devices->count; i++) {
		if (devices->device[i].type == DEVICE_CONSOLE)
			continue;
		device_back(&devices->device[i], path);
		if (!xs_watch(xs, path, "back")) {
			int rc = errno;

			xs_close(xs);
			errno = rc;
			return NULL;
		}
	}
	return xs;
}

static void watches_drain(struct xs_handle *xs)
{
	char **event;

	while ((event = xs_check_watch(xs)))
		free(event);
}

/*
 * A backend of this host is mostly there within some milliseconds, and to watch for it takes as
 * long: libxenstore starts a thread for the first watch, and ends it. Where a look takes long the
 * pauses do, too: who looks all the time keeps the backend and the store from their work.
 */
static int look_briefly(const struct waiting *w)
{
	int rc = -EINPROGRESS;

	for (int64_t ms = 1; rc == -EINPROGRESS && ms <= BRIEF_MS;) {
		int64_t begun, took;

		poll(NULL, 0, (int)ms);
		begun = clock_ms();
		rc = check_all(w);
		took = clock_ms() - begun;
		ms = took > ms / 2 ? 4 * took : 2 * ms;
	}
	return rc;
}

static int wait_watching(const struct waiting *w, bool interruptible)
{
	struct interrupt *interrupt = &w->ts->interrupt;
	int64_t begin = clock_ms();
	struct xs_handle *xs = watch_all(w->devices);
	int look = look_ms(w->devices), rc = xs ? 0 : -errno;

	while (xs) {
		struct pollfd polled[] = {
			{.fd = xs_fileno(xs), .events = POLLIN},
			{.fd = interruptible ? interrupt->fd : -1, .events = POLLIN},
		};
		int64_t left;

		watches_drain(xs);
		rc = check_all(w);
		if (rc != -EINPROGRESS)
			break;
		left = begin + device_patience(w->ts, *w->late) * 1000 - clock_ms();
		rc = left <= 0                                    ? -ETIMEDOUT
		     : interrupt_came(interrupt) && interruptible ? -EINTR
								  : 0;
		if (rc)
			break;
		poll(polled, 2, left < look ? (int)left : look);
	}
	xs_close(xs);
	return rc;
}

int devices_wait(struct toolstack *ts, const struct devices *devices, device_check check,
		 const void *arg, bool interruptible, const struct device **late,
		 struct fault *fault)
{
	bool *done = calloc(devices->count + 1, sizeof(*done));
	const struct waiting w = {ts, devices, done, check, arg, late, fault};
	int rc = done ? look_briefly(&w) : -ENOMEM;

	if (rc == -EINPROGRESS)
		rc = wait_watching(&w, interruptible);
	free(done);
	return rc;
}

/* What a backend says that cannot serve: its error node, or the hotplug's. */
static char *complaint(struct toolstack *ts, const struct device *d)
{
	char back[XS_PATH_SIZE], prefix[32], *words, *status;
	int n = snprintf(prefix, sizeof(prefix), "/local/domain/%u", d->backend);

	device_back(d, back);
	words = xs_read_string(ts->xs, XBT_NULL, "%s/error%s/error", prefix, back + n);
	if (words)
		return words;
	status = xs_read_string(ts->xs, XBT_NULL, "%s/hotplug-status", back);
	if (status && !strcmp(status, "error")) {
		words = xs_read_string(ts->xs, XBT_NULL, "%s/hotplug-error", back);
		if (!words)
			words = strdup("hotplug failed");
	}
	free(status);
	return words;
}

static enum device_progress ready(struct toolstack *ts, const struct device *d, const void *arg,
				  struct fault *fault)
{
	unsigned state = device_state(ts, d);
	bool qemu = d->type == DEVICE_QDISK;
	char label[64], *words;

	if (d->type == DEVICE_CONSOLE)
		return DEVICE_DONE;
	device_label(d, label, sizeof(label));
	words = qemu ? qemu_complaint(ts, d->domid, d->id) : complaint(ts, d);
	if (words) {
		fault_set(fault, -EIO, "domain %u: %s: %s: %s", d->domid, label,
			  qemu ? "QEMU" : "its backend reports", words);
		free(words);
		return DEVICE_FAILED;
	}
	if (state == XenbusStateUnknown || state >= XenbusStateClosing) {
		fault_set(fault, -EIO, "domain %u: %s: its backend closed it (state %u)", d->domid,
			  label, state);
		return DEVICE_FAILED;
	}
	return state >= XenbusStateInitWait ? DEVICE_DONE : DEVICE_PENDING;
}

int devices_wait_ready(struct toolstack *ts, const struct devices *devices, struct fault *fault)
{
	const struct device *late = NULL;
	char label[64];
	int rc = devices_wait(ts, devices, ready, NULL, true, &late, fault);

	if (rc == -ETIMEDOUT && late) {
		device_label(late, label, sizeof(label));
		fault_set(fault, rc,
			  "domain %u: %s: its backend did not answer in %d s; is %s running?",
			  late->domid, label, device_patience(ts, late),
			  late->type == DEVICE_QDISK ? "QEMU" : "xsplit-backend");
	} else if (rc == -EINTR) {
		fault_set(fault, rc, "interrupted");
	} else if (rc && rc != -EIO) {
		fault_set(fault, rc, "cannot watch the backends: %s", strerror(-rc));
	}
	return rc;
}
