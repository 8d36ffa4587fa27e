/*
 * backing.h - what is behind a disk that comes over NBD, as the supervisor sees it.
 *
 * It asks the server once what the export is, gets each connection that the worker wants, again and
 * again until there is one, and runs the qemu-nbd of a disk that has one of ours. Nothing here
 * blocks: helper processes do it (connector.h, exporter.h).
 *
 * A qemu-nbd serves one connection of a worker only, then it is ended in order (SIGTERM: it writes
 * what it keeps), waited for, and started anew: so nothing that an earlier worker or connection had
 * asked for can reach the image after what the next one asks for.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/block/connector.h"
#include "backend/block/source.h"

struct backing;

enum backing_state {
	BACKING_ASKING, /* the server has not answered yet */
	BACKING_READY,
	BACKING_FAILED, /* see backing_why; close it and try again */
};

struct backing_options {
	struct event_base *base;
	const char *name; /* the disk's, for the log; outlives the backing */
	const char *user; /* for the helpers; NULL: the default */
	bool sandboxed;
	const char *params;
	const struct source *source; /* source_remote, parsed from params */
	bool read_only;
	const char *socket; /* the path of the Unix socket that a qemu-nbd of ours listens on */
	/** The state has become READY or FAILED; not called from backing_open. */
	void (*moved)(void *arg);
	/** Connection @n; @fd is the receiver's to close. */
	void (*connected)(void *arg, unsigned n, int fd);
	/** The server is away, and why; NULL: it is back. */
	void (*away)(void *arg, const char *why);
	void *arg;
};

/** backing_open - start asking. Return: 0, or a negative errno with words in @why. */
int backing_open(struct backing **backing, const struct backing_options *options, char *why,
		 size_t size);

enum backing_state backing_state(const struct backing *backing);

/** backing_why - what is wrong with one that failed. */
const char *backing_why(const struct backing *backing);

/** backing_info - what the export is, of one that is READY; checked. */
const struct export_info *backing_info(const struct backing *backing);

/** backing_connections - how many connections the worker may have. */
unsigned backing_connections(const struct backing *backing);

/** backing_export - the export's name for the handshake on a connection. */
const char *backing_export(const struct backing *backing);

/**
 * backing_want - the worker wants connection @n, of backing_connections.
 * @why: the one it had is lost, and why; empty for a first one
 */
void backing_want(struct backing *backing, unsigned n, const char *why);

/** backing_is_away - is there no way to its server, and that was said? */
bool backing_is_away(const struct backing *backing);

/** backing_unwant - the worker is gone. */
void backing_unwant(struct backing *backing);

/** backing_close - end all of its processes; NULL is allowed. */
void backing_close(struct backing *backing);
