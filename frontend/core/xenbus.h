/*
 * xenbus.h - the frontend's side of the handshake, the same for every class of device.
 *
 * Driven by watches on the backend's state alone: the backend may show any state at any time,
 * vanish, start over, or be left over from an earlier kernel. What to do is one pure function,
 * xenbus_next; the rest carries it out. States: xen/io/xenbus.h.
 */
#pragma once

#include "frontend/core/platform.h"
#include "frontend/core/store.h"
#include "frontend/core/wire.h"

/** Where we are. What we show in our own state node follows from it. */
enum xenbus_phase {
	XENBUS_INITIALISING, /* nothing offered yet */
	XENBUS_PUBLISHED,    /* rings offered, the backend is to connect */
	XENBUS_CONNECTED,
	XENBUS_CLOSED,    /* the backend went away, and may come back */
	XENBUS_LEAVING,   /* we want to end: Closing is written */
	XENBUS_FINISHING, /* Closed is written for the last time; the backend is to close too */
	XENBUS_ENDED,
};

enum xenbus_action {
	XENBUS_WAIT,
	XENBUS_PUBLISH, /* give up old rings, offer new ones */
	XENBUS_CONNECT,
	XENBUS_REFRESH, /* the backend's properties may have changed */
	XENBUS_RESET,   /* give up the rings, show Closed, stay ready to start over */
	XENBUS_REOPEN,  /* give up the rings, show Initialising */
	XENBUS_FINISH,  /* give up the rings, show Closed, then end */
	XENBUS_END,
};

/**
 * xenbus_next - what the backend's state asks of us.
 * @backend: any number; absent nodes and unknown numbers count as XenbusStateUnknown
 * @online:  the backend's online node: 0 or absent means the device is being removed
 */
enum xenbus_action xenbus_next(enum xenbus_phase phase, unsigned backend, bool online);

struct xenbus_device;

/** What a class of devices does at each step. No function waits. One that returns -EIO because the
 * store failed is called again, a few times; nothing of what it began is left then. */
struct xenbus_driver {
	XenbusState published; /* what we show once the rings are offered */

	/* Read the backend's features, make rings and events. 0, or a negative errno after
	 * which nothing of it is left: the device ends. */
	int (*open)(struct xenbus_device *device);
	/* Write the nodes that offer them; may be repeated. 0 or a negative errno. */
	int (*offer)(struct xenbus_device *device, uint32_t transaction);
	/* The backend is connected: read its properties and start. A negative errno ends the
	 * device. */
	int (*connect)(struct xenbus_device *device);
	/* It says Connected again; NULL if the class has nothing that changes. An error but -EIO
	 * leaves all as it was. */
	int (*refresh)(struct xenbus_device *device);
	/* Stop using the rings and give them up; called only after open. */
	void (*close)(struct xenbus_device *device);
	/* There will be nothing more. */
	void (*ended)(struct xenbus_device *device);
};

/** Embedded in the class's own struct, zeroed at first. */
struct xenbus_device {
	struct platform *platform;
	const struct xenbus_driver *driver;
	char path[STORE_PATH_SIZE];    /* ours, such as device/vbd/51712 */
	char backend[STORE_PATH_SIZE]; /* the backend's, absolute */
	uint16_t backend_id;
	enum xenbus_phase phase;
	bool open;
	struct platform_watch *watch;
	uint64_t reset_since; /* ms; resets are counted from here */
	uint32_t resets;
};

/** So many new beginnings a minute, then the device ends: some backends go in circles. */
#define XENBUS_RESETS_MAX 10u

/**
 * xenbus_start - begin the handshake of the device whose directory is @path.
 * @device: .platform and .driver set
 *
 * Return: 0, -ENOENT (no such device, or no backend or backend-id in it), -ENAMETOOLONG, or
 * what the store says. On error nothing was begun. xenbus_stop must follow a success.
 */
int xenbus_start(struct xenbus_device *device, const char *path);

/**
 * xenbus_resume - the domain was restored: begin anew, with whatever backend there is now.
 *
 * The host has shared all areas again before, under the same grefs, and closed all events. It does
 * this for all devices before it runs a watch's handler again, which would see an old backend gone.
 * Return: 0, -EXDEV (another domain than before serves it: the owner destroys the device and
 * creates it anew), or as xenbus_start. On error the device has ended. One that was ending has
 * ended.
 */
int xenbus_resume(struct xenbus_device *device);

/** xenbus_leave - end in order: Closing, wait for the backend, Closed. @reason is logged, or NULL.
 */
void xenbus_leave(struct xenbus_device *device, const char *reason);

/** xenbus_stop - end at once whatever the phase is; frees what xenbus_start and open made. */
void xenbus_stop(struct xenbus_device *device);

/** xenbus_changed - look at the backend again; the watch calls it, and who knows more may. */
void xenbus_changed(void *device);

/** xenbus_log - a message about this device. */
void xenbus_log(struct xenbus_device *device, enum platform_level level, const char *text);
