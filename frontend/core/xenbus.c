#include "frontend/core/xenbus.h"

#include "frontend/core/limbo.h"
#include "frontend/core/text.h"

#define XENBUS_STEPS_MAX        4
#define XENBUS_TRIES            8
#define XENBUS_RESETS_WINDOW_MS 60000u

void xenbus_log(struct xenbus_device *device, enum platform_level level, const char *text)
{
	device->platform->ops->log(device->platform, level, device->path, text);
}

struct state_change {
	struct xenbus_device *device;
	XenbusState state;
	bool offer;
};

/* A state node that is gone must not come back: the toolstack has removed the device. One that
 * does not change is not written, so that nobody's watch fires for nothing. */
static int state_write(uint32_t transaction, void *arg)
{
	struct state_change *change = arg;
	struct xenbus_device *device = change->device;
	struct platform *platform = device->platform;
	char path[STORE_PATH_SIZE], value[TEXT_NUMBER_SIZE];
	int rc;

	rc = text_path(path, sizeof(path), device->path, "state");
	if (rc)
		return rc;
	rc = platform->ops->store_read(platform, transaction, path, value, sizeof(value));
	if (rc < 0 && rc != -E2BIG)
		return rc;
	if (change->offer) {
		rc = device->driver->offer(device, transaction);
		if (rc)
			return rc;
	} else if (rc == 1 && value[0] == (char)('0' + change->state)) {
		return 0;
	}
	return store_write_number(platform, transaction, device->path, "state", change->state);
}

static int state_show(struct xenbus_device *device, XenbusState state, bool offer)
{
	struct state_change change = {device, state, offer};

	return store_transact(device->platform, state_write, &change);
}

static void device_close(struct xenbus_device *device)
{
	if (device->open)
		device->driver->close(device);
	device->open = false;
}

static void device_end(struct xenbus_device *device)
{
	device_close(device);
	device->phase = XENBUS_ENDED;
	device->driver->ended(device);
}

static void device_finish(struct xenbus_device *device)
{
	device_close(device);
	device->phase = XENBUS_FINISHING;
	if (state_show(device, XenbusStateClosed, false))
		device_end(device);
}

/* Linux's xenbus_dev_fatal does the same: a node for the administrator, where libxl made room. */
static void error_tell(struct xenbus_device *device, const char *text)
{
	char path[STORE_PATH_SIZE];

	xenbus_log(device, PLATFORM_ERROR, text);
	if (!text_path(path, sizeof(path), "error", device->path))
		store_write_text(device->platform, PLATFORM_NO_TRANSACTION, path, "error", text);
}

static void device_fail(struct xenbus_device *device, const char *what, int error)
{
	char message[160];
	struct text text = text_on(message, sizeof(message));

	text_add(&text, what);
	text_add(&text, ", error ");
	text_add_number(&text, (uint64_t)-error);
	text_add(&text, "; detach the device and attach it again");
	error_tell(device, message);
	device_finish(device);
}

/* Beginnings after the first are counted: a backend must not keep us busy for ever. */
static bool reset_allowed(struct xenbus_device *device)
{
	uint64_t now = device->platform->ops->now_ms(device->platform);

	if (now - device->reset_since >= XENBUS_RESETS_WINDOW_MS) {
		device->reset_since = now;
		device->resets = 0;
	}
	return device->resets++ < XENBUS_RESETS_MAX;
}

/* A store that fails for a moment is asked again: nothing else would make us look. */
static int driver_try(struct xenbus_device *device, int (*step)(struct xenbus_device *device))
{
	int rc = -EIO;

	for (int tries = 0; tries < XENBUS_TRIES && rc == -EIO; tries++)
		rc = step(device);
	return rc;
}

static void device_publish(struct xenbus_device *device)
{
	int rc;

	device_close(device);
	rc = driver_try(device, device->driver->open);
	if (rc) {
		device_fail(device, "cannot make the rings", rc);
		return;
	}
	device->open = true;
	rc = state_show(device, device->driver->published, true);
	if (rc) {
		device_fail(device, "cannot offer the rings in XenStore", rc);
		return;
	}
	device->phase = XENBUS_PUBLISHED;
}

static void device_connect(struct xenbus_device *device)
{
	int rc = driver_try(device, device->driver->connect);

	if (!rc)
		rc = state_show(device, XenbusStateConnected, false);
	if (rc) {
		device_fail(device, "cannot use what the backend offers", rc);
		return;
	}
	device->phase = XENBUS_CONNECTED;
	xenbus_log(device, PLATFORM_INFO, "connected");
}

static void device_restart(struct xenbus_device *device, XenbusState state, enum xenbus_phase phase)
{
	int rc;

	device_close(device);
	if (!reset_allowed(device)) {
		error_tell(device, "the backend starts over again and again; detach the device and "
				   "attach it again");
		device_finish(device);
		return;
	}
	device->phase = phase;
	rc = state_show(device, state, false);
	if (rc)
		device_end(device);
}

static void device_act(struct xenbus_device *device, enum xenbus_action action)
{
	switch (action) {
	case XENBUS_PUBLISH:
		if (device->open && !reset_allowed(device))
			device_finish(device);
		else
			device_publish(device);
		break;
	case XENBUS_CONNECT:
		device_connect(device);
		break;
	case XENBUS_REFRESH:
		if (device->driver->refresh)
			driver_try(device, device->driver->refresh);
		break;
	case XENBUS_RESET:
		device_restart(device, XenbusStateClosed, XENBUS_CLOSED);
		break;
	case XENBUS_REOPEN:
		device_restart(device, XenbusStateInitialising, XENBUS_INITIALISING);
		break;
	case XENBUS_FINISH:
		device_finish(device);
		break;
	case XENBUS_END:
		device_end(device);
		break;
	case XENBUS_WAIT:
		break;
	}
}

/* Return: 0 or -EIO. */
static int backend_look(struct xenbus_device *device, unsigned *state, bool *online)
{
	int rc = -EIO;

	for (int tries = 0; tries < XENBUS_TRIES && rc == -EIO; tries++) {
		struct store_nodes nodes = {device->platform, device->backend, 0};

		*online = store_flag(&nodes, "online");
		*state = (unsigned)store_number_or(&nodes, "state", XenbusStateReconfigured,
						   XenbusStateUnknown);
		rc = nodes.rc;
	}
	return rc;
}

void xenbus_changed(void *arg)
{
	struct xenbus_device *device = arg;

	limbo_retry(device->platform);
	for (int step = 0; step < XENBUS_STEPS_MAX; step++) {
		enum xenbus_phase phase = device->phase;
		enum xenbus_action action;
		unsigned state;
		bool online;

		if (backend_look(device, &state, &online))
			break;
		action = xenbus_next(phase, state, online);
		device_act(device, action);
		if (device->phase == phase || action == XENBUS_CONNECT)
			break;
	}
}

static int backend_find(struct xenbus_device *device)
{
	struct platform *platform = device->platform;
	char path[STORE_PATH_SIZE];
	uint64_t id;
	int rc;

	rc = text_path(path, sizeof(path), device->path, "backend");
	if (rc)
		return rc;
	rc = platform->ops->store_read(platform, PLATFORM_NO_TRANSACTION, path, device->backend,
				       sizeof(device->backend));
	if (rc < 0)
		return rc == -E2BIG ? -ENAMETOOLONG : rc;
	rc = store_read_number(platform, device->path, "backend-id", UINT16_MAX, &id);
	if (rc)
		return rc;
	device->backend_id = (uint16_t)id;
	return 0;
}

/* The handshake with the backend that was found. */
static int device_begin(struct xenbus_device *device)
{
	char state[STORE_PATH_SIZE];
	unsigned backend;
	bool online;
	int rc;

	rc = text_path(state, sizeof(state), device->backend, "state");
	if (rc)
		return rc;

	/* A backend in the middle of an earlier life is first led out of it (RESET). */
	rc = backend_look(device, &backend, &online);
	if (rc)
		return rc;
	device->phase = XENBUS_INITIALISING;
	if (backend != XenbusStateConnected && backend != XenbusStateClosing) {
		rc = state_show(device, XenbusStateInitialising, false);
		if (rc)
			return rc;
	}
	return device->platform->ops->store_watch(device->platform, state, xenbus_changed, device,
						  &device->watch);
}

int xenbus_start(struct xenbus_device *device, const char *path)
{
	struct text own = text_on(device->path, sizeof(device->path));
	int rc;

	text_add(&own, path);
	if (own.cut)
		return -ENAMETOOLONG;
	rc = backend_find(device);
	return rc ? rc : device_begin(device);
}

static void watch_end(struct xenbus_device *device)
{
	if (device->watch)
		device->platform->ops->store_unwatch(device->platform, device->watch);
	device->watch = NULL;
}

int xenbus_resume(struct xenbus_device *device)
{
	uint16_t domid = device->backend_id;
	int rc = 0;

	if (device->phase == XENBUS_ENDED)
		return 0;
	watch_end(device);
	device_close(device);
	if (device->phase < XENBUS_LEAVING) {
		rc = backend_find(device);
		if (!rc)
			rc = device->backend_id == domid ? device_begin(device) : -EXDEV;
		if (!rc)
			return 0;
	}
	device_end(device);
	return rc;
}

void xenbus_leave(struct xenbus_device *device, const char *reason)
{
	if (reason)
		error_tell(device, reason);
	switch (device->phase) {
	case XENBUS_PUBLISHED:
	case XENBUS_CONNECTED:
		device->phase = XENBUS_LEAVING;
		if (state_show(device, XenbusStateClosing, false))
			device_end(device);
		break;
	case XENBUS_INITIALISING:
	case XENBUS_CLOSED:
		device_finish(device);
		break;
	default:
		return;
	}
	xenbus_changed(device);
}

void xenbus_stop(struct xenbus_device *device)
{
	watch_end(device);
	if (device->phase != XENBUS_ENDED) {
		device_close(device);
		if (device->phase != XENBUS_FINISHING)
			state_show(device, XenbusStateClosed, false);
		device->phase = XENBUS_ENDED;
	}
}
