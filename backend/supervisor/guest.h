/*
 * guest.h - one guest as the supervisor sees it: its worker process and the socket to it.
 *
 * The worker is started with the guest's first connect request, by executing ourselves anew so that
 * it inherits nothing. When it dies, the next connect request starts another: at once when
 * somebody killed it, else after a rest that doubles with each death, so that a guest that knows
 * how to break its worker gets one try a second (and the memory's layout anew each time).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "backend/worker/message.h"

/** The descriptors on which a worker finds its socket to the supervisor and, when there is one, the
 * network that it is to be in. */
#define GUEST_WORKER_SOCKET  3
#define GUEST_WORKER_NETWORK 4

struct event_base;
struct guest;

/** Who is told what a worker says, and that it is gone. */
struct guest_handlers {
	void (*report)(void *arg, struct guest *guest, const struct worker_report *report);
	/**
	 * @how:   "was killed by signal 9", for messages
	 * @fault: it, or we for what it said; not somebody else with SIGKILL
	 */
	void (*died)(void *arg, struct guest *guest, const char *how, bool fault);
	void *arg;
};

/** What every worker is started with; outlives the guests. */
struct guest_options {
	struct event_base *base;
	struct guest_handlers handlers;
	struct event *turn; /* made active when a device was marked dirty outside of an event */
	const char *user;   /* NULL: the default */
	bool sandboxed;
	int network; /* of all workers, see sandbox_network(); negative: each makes its own */
};

/** guest_new - a guest without a worker. Return: NULL when out of memory. */
struct guest *guest_new(uint16_t domid, const struct guest_options *options);

/** guest_options - what its workers, and the helpers of its devices, are started with. */
const struct guest_options *guest_options(const struct guest *guest);

/** guest_domid - whose it is. */
uint16_t guest_domid(const struct guest *guest);

/**
 * guest_request - send a request, starting the worker if there is none.
 * @fds: stay the caller's
 *
 * Requests that the worker has not read wait, some thousands of them: more than a worker leaves
 * unread that is only slow or stopped.
 *
 * Return: 0, or a negative errno when no worker can be started. One that cannot take the request is
 * killed; its death is reported later, as any other.
 */
int guest_request(struct guest *guest, const struct worker_request *request, const int *fds,
		  size_t count);

/** guest_has_worker - is there a process? */
bool guest_has_worker(const struct guest *guest);

/** guest_resting - did a worker die so recently that the next one is not to be started yet? Then no
 * request is to be sent. */
bool guest_resting(const struct guest *guest);

/** guest_leaving - was guest_leave called? Then it takes no requests any more. */
bool guest_leaving(const struct guest *guest);

/** guest_reap - has the worker ended? Call it for each guest on SIGCHLD. */
void guest_reap(struct guest *guest);

/**
 * guest_leave - the guest is over: its worker ends by itself when it finds the socket closed.
 * @force: kill it.
 */
void guest_leave(struct guest *guest, bool force);

/** guest_wait - for the end of a worker that was told to end; not for ever. */
void guest_wait(struct guest *guest);

/** guest_free - the worker must be gone, or be told to go; as guest_wait, and frees it. */
void guest_free(struct guest *guest);
