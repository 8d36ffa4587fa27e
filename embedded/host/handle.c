#include "embedded/host/handle.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embedded/host/evtchn.h"
#include "embedded/host/session.h"
#include "embedded/port.h"

/** What the kernel reckons for a message of four bytes, rounded up (768 on x86-64). */
#define TOKEN_COST 1024u

/* Nothing comes this way but the end; what a process writes all the same is thrown away. */
static void on_gone(evutil_socket_t fd, short what, void *arg)
{
	char nothing[64];
	ssize_t n = recv(fd, nothing, sizeof(nothing), MSG_DONTWAIT);

	if (!n || (n < 0 && errno != EAGAIN))
		handle_close(arg);
}

/* Room for a token of every port: as much as the machine allows, at worst some 400. */
static void room_make(int fd)
{
	int size = SHARED_PORTS * TOKEN_COST;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

bool handle_has_room(const struct evtchn_handle *handle)
{
	int size, unread;
	socklen_t length = sizeof(size);

	if (getsockopt(handle->fd, SOL_SOCKET, SO_SNDBUF, &size, &length) ||
	    ioctl(handle->fd, SIOCOUTQ, &unread))
		return false;
	return (unsigned int)unread + (handle->ports + 1) * TOKEN_COST <= (unsigned int)size;
}

struct evtchn_handle *handle_open(struct domain *domain, int *end)
{
	struct evtchn_handle *handle = calloc(1, sizeof(*handle));
	struct stat stat;
	int pair[2];

	if (!handle)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		goto out;
	room_make(pair[0]);
	if (fstat(pair[1], &stat))
		goto sockets;
	handle->gone =
		event_new(domain->host->base, pair[0], EV_READ | EV_PERSIST, on_gone, handle);
	if (!handle->gone || event_add(handle->gone, NULL)) {
		errno = ENOMEM;
		goto event;
	}
	handle->host = domain->host;
	handle->domain = domain;
	handle->id = ++domain->host->handle;
	handle->inode = stat.st_ino;
	handle->fd = pair[0];
	handle->restricted = -1;
	LIST_INSERT_HEAD(&handle->host->handles, handle, next);
	*end = pair[1];
	return handle;

event:
	if (handle->gone)
		event_free(handle->gone);
sockets:
	close(pair[0]);
	close(pair[1]);
out:
	free(handle);
	return NULL;
}

void handle_close(struct evtchn_handle *handle)
{
	struct session *session;

	LIST_FOREACH (session, &handle->host->sessions, next)
		if (session->handle == handle)
			session->handle = NULL;
	LIST_REMOVE(handle, next);
	evtchn_close_all(handle->domain, handle);
	event_free(handle->gone);
	close(handle->fd);
	free(handle);
}

void handles_close(struct domain *domain)
{
	struct evtchn_handle *handle, *after;

	for (handle = LIST_FIRST(&domain->host->handles); handle; handle = after) {
		after = LIST_NEXT(handle, next);
		if (handle->domain == domain)
			handle_close(handle);
	}
}

void handle_send(const struct evtchn_handle *handle, uint32_t port)
{
	(void)!send(handle->fd, &port, sizeof(port), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static struct evtchn_handle *handle_find(struct host *host, uint64_t id)
{
	struct evtchn_handle *handle;

	LIST_FOREACH (handle, &host->handles, next)
		if (handle->id == id)
			return handle;
	return NULL;
}

static struct evtchn_handle *handle_find_end(struct domain *domain, int end)
{
	struct evtchn_handle *handle;
	struct stat stat;

	if (fstat(end, &stat) || !S_ISSOCK(stat.st_mode))
		return NULL;
	LIST_FOREACH (handle, &domain->host->handles, next)
		if (handle->inode == stat.st_ino && handle->domain == domain)
			return handle;
	return NULL;
}

static int run_open(struct session *session, const void *request, void *reply,
		    struct session_fds *fds)
{
	struct wire_evtchn_opened *opened = reply;
	struct evtchn_handle *handle;

	if (session->handle)
		return -EEXIST;
	if (fds->in_count) {
		handle = handle_find_end(session->domain, fds->in[0]);
		if (!handle)
			return -EBADF;
	} else {
		handle = handle_open(session->domain, &fds->out[1]);
		if (!handle)
			return -errno;
		fds->given = 1u << 1;
	}
	session->handle = handle;
	fds->out[0] = handle->fd;
	fds->out_count = fds->given ? 2 : 1;
	opened->domid = session->domain->domid;
	opened->handle = handle->id;
	return 0;
}

static int bound(struct wire_evtchn_bound *reply, int port)
{
	if (port < 0)
		return port;
	reply->port = (uint32_t)port;
	return 0;
}

/* A restricted handle may only bind to ports of its one domain (Linux's drivers/xen/evtchn.c). */
static int run_bind_unbound(struct session *session, const void *request, void *reply,
			    struct session_fds *fds)
{
	const struct wire_evtchn *bind = request;
	uint32_t remote = bind->value == DOMID_SELF ? session->domain->domid : bind->value;

	if (!session->handle)
		return -EBADF;
	if (session->handle->restricted >= 0)
		return -EACCES;
	if (remote > UINT16_MAX)
		return -EINVAL;
	return bound(reply,
		     evtchn_alloc_unbound(session->domain, session->handle, (uint16_t)remote));
}

static int run_bind_interdomain(struct session *session, const void *request, void *reply,
				struct session_fds *fds)
{
	const struct wire_evtchn_bind_interdomain *bind = request;
	struct domain *remote = domain_resolve(session->domain, bind->domid);

	if (!session->handle)
		return -EBADF;
	if (session->handle->restricted >= 0 &&
	    (uint32_t)session->handle->restricted != bind->domid)
		return -EACCES;
	if (!remote)
		return -ESRCH;
	return bound(reply,
		     evtchn_bind_interdomain(session->domain, session->handle, remote, bind->port));
}

static int run_bind_virq(struct session *session, const void *request, void *reply,
			 struct session_fds *fds)
{
	const struct wire_evtchn *bind = request;

	if (!session->handle)
		return -EBADF;
	if (session->handle->restricted >= 0)
		return -EACCES;
	return bound(reply, evtchn_bind_virq(session->domain, session->handle, bind->value));
}

static int run_adopt(struct session *session, const void *request, void *reply,
		     struct session_fds *fds)
{
	const struct wire_evtchn *adopt = request;
	int rc;

	if (!session->handle)
		return -EBADF;
	rc = evtchn_adopt(session->domain, session->handle, adopt->value);
	return bound(reply, rc ? rc : (int)adopt->value);
}

static int run_unbind(struct session *session, const void *request, void *reply,
		      struct session_fds *fds)
{
	const struct wire_evtchn *unbind = request;

	if (!session->handle)
		return -EBADF;
	return evtchn_close(session->domain, session->handle, unbind->value);
}

static int run_restrict(struct session *session, const void *request, void *reply,
			struct session_fds *fds)
{
	const struct wire_evtchn *restriction = request;

	if (!session->handle)
		return -EBADF;
	if (session->handle->restricted >= 0)
		return -EACCES;
	if (!restriction->value || restriction->value >= DOMID_FIRST_RESERVED)
		return -EINVAL;
	session->handle->restricted = (int32_t)restriction->value;
	return 0;
}

static int run_peer(struct session *session, const void *request, void *reply,
		    struct session_fds *fds)
{
	const struct wire_evtchn_peer *peer = request;
	const struct evtchn_handle *handle = handle_find(session->host, peer->handle);

	if (!handle)
		return -ENOENT;
	fds->out[0] = handle->fd;
	fds->out_count = 1;
	return 0;
}

static int run_alloc_unbound(struct session *session, const void *request, void *reply,
			     struct session_fds *fds)
{
	const struct wire_evtchn_alloc_unbound *alloc = request;
	struct domain *self = session->domain, *domain = domain_resolve(self, alloc->domid);
	uint32_t remote = alloc->remote == DOMID_SELF ? self->domid : alloc->remote;

	if (!domain)
		return -ESRCH;
	if (domain != self && self->domid)
		return -EPERM;
	if (remote > UINT16_MAX)
		return -EINVAL;
	return bound(reply, evtchn_alloc_unbound(domain, NULL, (uint16_t)remote));
}

const struct operation evtchn_operations[] = {
	OPERATION(WIRE_EVTCHN_OPEN, struct wire_plain, struct wire_evtchn_opened, false, run_open),
	OPERATION(WIRE_EVTCHN_BIND_UNBOUND, struct wire_evtchn, struct wire_evtchn_bound, false,
		  run_bind_unbound),
	OPERATION(WIRE_EVTCHN_BIND_INTERDOMAIN, struct wire_evtchn_bind_interdomain,
		  struct wire_evtchn_bound, false, run_bind_interdomain),
	OPERATION(WIRE_EVTCHN_BIND_VIRQ, struct wire_evtchn, struct wire_evtchn_bound, false,
		  run_bind_virq),
	OPERATION(WIRE_EVTCHN_ADOPT, struct wire_evtchn, struct wire_evtchn_bound, false,
		  run_adopt),
	OPERATION(WIRE_EVTCHN_UNBIND, struct wire_evtchn, struct wire_result, false, run_unbind),
	OPERATION(WIRE_EVTCHN_RESTRICT, struct wire_evtchn, struct wire_result, false,
		  run_restrict),
	OPERATION(WIRE_EVTCHN_PEER, struct wire_evtchn_peer, struct wire_result, false, run_peer),
	OPERATION(WIRE_EVTCHN_ALLOC_UNBOUND, struct wire_evtchn_alloc_unbound,
		  struct wire_evtchn_bound, false, run_alloc_unbound),
	{0},
};
