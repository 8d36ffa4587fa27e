/*
 * device.h - a device of a guest: its three directories, its life from Initialising to Closed.
 *
 *   front    /local/domain/N/device/KIND/ID      the guest's, the backend may read
 *   back     /local/domain/B/backend/TYPE/N/ID   the backend's, the guest may read
 *   private  /libxl/N/device/KIND/ID             ours, the guest cannot change it
 *
 * Nodes are those of libxl (libxl_device.c); states are xen/io/xenbus.h's. What the guest or a
 * backend wrote is read as text of theirs: checked, never trusted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/xs.h"
#include "toolstack/goners.h"
#include "toolstack/nodes.h"
#include "toolstack/toolstack.h"

enum device_type { DEVICE_VBD, DEVICE_QDISK, DEVICE_VIF, DEVICE_CONSOLE, DEVICE_TYPES };

struct device {
	enum device_type type;
	uint16_t domid;
	uint16_t backend; /* domid */
	uint32_t id;
};

struct devices {
	struct device *device;
	size_t count;
};

/** The paths of a device's directories, into @path. */
void device_front(const struct device *device, char path[XS_PATH_SIZE]);
void device_back(const struct device *device, char path[XS_PATH_SIZE]);
void device_private(const struct device *device, char path[XS_PATH_SIZE]);

/** device_label - what messages call it: "disk xvda", "vif 0". */
void device_label(const struct device *device, char *text, size_t size);

/** A node of a device's directory. */
struct device_node {
	const char *name;
	const char *value; /* NULL: this device has no such node */
};

/**
 * device_nodes - the three directories and what every device has in them.
 * @front, @back: the nodes of its kind, up to one without a name
 */
void device_nodes(struct nodes *nodes, const struct device *device, const struct device_node *front,
		  const struct device_node *back);

/** devices_list - a domain's devices, from the private directories. Return: 0 or -errno. */
int devices_list(struct toolstack *ts, uint16_t domid, struct devices *devices);
void devices_free(struct devices *devices);

/** device_state - the backend's xenbus state, 0 when it cannot be read. */
unsigned device_state(struct toolstack *ts, const struct device *device);

/**
 * devices_wait_ready - until each backend is at InitWait or beyond.
 * Return: 0; -ETIMEDOUT, or -EIO when a backend reported an error (the fault says which device and
 * what it reported); -EINTR when interrupted.
 */
int devices_wait_ready(struct toolstack *ts, const struct devices *devices, struct fault *fault);

/**
 * devices_close - tell backends to close: online=0, state=5, in one transaction.
 * @force: remove the frontends' directories with it, so that no backend waits for a guest
 */
int devices_close(struct toolstack *ts, const struct devices *devices, bool force);

/**
 * devices_wait_closed - until each backend is Closed or gone.
 * Return: 0, or -ETIMEDOUT with the first that is not (the fault says which).
 */
int devices_wait_closed(struct toolstack *ts, const struct devices *devices, struct fault *fault);

/** device_remove - its three directories and its error nodes, in transaction @t. */
int device_remove(struct xs_handle *xs, xs_transaction_t t, const struct device *device);
/** device_back_remove - what goes with neither the guest's nodes nor libxl's, in transaction @t. */
int device_back_remove(struct xs_handle *xs, xs_transaction_t t, const struct device *device);

/**
 * devices_back_remove - the same of all devices of one guest, and of any other that its backends of
 * these kinds still have of it. The backends' folders go here, the rest with @goners.
 */
void devices_back_remove(struct xs_handle *xs, xs_transaction_t t, const struct devices *devices,
			 struct goners *goners);

/**
 * device_detach - close one device of a running guest and remove it.
 * @force: remove it even when the backend does not close it in time
 */
int device_detach(struct toolstack *ts, const struct device *device, bool force,
		  struct fault *fault);
