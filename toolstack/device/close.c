#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#include "toolstack/device/device.h"
#include "toolstack/device/index.h"
#include "toolstack/device/qemu.h"
#include "toolstack/device/script.h"
#include "toolstack/device/wait.h"

struct closing {
	const struct devices *devices;
	bool force;
};

/* A console has no backend that answers; what is Closed or gone is done. */
static bool wants_closing(struct xs_handle *xs, xs_transaction_t t, const struct device *d,
			  const char *back)
{
	uint64_t state = XenbusStateUnknown;

	if (d->type == DEVICE_CONSOLE)
		return false;
	xs_read_number(xs, t, XenbusStateReconfigured, &state, "%s/state", back);
	return state != XenbusStateUnknown && state != XenbusStateClosed;
}

static int closing_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct closing *closing = arg;
	const struct devices *devices = closing->devices;
	char back[XS_PATH_SIZE], front[XS_PATH_SIZE];
	int rc = 0;

	for (size_t i = 0; i < devices->count && !rc; i++) {
		device_back(&devices->device[i], back);
		if (!wants_closing(xs, t, &devices->device[i], back))
			continue;
		rc = xs_write_string(xs, t, "0", "%s/online", back);
		if (!rc)
			rc = xs_write_number(xs, t, XenbusStateClosing, "%s/state", back);
		device_front(&devices->device[i], front);
		if (!rc && closing->force)
			rc = xs_remove(xs, t, "%s", front);
	}
	return rc;
}

int devices_close(struct toolstack *ts, const struct devices *devices, bool force)
{
	struct closing closing = {devices, force};

	return xs_transact(ts->xs, closing_write, &closing);
}

static enum device_progress closed(struct toolstack *ts, const struct device *d, const void *arg,
				   struct fault *fault)
{
	char back[XS_PATH_SIZE], *words;
	unsigned state;

	if (d->type == DEVICE_CONSOLE)
		return DEVICE_DONE;
	state = device_state(ts, d);
	if (state == XenbusStateUnknown || state == XenbusStateClosed)
		return DEVICE_DONE;
	/* What QEMU does not serve it does not close either. */
	words = d->type == DEVICE_QDISK ? qemu_complaint(ts, d->domid, d->id) : NULL;
	free(words);
	if (words)
		return DEVICE_DONE;
	/* A backend that was about to connect may have overwritten it (QEMU does): say it again. */
	if (state < XenbusStateClosing) {
		device_back(d, back);
		xs_write_number(ts->xs, XBT_NULL, XenbusStateClosing, "%s/state", back);
	}
	return DEVICE_PENDING;
}

int devices_wait_closed(struct toolstack *ts, const struct devices *devices, struct fault *fault)
{
	const struct device *late = NULL;
	char label[64];
	int rc = devices_wait(ts, devices, closed, NULL, false, &late, fault);

	if (rc == -ETIMEDOUT && late) {
		device_label(late, label, sizeof(label));
		fault_set(fault, rc,
			  "domain %u: %s: its backend did not close it in %d s (state %u); is "
			  "xsplit-backend running? --force removes it all the same",
			  late->domid, label, device_patience(ts, late), device_state(ts, late));
	}
	return rc;
}

/*
 * The kernel of the backend's domain has a device of its own for each backend, and lets go of it
 * when it hears that the backend's folder or its guest's is gone: of a folder above these it takes
 * no note (xenbus_dev_changed()). So the parents that became empty are removed by themselves.
 */
static void back_remove(struct xs_handle *xs, xs_transaction_t t, const char *path,
			struct goners *goners)
{
	char parent[XS_PATH_SIZE];

	if (!goners->rc)
		goners->rc = xs_remove(xs, t, "%s", path);
	snprintf(parent, sizeof(parent), "%s", path);
	*strrchr(parent, '/') = '\0';
	goners_add_empty(goners, xs, t, parent);
}

int device_back_remove(struct xs_handle *xs, xs_transaction_t t, const struct device *d)
{
	struct goners goners = {0};
	char path[XS_PATH_SIZE], prefix[32];
	int n = snprintf(prefix, sizeof(prefix), "/local/domain/%u", d->backend);

	device_back(d, path);
	back_remove(xs, t, path, &goners);
	/* "/local/domain/0/backend/..." -> "/local/domain/0/error/backend/..." */
	goners_add(&goners, "%s/error%s", prefix, path + n);
	return goners_remove(&goners, xs, t);
}

/* "/local/domain/0/backend/vbd/5": those of a guest's backends that are of one kind. */
static void back_folder(const struct device *d, char path[XS_PATH_SIZE])
{
	device_back(d, path);
	*strrchr(path, '/') = '\0';
}

static bool folder_seen(const struct devices *devices, size_t end, const char *folder)
{
	char path[XS_PATH_SIZE];

	for (size_t i = 0; i < end; i++) {
		back_folder(&devices->device[i], path);
		if (!strcmp(path, folder))
			return true;
	}
	return false;
}

/* What the last backend's domain complained of, if it did; most have their backends in one. */
struct complaints {
	char folder[32]; /* "/local/domain/0/error" */
	bool any;
};

static void complaints_remove(struct xs_handle *xs, xs_transaction_t t, struct complaints *of,
			      const struct device *d, const char *back, struct goners *goners)
{
	char prefix[20], folder[sizeof(of->folder)];
	int n = snprintf(prefix, sizeof(prefix), "/local/domain/%u", d->backend);

	snprintf(folder, sizeof(folder), "%s/error", prefix);
	if (strcmp(folder, of->folder) != 0) {
		memcpy(of->folder, folder, sizeof(folder));
		of->any = xs_exists(xs, t, "%s", folder);
	}
	if (of->any)
		goners_add(goners, "%s%s", folder, back + n);
}

void devices_back_remove(struct xs_handle *xs, xs_transaction_t t, const struct devices *devices,
			 struct goners *goners)
{
	struct complaints complaints = {0};

	for (size_t i = 0; i < devices->count; i++) {
		const struct device *d = &devices->device[i];
		char folder[XS_PATH_SIZE];

		back_folder(d, folder);
		if (folder_seen(devices, i, folder))
			continue;
		back_remove(xs, t, folder, goners);
		complaints_remove(xs, t, &complaints, d, folder, goners);
	}
}

int device_remove(struct xs_handle *xs, xs_transaction_t t, const struct device *d)
{
	char path[XS_PATH_SIZE];
	int rc;

	device_front(d, path);
	rc = nodes_remove(xs, t, "%s", path);
	if (!rc)
		rc = device_back_remove(xs, t, d);
	if (!rc)
		rc = index_device_remove(xs, t, d);
	device_private(d, path);
	return rc ? rc : nodes_remove(xs, t, "%s", path);
}

static int detached_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	return device_remove(xs, t, arg);
}

int device_detach(struct toolstack *ts, const struct device *device, bool force,
		  struct fault *fault)
{
	struct device d = *device;
	struct devices one = {&d, 1};
	int rc = devices_close(ts, &one, false);

	if (!rc)
		rc = devices_wait_closed(ts, &one, fault);
	if (rc == -ETIMEDOUT && force)
		rc = 0;
	if (!rc)
		scripts_remove(ts, &one);
	if (!rc)
		rc = xs_transact(ts->xs, detached_write, &d);
	return rc;
}
