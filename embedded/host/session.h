/*
 * session.h - one connection of one process, and the table of what it may ask.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "embedded/host/host.h"
#include "embedded/wire.h"
#include "lib/fdpass.h"

struct domain;
struct grant_session;

struct session {
	LIST_ENTRY(session) next;
	struct host *host;
	struct domain *domain; /* that asks; never NULL */
	pid_t pid;             /* in our namespace; 0 when it is not visible here */
	int fd;
	int pidfd; /* -1 when there is none */
	struct event *request, *death;
	struct grant_session *grant;  /* grant.c; NULL until WIRE_GRANT_OPEN */
	struct evtchn_handle *handle; /* evtchn.c; NULL until WIRE_EVTCHN_OPEN */
};

/** The descriptors of a request and of its reply. */
struct session_fds {
	const int *in; /* closed after the operation: dup(2) what is to stay */
	size_t in_count;
	int out[FDPASS_MAX];
	size_t out_count;
	unsigned int given; /* bit N: out[N] is closed once sent; the others are lent */
};

/**
 * An operation: what the daemon does for an opcode.
 * run() gets @request of request_size bytes; @reply is zeroed, its rc is set from what run()
 * returns, and after a negative errno the rest of it and all out descriptors are left out. It must
 * not block.
 */
struct operation {
	uint32_t opcode;
	uint32_t request_size;
	uint32_t reply_size;
	bool dom0_only; /* others hear -EPERM */
	int (*run)(struct session *session, const void *request, void *reply,
		   struct session_fds *fds);
};

#define OPERATION(code, request, answer, privileged, function)                                   \
	{                                                                                        \
		.opcode = (code), .request_size = sizeof(request), .reply_size = sizeof(answer), \
		.dom0_only = (privileged), .run = (function),                                    \
	}

/* Each ends with an entry of opcode 0. A new module adds its table in session.c. */
extern const struct operation memory_operations[];
extern const struct operation grant_operations[];
extern const struct operation evtchn_operations[];
extern const struct operation domain_operations[];

/**
 * session_accept - take a connection that came on a domain's socket.
 * @fd: non-blocking; owned by the session from now on, also on failure
 */
void session_accept(struct domain *domain, int fd);

/** session_close - end it and everything that dies with its process's handle; frees it. */
void session_close(struct session *session);
