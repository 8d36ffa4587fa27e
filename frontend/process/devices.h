/*
 * devices.h - the guest's disks and network cards, as XenStore has them.
 *
 * What is in the directory device/ is started, what is no longer there is ended.
 */
#pragma once

#include <sys/queue.h>

#include "frontend/process/export.h"
#include "frontend/process/host.h"
#include "frontend/process/vif.h"

struct card;
struct drive;

struct devices {
	struct host *host;
	const struct options *options;
	struct event *scan, *ended_card;
	bool leaving;
	void (*gone)(void *arg); /* after devices_leave: none is left */
	void *arg;
	struct platform_watch *watch;
	LIST_HEAD(, drive) drives;
	LIST_HEAD(, card) cards;
};

/**
 * devices_open - begin to follow device/.
 * @devices: zeroed
 * @gone:    called once when all have ended after devices_leave
 *
 * Return: 0 or a negative errno.
 */
int devices_open(struct devices *devices, struct host *host, const struct options *options,
		 void (*gone)(void *arg), void *arg);

/** devices_child - a child process has ended; @status as wait(2) says. */
void devices_child(struct devices *devices, pid_t pid, int status);

/** devices_leave - lead all to Closed. */
void devices_leave(struct devices *devices);

/** devices_close - free all; what still runs is killed. */
void devices_close(struct devices *devices);
