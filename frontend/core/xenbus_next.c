#include "frontend/core/xenbus.h"

static enum xenbus_action next_initialising(unsigned backend, bool online)
{
	switch (backend) {
	case XenbusStateInitWait:
	case XenbusStateInitialised:
		return XENBUS_PUBLISH;
	case XenbusStateConnected: /* with rings of whoever was here before us */
		return XENBUS_RESET;
	case XenbusStateClosing:
		return online ? XENBUS_RESET : XENBUS_FINISH;
	case XenbusStateClosed:
		return online ? XENBUS_WAIT : XENBUS_FINISH;
	default:
		return XENBUS_WAIT;
	}
}

static enum xenbus_action next_published(unsigned backend, bool online)
{
	switch (backend) {
	case XenbusStateConnected:
		return XENBUS_CONNECT;
	case XenbusStateUnknown:
	case XenbusStateClosing:
	case XenbusStateClosed:
		return online ? XENBUS_RESET : XENBUS_FINISH;
	default: /* it has not seen our rings yet, whatever it is doing */
		return XENBUS_WAIT;
	}
}

static enum xenbus_action next_connected(unsigned backend, bool online)
{
	switch (backend) {
	case XenbusStateConnected:
		return XENBUS_REFRESH;
	case XenbusStateInitialising:
		return XENBUS_REOPEN;
	case XenbusStateInitWait:
		return XENBUS_PUBLISH;
	case XenbusStateUnknown:
	case XenbusStateClosing:
	case XenbusStateClosed:
		return online ? XENBUS_RESET : XENBUS_FINISH;
	default:
		return XENBUS_WAIT;
	}
}

static enum xenbus_action next_closed(unsigned backend, bool online)
{
	switch (backend) {
	case XenbusStateInitWait:
	case XenbusStateInitialised:
		return XENBUS_PUBLISH;
	case XenbusStateInitialising:
		return XENBUS_REOPEN;
	case XenbusStateClosed:
		return online ? XENBUS_REOPEN : XENBUS_END;
	case XenbusStateUnknown:
		return online ? XENBUS_WAIT : XENBUS_END;
	case XenbusStateClosing:
		return online ? XENBUS_WAIT : XENBUS_FINISH;
	default:
		return XENBUS_WAIT;
	}
}

static enum xenbus_action next_leaving(unsigned backend)
{
	switch (backend) {
	case XenbusStateInitialised:
	case XenbusStateConnected:
	case XenbusStateReconfiguring:
	case XenbusStateReconfigured:
		return XENBUS_WAIT;
	default:
		return XENBUS_FINISH;
	}
}

static enum xenbus_action next_finishing(unsigned backend)
{
	switch (backend) {
	case XenbusStateInitialised:
	case XenbusStateConnected:
	case XenbusStateClosing:
	case XenbusStateReconfiguring:
	case XenbusStateReconfigured:
		return XENBUS_WAIT;
	default:
		return XENBUS_END;
	}
}

enum xenbus_action xenbus_next(enum xenbus_phase phase, unsigned backend, bool online)
{
	if (backend > XenbusStateReconfigured)
		backend = XenbusStateUnknown;

	switch (phase) {
	case XENBUS_INITIALISING:
		return next_initialising(backend, online);
	case XENBUS_PUBLISHED:
		return next_published(backend, online);
	case XENBUS_CONNECTED:
		return next_connected(backend, online);
	case XENBUS_CLOSED:
		return next_closed(backend, online);
	case XENBUS_LEAVING:
		return next_leaving(backend);
	case XENBUS_FINISHING:
		return next_finishing(backend);
	default:
		return XENBUS_WAIT;
	}
}
