/*
 * remote_internal.h - inside the NBD client: what commands (remote.c), connections
 * (remote_connection.c) and their recovery (remote_recovery.c) share.
 */
#pragma once

#include <libnbd.h>

#include "backend/block/remote.h"
#include "backend/block/unflushed.h"
#include "lib/log.h"

TAILQ_HEAD(commands, remote_command);

struct connection {
	struct remote *remote;
	unsigned number;
	struct nbd_handle *nbd; /* NULL: asked for */
	int fd; /* its socket's duplicate to poll, for libnbd closes its own at will */
	struct event *readable, *writable, *deadline;
	bool ready, leaving; /* the server has said that it shuts down */
	bool forgets;        /* it can flush, so it may lose what it has not flushed */
	unsigned running;
	struct commands commands; /* under way, in the order they were sent */
};

/** What is made good after a connection broke, and the flushes that nobody asked for. */
struct recovery {
	bool needed;   /* nothing else is sent before it is done */
	bool writing;  /* its write is under way, or has finished and was not looked at */
	bool stale;    /* that was of an attempt before */
	bool flushing; /* a flush of ours is waiting or under way */
	uint64_t entry;
	uint32_t done; /* bytes of it */
	int flush_rc;  /* what a flush of ours, or a write again, ended with: the guest's next one
			  tells */
	struct remote_command write, flush;
};

struct remote {
	struct event_base *base;
	const char *name;
	char export[REMOTE_EXPORT_MAX + 1];
	uint64_t size, length_max;
	uint32_t alignment;
	bool read_only, abandoned;
	struct unflushed unflushed;
	struct recovery recovery;
	void (*want)(void *arg, unsigned n, const char *why);
	void *arg;
	struct event *turn; /* something has finished outside of an event */
	struct event *patience;
	struct commands waiting, finished;
	LIST_HEAD(users, remote_user) users;
	struct log_limit limit;
	unsigned connections;
	struct connection connection[REMOTE_CONNECTIONS_MAX];
};

/* ---- remote.c ---- */

/** remote_send - put a command on a connection; it may finish at once. */
void remote_send(struct connection *connection, struct remote_command *command);

/** remote_finish - for remote_run to hand back. */
void remote_finish(struct remote *remote, struct remote_command *command, int rc);

/** remote_run - after anything has happened: connections, sending, handing back. */
void remote_run(struct remote *remote);

/* ---- remote_connection.c ---- */

/** connection_alive - may commands be sent on it, if it is ready? */
bool connection_alive(const struct connection *connection);

/** connection_pick - the ready one with the least to do, or NULL. */
struct connection *connection_pick(struct remote *remote);

/** connection_watch - wait for what libnbd waits for. */
void connection_watch(struct connection *connection);

/** connection_check - see what became of it. */
void connection_check(struct connection *connection);

/** connection_lost - close it, take its commands back and ask for another. */
void connection_lost(struct connection *connection, const char *why);

/** connection_close - without asking for another. */
void connection_close(struct connection *connection);

/* ---- remote_recovery.c ---- */

/** recovery_open - a client is new: what a worker before it was answered, no worker has copies of,
 * so it is flushed first. */
void recovery_open(struct remote *remote);

/** recovery_begin - a connection broke: all that was answered and not flushed is to be written
 * again, when nothing else is under way. */
void recovery_begin(struct remote *remote);

/** recovery_step - go on with it. Return: true while other commands have to wait. */
bool recovery_step(struct remote *remote);

/** recovery_is - is the command one of recovery's own, not a user's? */
bool recovery_is(const struct remote *remote, const struct remote_command *command);

/** recovery_lost - a command was on a connection that broke. Return: is it to be sent again? */
bool recovery_lost(struct remote *remote, const struct remote_command *command);

/** recovery_done - its command has finished. */
void recovery_done(struct remote *remote, struct remote_command *command);

/** recovery_admit - may the command be sent? It is noted if so. */
bool recovery_admit(struct remote *remote, struct remote_command *command);

/** recovery_note - a command of a user's has finished with command->rc, which may be changed. */
void recovery_note(struct remote *remote, struct remote_command *command);
