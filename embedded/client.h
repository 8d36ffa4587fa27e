/*
 * client.h - a library's connection to the host daemon (wire.h).
 */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "embedded/shared.h"
#include "lib/fdpass.h"

/** One connection; the daemon takes its end, or its process's, as the end of what was asked for on
 * it. */
struct client {
	int fd;               /* SOCK_SEQPACKET, close-on-exec; -1 when closed */
	pthread_mutex_t lock; /* one request at a time */
};

/** Descriptors that travel with a message. */
struct client_fds {
	int fd[FDPASS_MAX];
	size_t count;
};

/**
 * client_open - connect to the socket that $XSPLIT_EMBEDDED names.
 * Return: 0, -ENOENT (the variable is not set: no embedded host here), or what connect(2) says.
 */
int client_open(struct client *client);

/** client_close - forget the connection; one that is closed already does no harm. */
void client_close(struct client *client);

/**
 * client_call - send a request and wait for its reply.
 * @request, @reply: structs of wire.h, of exactly these sizes
 * @send:    descriptors to send along, still the caller's; or NULL
 * @receive: set to the descriptors of the reply, close-on-exec and now the caller's; or NULL when
 *           none are wanted (any that come are closed)
 *
 * Threads may call at once. Return: 0 or the reply's own negative errno; -EPIPE, -EPROTO or what
 * sendmsg(2) says when the daemon is gone.
 */
int client_call(struct client *client, const void *request, size_t request_size, void *reply,
		size_t reply_size, const struct client_fds *send, struct client_fds *receive);

/** What a library maps of a domain. */
struct client_domain {
	uint32_t domid;
	uint32_t serial;
	uint32_t frames;
	struct shared_table *table;
	int memory; /* descriptor; frame N is at N * FRAME_SIZE */
};

/**
 * client_domain_open - map a domain's table and take its memory's descriptor.
 * @domid: or DOMID_SELF
 * Return: 0, -ESRCH (no such domain), -ENOMEM, or what client_call() says.
 */
int client_domain_open(struct client *client, uint32_t domid, struct client_domain *domain);

/** client_domain_close - give both back. */
void client_domain_close(struct client_domain *domain);
