/*
 * state.h - the handshake of a backend with its frontend, as a machine without I/O.
 *
 * Who drives it (device.c) tells it what the store and the worker say, asks for the next action,
 * carries it out and tells the outcome, until there is nothing left to do. Frontends skip states,
 * repeat them, and come back in any of them (xen/io/blkif.h "STATE DIAGRAMS", xen/io/xenbus.h);
 * tests/unit/xenbus_state.c has one row for each that is known.
 */
#pragma once

#include <stdbool.h>
#include <xen/io/xenbus.h>

/** How the classes differ. */
struct xenbus_traits {
	bool connect_on_initialised; /* a vbd's rings are there in state 3, a vif's in 4 only */
	bool reconfigures;           /* answer Reconfiguring with Reconfigured */
};

/** Where the rings are. */
enum xenbus_link {
	XENBUS_IDLE,     /* nothing is mapped */
	XENBUS_STARTING, /* the worker was asked to connect */
	XENBUS_RUNNING,
	XENBUS_STOPPING, /* the worker was asked to disconnect */
	XENBUS_BROKEN,   /* the worker died with the rings; another takes them up where they were */
};

/** One device's side of the handshake. Zeroed, then xenbus_init. */
struct xenbus {
	const struct xenbus_traits *traits;
	enum xenbus_state own;   /* what our state node says */
	enum xenbus_state front; /* what the frontend's says; Unknown when it is not there */
	enum xenbus_link link;
	bool present;       /* our directory is there */
	bool online;        /* of one that is Closed: the toolstack wants it to come back */
	bool hotplug_ready; /* what is behind the device is there */
	bool front_seen;    /* the frontend's node was there once */
	bool close_asked;   /* the toolstack wrote Closing into our state node */
	bool stopping;      /* the backend itself ends */
	bool failed;        /* given up until the frontend moves to another state */
};

/** What to do next. After each, call the function named here with the outcome. */
enum xenbus_action {
	XENBUS_NOTHING,  /* wait for the store or the worker */
	XENBUS_ANNOUNCE, /* publish the features, write InitWait: xenbus_wrote, xenbus_fail */
	XENBUS_CONNECT,  /* read the frontend, ask the worker: xenbus_linked, xenbus_fail */
	XENBUS_WRITE_CONNECTED, /* publish all, write Connected: xenbus_wrote */
	XENBUS_RECONFIGURE,     /* write Reconfigured: xenbus_wrote */
	XENBUS_WRITE_CLOSING,   /* xenbus_wrote */
	XENBUS_DISCONNECT,      /* ask the worker: xenbus_linked */
	XENBUS_WRITE_CLOSED,    /* xenbus_wrote */
	XENBUS_RELEASE,         /* the device is gone: free everything */
};

/** xenbus_init - a device that was just found, with the state its own node says. */
void xenbus_init(struct xenbus *xenbus, const struct xenbus_traits *traits, enum xenbus_state own);

/** xenbus_resume - after xenbus_init: a supervisor before us had its rings running, and they can be
 * taken up. */
void xenbus_resume(struct xenbus *xenbus);

/** xenbus_front - the frontend's state node says @state; Unknown (0) when it is not there. */
void xenbus_front(struct xenbus *xenbus, enum xenbus_state state);

/**
 * xenbus_own - our own state node says @state. Only Closing has a meaning when it is not we who
 * wrote it: the toolstack wants the device closed.
 */
void xenbus_own(struct xenbus *xenbus, enum xenbus_state state);

/** xenbus_wrote - our state node now says @state. */
void xenbus_wrote(struct xenbus *xenbus, enum xenbus_state state);

/** xenbus_linked - the worker was asked or has answered. */
void xenbus_linked(struct xenbus *xenbus, enum xenbus_link link);

/**
 * xenbus_fail - it cannot be served, or its worker died for good: nothing is mapped any more. The
 * device closes and waits until the frontend moves.
 */
void xenbus_fail(struct xenbus *xenbus);

/** xenbus_next - the next action. Pure: the same answer until one of the functions above is called.
 */
enum xenbus_action xenbus_next(const struct xenbus *xenbus);
