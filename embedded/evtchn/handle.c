/* xenevtchn_open and friends: a handle, which lives as long as the last copy of its descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "embedded/evtchn/evtchn.h"
#include "embedded/wire.h"

int evtchn_fail(int rc)
{
	errno = -rc;
	return -1;
}

static int handle_register(xenevtchn_handle *xce, int fd)
{
	struct wire_plain request = {.opcode = WIRE_EVTCHN_OPEN};
	struct client_fds send = {.fd = {fd}, .count = 1}, fds;
	struct wire_evtchn_opened reply;
	int rc;

	rc = client_call(&xce->client, &request, sizeof(request), &reply, sizeof(reply),
			 fd < 0 ? NULL : &send, &fds);
	if (rc)
		return rc;
	if (fds.count != (fd < 0 ? 2 : 1)) {
		while (fds.count)
			close(fds.fd[--fds.count]);
		return -EPROTO;
	}
	xce->id = reply.handle;
	xce->own = fds.fd[0];
	xce->fd = fd < 0 ? fds.fd[1] : fd;
	return 0;
}

/* Who learns of a new peer must get in, however busy the others are notifying. */
static void lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

/* @fd: of a handle that exists, or -1. */
static xenevtchn_handle *handle_make(int fd)
{
	xenevtchn_handle *xce = calloc(1, sizeof(*xce));
	int rc = -ENOMEM;

	if (!xce)
		goto out;
	rc = client_open(&xce->client);
	if (rc)
		goto free;
	rc = client_domain_open(&xce->client, DOMID_SELF, &xce->domain);
	if (rc)
		goto client;
	rc = handle_register(xce, fd);
	if (rc)
		goto domain;
	lock_init(&xce->lock);
	return xce;

domain:
	client_domain_close(&xce->domain);
client:
	client_close(&xce->client);
free:
	free(xce);
out:
	errno = -rc;
	return NULL;
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	xenevtchn_handle *xce;

	if (flags & ~XENEVTCHN_NO_CLOEXEC) {
		errno = EINVAL;
		return NULL;
	}
	xce = handle_make(-1);
	if (xce && flags & XENEVTCHN_NO_CLOEXEC)
		(void)fcntl(xce->fd, F_SETFD, 0);
	return xce;
}

xenevtchn_handle *xenevtchn_fdopen(struct xentoollog_logger *logger, int fd, unsigned int flags)
{
	if (flags || fd < 0) {
		errno = flags ? EINVAL : EBADF;
		return NULL;
	}
	return handle_make(fd);
}

int xenevtchn_close(xenevtchn_handle *xce)
{
	if (!xce)
		return 0;
	for (evtchn_port_t port = 0; port < SHARED_PORTS; port++)
		if (xce->peers[port])
			evtchn_peer_drop(xce, port);
	close(xce->own);
	close(xce->fd);
	client_domain_close(&xce->domain);
	client_close(&xce->client);
	pthread_rwlock_destroy(&xce->lock);
	free(xce);
	return 0;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
	return xce->fd;
}

int xenevtchn_restrict(xenevtchn_handle *xce, domid_t domid)
{
	struct wire_evtchn request = {.opcode = WIRE_EVTCHN_RESTRICT, .value = domid};
	struct wire_result reply;
	int rc;

	rc = client_call(&xce->client, &request, sizeof(request), &reply, sizeof(reply), NULL,
			 NULL);
	return rc ? evtchn_fail(rc) : 0;
}
