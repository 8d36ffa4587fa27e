/*
 * remote.h - a disk that an NBD server has: the connections to it, and what is under way on them.
 *
 * One client a disk, for the engines of all its queues (engine_nbd.c). The worker cannot open a
 * socket: it asks for a connection by its number (want), and gets a connected descriptor
 * (remote_connected). Commands wait while there is no connection; those that were under way on one
 * that broke are sent again on another, in the order of their first sending. Nothing is dropped.
 *
 * A server that went away may also have lost what it had answered and not flushed. Copies of that
 * are kept (unflushed.h) and written again first, so its end is no more than a pause to the guest.
 * One that comes back and is not what the guest's disk is any more is not taken.
 *
 * Protocol: the NBD project's doc/proto.md, spoken by libnbd(3). TLS is somebody else's (see
 * docs/block.md): the descriptor leads to plain NBD.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "backend/block/engine.h"

/** The most connections of a disk. */
#define REMOTE_CONNECTIONS_MAX 4u

/** The longest name of an export, without its NUL. */
#define REMOTE_EXPORT_MAX 255u

struct remote;
struct remote_user;

/** A command under way; its owner keeps it until done is called. */
struct remote_command {
	struct remote_user *user;
	enum engine_op op;
	uint8_t *buffer;
	uint64_t offset;
	uint64_t length; /* bytes, at most what remote_length_max says */
	int rc;          /* at done: 0 or a negative errno */
	/* The remote's own. */
	struct connection *connection;
	uint64_t mark; /* of a flush: what it covers */
	TAILQ_ENTRY(remote_command) entry;
};

/** Who gives commands: an engine. */
struct remote_user {
	void (*done)(struct remote_command *command);
	void (*batch)(struct remote_user *user); /* after some calls of done */
	bool touched;
	LIST_ENTRY(remote_user) entry;
};

struct remote_options {
	struct event_base *base;
	const char *name;     /* of the disk, for the log; outlives the remote */
	const char *export;   /* its name at the server */
	uint64_t size;        /* bytes that the export has to have at least */
	uint32_t alignment;   /* of commands' offsets and lengths, bytes: a power of two */
	uint64_t length_max;  /* of a read or write that the server takes, bytes; 0: not known */
	bool read_only;       /* nothing will be written */
	unsigned connections; /* above 1 only if the server says multi-conn */
	/** Connection @n is missing: somebody has to call remote_connected. @why the last one was
	 * lost, or empty for the first. */
	void (*want)(void *arg, unsigned n, const char *why);
	void *arg;
};

/** remote_open - a client without connections; asks for them all. Return: 0 or -ENOMEM. */
int remote_open(struct remote **remote, const struct remote_options *options);

/**
 * remote_connected - a connection that was asked for.
 * @fd: a stream that leads to the NBD server, at its very beginning; taken over in any case
 *
 * Return: 0, or -EINVAL (@n was not asked for). One that comes to nothing, as its server refuses
 * the handshake or its export is not the disk any more, is a lost connection: it is logged and
 * another asked for.
 */
int remote_connected(struct remote *remote, unsigned n, int fd);

/** remote_ready - how many connections take commands now. */
unsigned remote_ready(const struct remote *remote);

/** remote_join, remote_leave - a user comes and goes; it leaves with nothing under way. */
void remote_join(struct remote *remote, struct remote_user *user);
void remote_leave(struct remote *remote, struct remote_user *user);

/** remote_length_max - the longest read or write that all servers take, bytes. */
uint64_t remote_length_max(const struct remote *remote);

/** remote_queue - a command, sent at the next remote_submit at the latest. */
void remote_queue(struct remote *remote, struct remote_command *command);

/** remote_submit - send what was queued, as far as there are connections. done is not called from
 * here. */
void remote_submit(struct remote *remote);

/**
 * remote_abandon - the disk is being closed: from now on a command that finds no connection, or
 * loses its own, or is not answered within ten seconds, fails with -ENOTCONN, for its frontend does
 * not wait for it any more.
 */
void remote_abandon(struct remote *remote);

/** remote_close - nothing may be under way; NULL is allowed. */
void remote_close(struct remote *remote);
