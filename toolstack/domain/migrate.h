/*
 * migrate.h - a guest moves to another host.
 *
 * The sender runs a command, usually ssh, that starts "xsplit migrate-receive" there; what goes
 * over its standard input and output:
 *
 *   receiver                     sender
 *   "xsplit migrate 1"
 *                                the head of a saved domain (saved.h)
 *   "planned"
 *                                libxc's stream and the tail, while the guest runs;
 *                                the guest is suspended at the end
 *   "loaded"
 *                                lets go of the disks, writes their data out
 *                                "devices"
 *   makes the devices
 *   "ready"
 *                                "go"
 *   lets the guest run
 *   "running"
 *                                removes the guest here
 *
 * "failed WORDS" from the receiver at any point ends it. Before "go" the sender alone decides: when
 * anything goes wrong, the guest goes on here. After it the receiver does: it has the guest run,
 * exactly if it read "go" before anybody asked what became of it (migrate_settle); whoever asks
 * first and hears "absent" may be sure that it never did nor will. So never do two run, and never
 * none for longer than it takes to ask.
 *
 * One that ran there and has ended since is not "absent" but "ended": its disks have gone on
 * without the copy here. A host that started anew meanwhile has forgotten it, so with "absent" it
 * says for how long it is up; and another host than the one it was sent to would say "absent" of
 * any.
 *
 * One exception: a PVH or HVM guest with disks that are not our backend's (handover.h) takes itself
 * for restored when it goes on here after "devices", and Linux then panics, for Xen does not let it
 * register its vcpu_info again (xsplit-migrate(1)).
 */
#pragma once

#include <stdbool.h>

#include "toolstack/config/domain_config.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/save.h"
#include "toolstack/toolstack.h"

/** What record_busy() says meanwhile, at both ends. */
#define MIGRATE_BUSY "migrate"
#define RECEIVE_BUSY "receive"

/** At the sender: how far it is. At the receiver: whether it may let the domain run. */
#define MIGRATE_PHASE    RECORD_PATH "/migrating" /* "copy", "devices", "go" */
#define MIGRATE_INCOMING RECORD_PATH "/incoming"  /* "waiting", "go", "abort" */
#define MIGRATE_PAUSED   RECORD_PATH "/paused"    /* there: it is to stay paused */
/** At the sender, with "go": "SECONDS HOST", since this host's start and as the user wrote it. */
#define MIGRATE_SENT     RECORD_PATH "/sent"
/** At the receiver, by UUID: the last that came of it was let run here. */
#define MIGRATE_RECEIVED "/tool/xsplit/received/%s"

/**
 * How to reach the other host: "SHELL HOST xsplit migrate-receive", or HOST itself as a command
 * when the shell is "".
 */
struct migrate_way {
	const char *host;
	const char *shell; /* "ssh" */
	bool paused;       /* it is to stand still there until it is unpaused */
	bool debug;        /* print the config that is sent, as text, on standard error */
	struct save_as as;
};

/** What a migration took, in milliseconds. */
struct migrate_times {
	unsigned all;
	unsigned stopped; /* while the guest ran nowhere */
};

/**
 * migrate_send - move a domain to another host.
 * @live: false: suspend it first, then copy
 * @times: set on success
 * Return: 0, it runs there and is gone here; or a negative errno, it goes on here;
 * -EINPROGRESS: nobody knows yet whether it runs there; it is kept here, suspended.
 */
int migrate_send(struct toolstack *ts, uint16_t domid, const struct migrate_way *way, bool live,
		 struct migrate_times *times, struct fault *fault);

/**
 * migrate_settle - ask the other host what became of a domain of which nobody knows, and do what
 * follows: remove it here, or let it go on. Return: as migrate_send(), or -ESTALE: the host asked
 * cannot know that it never ran.
 */
int migrate_settle(struct toolstack *ts, uint16_t domid, const struct migrate_way *way,
		   struct fault *fault);

/**
 * migrate_receive - the other end, on two descriptors.
 * @paused: leave it paused
 */
int migrate_receive(struct toolstack *ts, int in, int out, bool paused, struct fault *fault);

enum migrate_fate {
	FATE_ABSENT,  /* it never ran here since this host's start, and never will */
	FATE_RUNNING, /* it runs here, or will */
	FATE_ENDED,   /* it ran here, and is gone */
};

/** migrate_ask - what became of a domain that was to come here, by its UUID. */
int migrate_ask(struct toolstack *ts, const uuid_t uuid, enum migrate_fate *fate,
		struct fault *fault);

/** migrate_fate_word - "absent", "running", "ended". */
const char *migrate_fate_word(enum migrate_fate fate);

/** migrate_uptime - seconds since this host's start. */
uint64_t migrate_uptime(void);

/** migrate_recover - whoever worked on it died, at either end. Return: 0 or a negative errno. */
int migrate_recover(struct toolstack *ts, uint16_t domid, struct fault *fault);

/** receive_recover - the receiver's half of it. */
int receive_recover(struct toolstack *ts, uint16_t domid, struct fault *fault);
