/*
 * backing_internal.h - inside backing*.c: what is behind a disk that comes over NBD, and how its
 * parts go on.
 *
 * backing.c does one thing at a time: it starts the processes and waits between two tries.
 * backing_connector.c is the process that makes a connection, backing_qemu.c the qemu-nbd.
 */
#pragma once

#include "backend/block/backing.h"
#include "backend/supervisor/child.h"

/** Milliseconds between two tries: doubled from the one to the other. */
#define RETRY_MS     200u
#define RETRY_MAX_MS 2000u

/** A connection that is lost within so many milliseconds was none. */
#define SETTLED_MS 3000u

struct backing {
	struct event_base *base;
	const char *name, *user;
	bool sandboxed, read_only;
	char *params, *socket;
	struct source source;
	void (*moved)(void *arg);
	void (*connected)(void *arg, unsigned n, int fd);
	void (*away)(void *arg, const char *why);
	void *arg;
	enum backing_state state;
	char why[512];
	struct export_info info;
	struct event *step;    /* go on, now or after a pause */
	struct event *settled; /* the last connection has lasted */
	unsigned wanted;       /* a bit a connection */
	unsigned pause_ms;     /* before the next try */
	bool is_away;
	/* the connector that runs */
	struct child *connector;
	int report; /* our end of its socket, or -1 */
	int number; /* of the connection it makes, or -1: it asks about the export */
	/* the qemu-nbd */
	int listener, errors; /* -1: none */
	int below;            /* in this socket are the files that its image lies on, or -1 */
	struct child *qemu;
	bool used;       /* a connection to it was given away */
	bool ending;     /* it was told to end by us */
	bool held;       /* it says that another process has the image */
	unsigned locked; /* so often that was so */
	struct event *readable;
	char line[320];
	size_t length;
};

/** backing_step_soon - go on after the pause. */
void backing_step_soon(struct backing *backing);

/** backing_failed - while the server is asked: it is no use, and why. */
void backing_failed(struct backing *backing, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** backing_try_again - another try later, and a word about it the first time. */
void backing_try_again(struct backing *backing, const char *why);

/** backing_connector_start - let it make connection @number, or with -1 ask what the export is. */
int backing_connector_start(struct backing *backing, int number);
void backing_connector_stop(struct backing *backing);

/**
 * backing_listener_make - the socket of its qemu-nbd. It is ours, so whoever connects waits there
 * for the next qemu-nbd.
 */
int backing_listener_make(struct backing *backing);

/** backing_qemu_start - the next qemu-nbd. */
int backing_qemu_start(struct backing *backing);

/** backing_errors_close - hear no more of what the qemu-nbd says. */
void backing_errors_close(struct backing *backing);
