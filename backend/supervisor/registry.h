/*
 * registry.h - the devices and guests that the supervisor knows.
 *
 * Watch events only mark devices; registry_run then looks at each marked one once. So a guest that
 * writes its state node in a loop costs one look a turn (XSA-349).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backend/supervisor/guest.h"
#include "backend/xenbus/device.h"

struct registry {
	struct xs_handle *xs;
	struct guest_options guest_options;
	struct event *turn; /* made active when registry_run has something to do */
	struct event *wait; /* until devices that wait are looked at again */
	struct device *devices;
	struct guest **guests;
	unsigned guest_count;
	bool stopping; /* take no new devices */
};

/**
 * registry_init - empty.
 * @options: its handlers are set to the registry's own
 * @turn:    an event that calls registry_run
 *
 * Return: 0 or -ENOMEM; registry_free in both cases.
 */
int registry_init(struct registry *registry, struct xs_handle *xs,
		  const struct guest_options *options, struct event *turn);

/** registry_watch - forget what a supervisor before us noted of devices that are gone, and watch
 * every class's directory. Return: 0 or a negative errno. */
int registry_watch(struct registry *registry);

/** registry_event - a watch of ours fired: mark what it is about. */
void registry_event(struct registry *registry, const char *path, const char *token);

/** registry_run - look at everything that is marked, forget what is released. */
void registry_run(struct registry *registry);

/** registry_tick - about a second has passed. */
void registry_tick(struct registry *registry);

/** registry_reap - SIGCHLD. */
void registry_reap(struct registry *registry);

/** registry_stop - close all devices in order. */
void registry_stop(struct registry *registry);

/** registry_stopped - has no device anything running, and no guest a worker? Workers of guests
 * whose devices are closed are told to end. */
bool registry_stopped(struct registry *registry);

/** registry_free - kill what still runs, and free all. */
void registry_free(struct registry *registry);
