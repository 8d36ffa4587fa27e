/*
 * worker.h - the process that runs one guest's rings, unprivileged and in a sandbox.
 *
 * It has one libevent loop, one grant handle and one event channel handle, all opened before the
 * sandbox closes. A class gives it connect and disconnect; everything else it needs from outside,
 * it gets as descriptors with the connect request.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xengnttab.h>

#include "backend/worker/events.h"
#include "backend/worker/message.h"
#include "lib/log.h"

/** The longest name of a device in messages: "vbd 65535/4294967295". */
#define WORKER_NAME_SIZE 32

/** What the devices of a guest share; owned by the worker. */
struct worker {
	struct event_base *base;
	xengnttab_handle *gnttab;
	struct events *events;
	uint16_t domid; /* the guest's */
};

struct worker_class;

/** One connected device; a class puts it first into its own struct. */
struct worker_device {
	struct worker *worker;
	const struct worker_class *class;
	uint32_t devid;
	uint32_t serial;
	char name[WORKER_NAME_SIZE]; /* "vbd 5/51712", the start of each line in the log */
	struct log_limit limit;      /* for what the guest can make us log */
	char error[sizeof(((struct worker_report *)0)->text)]; /* see worker_fail */
	bool disconnecting;
	uint32_t change;            /* the one that worker_changed will answer, or 0 */
	struct worker_device *next; /* the worker's list */
};

/** A class of devices on the worker's side. */
struct worker_class {
	const char *name; /* "vbd" */
	size_t size;      /* bytes of the class's struct, zeroed before connect */

	/**
	 * connect - map the rings, bind the event channels, start the queues in worker->base.
	 * @payload: WORKER_PAYLOAD_SIZE bytes, what the supervisor's half of the class wrote;
	 *           only valid during the call
	 * @fds:     @count descriptors, close-on-exec; the class owns them when it returns 0,
	 *           the worker closes them when it returns an error
	 *
	 * The numbers were checked by the supervisor's half, but the guest can still make each
	 * map and bind fail.
	 *
	 * Return: 0, or a negative errno after worker_fail has said why; nothing is left behind.
	 */
	int (*connect)(struct worker_device *dev, const void *payload, const int *fds,
		       size_t count);

	/**
	 * disconnect - take no more from the rings; when the last I/O is finished, unbind, unmap,
	 * close, and then call worker_disconnected once, from here or later from the loop.
	 * The guest's rings may be garbage by now: touch them only as far as running did.
	 */
	void (*disconnect)(struct worker_device *dev);

	/**
	 * change - do something to a running device, all of it or nothing; NULL: the class has
	 * nothing that can change. The arguments are as for connect.
	 *
	 * Return: 0 (done); -EINPROGRESS (worker_changed will be called once, from the loop, unless
	 * the device is disconnected before; no other such change is accepted until then); or a
	 * negative errno after worker_fail has said why. The class owns the descriptors with 0 and
	 * -EINPROGRESS.
	 */
	int (*change)(struct worker_device *dev, const void *payload, const int *fds, size_t count);
};

/** worker_disconnected - the device holds nothing any more; frees @dev. */
void worker_disconnected(struct worker_device *dev);

/** worker_changed - how the change ended that was -EINPROGRESS; worker_fail first if @rc is not 0.
 */
void worker_changed(struct worker_device *dev, int rc);

/**
 * worker_fail - say why connect or change is going to return @rc: what is wrong and the remedy,
 * without the device's name. It ends up in the log and in the device's error node.
 *
 * Return: @rc, for "return worker_fail(dev, rc, ...)".
 */
int worker_fail(struct worker_device *dev, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * worker_error - a running device had to stop a ring (the guest's protocol violation, or storage
 * or network that is gone). Call it once for each stopped ring: the supervisor writes it to the log
 * and to the device's error node.
 */
void worker_error(struct worker_device *dev, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * worker_want - ask the supervisor's half of the class for something.
 * @what: the class's own number
 * @why:  words for it
 */
void worker_want(struct worker_device *dev, uint32_t what, const char *why);

/**
 * worker_trouble - a running device cannot go on now, which may pass: the supervisor writes it to
 * the log and to the device's error node, until worker_recovered takes it back.
 */
void worker_trouble(struct worker_device *dev, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** worker_recovered - how it has passed, in words. */
void worker_recovered(struct worker_device *dev, const char *how);

/**
 * worker_main - be the worker of a guest until the supervisor closes @socket.
 * @socket:  SOCK_SEQPACKET to the supervisor; taken over
 * @network: the descriptor after it, open or not: the network to be in, see sandbox_enter; taken
 * over
 * @user:    whom to become when root: a user's name or number; NULL for nobody
 * @sandboxed: false leaves out chroot, user and seccomp (for debugging)
 *
 * Return: the process's exit status.
 */
int worker_main(int socket, int network, uint16_t domid, const char *user, bool sandboxed);
