#include "backend/xenbus/state.h"

static bool front_ready(const struct xenbus *xenbus)
{
	return xenbus->front == XenbusStateConnected ||
	       (xenbus->front == XenbusStateInitialised && xenbus->traits->connect_on_initialised);
}

static bool front_gone(const struct xenbus *xenbus)
{
	return xenbus->front == XenbusStateUnknown && xenbus->front_seen;
}

static bool linked(const struct xenbus *xenbus)
{
	return xenbus->link == XENBUS_STARTING || xenbus->link == XENBUS_RUNNING ||
	       xenbus->link == XENBUS_BROKEN;
}

void xenbus_init(struct xenbus *xenbus, const struct xenbus_traits *traits, enum xenbus_state own)
{
	*xenbus = (struct xenbus){.traits = traits, .own = own, .present = true};
	/* A supervisor before us served it: the rings it ran are in an unknown state. */
	xenbus->failed = own > XenbusStateInitWait;
}

void xenbus_resume(struct xenbus *xenbus)
{
	xenbus->link = XENBUS_BROKEN;
	xenbus->failed = false;
	xenbus->front_seen = true;
	/* If it was our own Closing, the frontend is closing too. */
	xenbus->close_asked = xenbus->own == XenbusStateClosing;
}

void xenbus_front(struct xenbus *xenbus, enum xenbus_state state)
{
	enum xenbus_state before = xenbus->front;

	xenbus->front = state;
	if (!xenbus->front_seen)
		xenbus->failed = xenbus->failed &&
				 (front_ready(xenbus) || state == XenbusStateUnknown);
	else if (before != state)
		xenbus->failed = false;
	if (state != XenbusStateUnknown)
		xenbus->front_seen = true;
}

void xenbus_own(struct xenbus *xenbus, enum xenbus_state state)
{
	if (state != XenbusStateClosing || xenbus->own == XenbusStateClosing)
		return;
	xenbus->own = state;
	xenbus->close_asked = true;
}

void xenbus_wrote(struct xenbus *xenbus, enum xenbus_state state)
{
	xenbus->own = state;
	if (state == XenbusStateInitWait)
		xenbus->close_asked = false;
}

void xenbus_linked(struct xenbus *xenbus, enum xenbus_link link)
{
	xenbus->link = link;
}

void xenbus_fail(struct xenbus *xenbus)
{
	xenbus->link = XENBUS_IDLE;
	xenbus->failed = true;
}

/* Closing before Closed always, as NetBSD's drivers demand, and no Closed while a page is mapped.
 */
static enum xenbus_action close_step(const struct xenbus *xenbus, bool finish)
{
	if (xenbus->own != XenbusStateClosing && xenbus->own != XenbusStateClosed)
		return XENBUS_WRITE_CLOSING;
	if (linked(xenbus))
		return XENBUS_DISCONNECT;
	if (xenbus->link == XENBUS_STOPPING || xenbus->own == XenbusStateClosed || !finish)
		return XENBUS_NOTHING;
	return XENBUS_WRITE_CLOSED;
}

/* From nothing, or from closed, to InitWait. */
static enum xenbus_action open_step(const struct xenbus *xenbus)
{
	switch (xenbus->own) {
	case XenbusStateUnknown:
	case XenbusStateInitialising:
		return XENBUS_ANNOUNCE;
	case XenbusStateInitWait:
		return XENBUS_NOTHING;
	case XenbusStateClosed:
		return xenbus->online ? XENBUS_ANNOUNCE : XENBUS_NOTHING;
	default:
		return close_step(xenbus, true);
	}
}

/* The frontend has written its rings down, or wants something of the running ones. */
static enum xenbus_action connect_step(const struct xenbus *xenbus)
{
	switch (xenbus->link) {
	case XENBUS_IDLE:
		if (xenbus->own != XenbusStateInitWait)
			return open_step(xenbus);
		return xenbus->hotplug_ready ? XENBUS_CONNECT : XENBUS_NOTHING;
	case XENBUS_BROKEN:
		return xenbus->own == XenbusStateClosing && !xenbus->close_asked ? XENBUS_DISCONNECT
										 : XENBUS_CONNECT;
	case XENBUS_RUNNING:
		break;
	default:
		return XENBUS_NOTHING;
	}
	switch (xenbus->own) {
	case XenbusStateConnected:
		return XENBUS_NOTHING;
	case XenbusStateClosing:
		/* The toolstack wants it closed; a frontend in use decides when. */
		return xenbus->close_asked ? XENBUS_NOTHING : XENBUS_DISCONNECT;
	default:
		return XENBUS_WRITE_CONNECTED;
	}
}

static enum xenbus_action reconfigure_step(const struct xenbus *xenbus)
{
	if (!xenbus->traits->reconfigures || xenbus->link != XENBUS_RUNNING ||
	    xenbus->own != XenbusStateConnected)
		return XENBUS_NOTHING;
	return XENBUS_RECONFIGURE;
}

enum xenbus_action xenbus_next(const struct xenbus *xenbus)
{
	if (!xenbus->present) {
		if (linked(xenbus))
			return XENBUS_DISCONNECT;
		return xenbus->link == XENBUS_STOPPING ? XENBUS_NOTHING : XENBUS_RELEASE;
	}
	if (xenbus->failed || xenbus->stopping || front_gone(xenbus))
		return close_step(xenbus, true);
	/* A frontend that is closing writes once more: our Closed must not have it removed before.
	 */
	if (xenbus->close_asked && !linked(xenbus) && xenbus->front != XenbusStateClosing)
		return close_step(xenbus, true);
	if (front_ready(xenbus))
		return connect_step(xenbus);

	switch (xenbus->front) {
	case XenbusStateInitialising:
		/* On a live device it is another kernel (kexec), or a driver that starts over. */
		return xenbus->link == XENBUS_IDLE ? open_step(xenbus) : close_step(xenbus, true);
	case XenbusStateReconfiguring:
		return reconfigure_step(xenbus);
	case XenbusStateClosing:
		return close_step(xenbus, false);
	case XenbusStateClosed:
		return close_step(xenbus, true);
	default:
		/* Not there yet, or a state that means nothing in this class. */
		return xenbus->own <= XenbusStateInitialising ? XENBUS_ANNOUNCE : XENBUS_NOTHING;
	}
}
