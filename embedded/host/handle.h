/*
 * handle.h - what a process hears of events through: Linux's /dev/xen/evtchn.
 *
 * A handle is a pair of stream sockets. One end is the process's: poll(2) and read(2) on it
 * work as on the device, it can be inherited and passed, and when its last copy is closed the
 * handle's ports are. Tokens (port numbers of four bytes) are sent into the other end, which the
 * daemon keeps and lends to whoever must notify. A pipe would do but for SIGPIPE.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "embedded/host/host.h"

struct evtchn_handle {
	LIST_ENTRY(evtchn_handle) next;
	struct host *host;
	struct domain *domain;
	uint64_t id;
	ino_t inode;        /* of the process's end: how evtchn_fdopen is recognised */
	int fd;             /* the end that tokens are sent into */
	struct event *gone; /* the process's end is closed */
	uint32_t ports;
	int32_t restricted; /* the only domid it may bind to, or -1 */
};

/**
 * handle_open - a new handle.
 * @end: set to the process's end; the caller passes it on and closes it
 * Return: the handle, or NULL with errno set.
 */
struct evtchn_handle *handle_open(struct domain *domain, int *end);

/** handle_close - close its ports, forget it, and free it. */
void handle_close(struct evtchn_handle *handle);

/** handles_close - the same with all handles of a domain. */
void handles_close(struct domain *domain);

/** handle_send - a token. It is lost when the process is gone, and only then: see handle_has_room.
 */
void handle_send(const struct evtchn_handle *handle, uint32_t port);

/** handle_has_room - can a token of one more port be sure to find room in the socket? */
bool handle_has_room(const struct evtchn_handle *handle);
