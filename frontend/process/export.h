/*
 * export.h - one disk of the guest, served by an nbdkit of its own.
 *
 * The blkfront lives in our plugin inside nbdkit, so a disk that fails takes nothing with it. Here
 * is only the child process, and the node data/nbd/DEV that says where it listens.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>
#include <xenstore.h>

struct export
{
	uint32_t device; /* such as 51712 */
	pid_t pid;       /* 0: not running */
	bool published;
	bool leaving; /* was told to end */
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/**
 * export_start - start nbdkit for device/vbd/DEVICE.
 * @export: zeroed but for .device
 *
 * Return: 0 or a negative errno after a message.
 */
int export_start(struct export *export);

/**
 * export_refresh - publish data/nbd/DEVICE while the device is Connected, and only then.
 * @state: of our own end, a XenbusState
 */
void export_refresh(struct export *export, struct xs_handle *xs, uint64_t state);

/** export_stop - tell nbdkit to end: the device is led to Closed. @kill: at once. */
void export_stop(struct export *export, bool kill);

/**
 * export_ended - nbdkit has ended: take back what was published. One that failed leaves its device
 * behind; its state is set to Closed then, so that the backend lets go.
 * @status: as wait(2) says
 */
void export_ended(struct export *export, struct xs_handle *xs, int status);
