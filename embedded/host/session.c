#include "embedded/host/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "embedded/host/domain.h"
#include "embedded/host/grant.h"
#include "lib/log.h"

/** Connections that a domain's processes may have, all together. */
#define SESSIONS_MAX 4096u

static const struct operation *const tables[] = {
	memory_operations,
	grant_operations,
	evtchn_operations,
	domain_operations,
};

static const struct operation *operation_find(const void *request, size_t size)
{
	uint32_t opcode;

	if (size < sizeof(opcode))
		return NULL;
	memcpy(&opcode, request, sizeof(opcode));
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct operation *o = tables[i]; o->opcode; o++)
			if (o->opcode == opcode)
				return o->request_size == size ? o : NULL;
	return NULL;
}

/* Return: 0, or a negative errno when the connection is of no more use. */
static int operation_run(struct session *session, const struct operation *operation,
			 const void *request, const int *in, size_t in_count)
{
	struct session_fds fds = {.in = in, .in_count = in_count};
	_Alignas(8) char reply[WIRE_MESSAGE_MAX] = {0};
	int32_t rc;
	int sent;

	if (operation->dom0_only && session->domain->domid)
		rc = -EPERM;
	else
		rc = operation->run(session, request, reply, &fds);
	if (rc < 0) {
		memset(reply, 0, operation->reply_size);
		fds.out_count = 0;
	}
	memcpy(reply, &rc, sizeof(rc));
	sent = fdpass_send(session->fd, reply, operation->reply_size, fds.out, fds.out_count);
	for (size_t i = 0; i < fds.out_count; i++)
		if (fds.given & 1u << i)
			close(fds.out[i]);
	return sent;
}

/* Of what any process can cause, so none can flood the log. */
static bool may_log(struct host *host)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return log_allowed(&host->limit,
			   (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

static void on_request(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;
	_Alignas(8) char request[WIRE_MESSAGE_MAX];
	int fds[FDPASS_MAX];
	size_t size, count;
	const struct operation *operation;
	int rc;

	rc = fdpass_receive_any(session->fd, request, sizeof(request), &size, fds, &count);
	if (rc == -EAGAIN)
		return;
	if (rc == -EPIPE || rc == -ECONNRESET)
		goto close;
	if (!rc) {
		operation = operation_find(request, size);
		rc = operation ? operation_run(session, operation, request, fds, count) : -EPROTO;
		while (count)
			close(fds[--count]);
	}
	if (!rc)
		return;
	if (may_log(session->host))
		log_warn("dom%u: process %d: connection closed: %s", session->domain->domid,
			 (int)session->pid, strerror(-rc));
close:
	session_close(session);
}

/* A child that inherited the connection keeps it open, and may still ask; what the process itself
 * had mapped is gone with it all the same. */
static void on_death(evutil_socket_t fd, short what, void *arg)
{
	grant_session_end(arg);
}

static void death_watch(struct session *session)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(session->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.pid <= 0)
		return;
	session->pid = peer.pid;
	session->pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	if (session->pidfd < 0)
		return;
	session->death = event_new(session->host->base, session->pidfd, EV_READ, on_death, session);
	if (session->death)
		event_add(session->death, NULL);
}

void session_accept(struct domain *domain, int fd)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session) {
		close(fd);
		return;
	}
	session->host = domain->host;
	session->domain = domain;
	session->fd = fd;
	session->pidfd = -1;
	LIST_INSERT_HEAD(&session->host->sessions, session, next);
	session->request =
		event_new(session->host->base, fd, EV_READ | EV_PERSIST, on_request, session);
	if (!session->request || event_add(session->request, NULL)) {
		session_close(session);
		return;
	}
	death_watch(session);
}

void session_close(struct session *session)
{
	LIST_REMOVE(session, next);
	if (session->request)
		event_free(session->request);
	if (session->death)
		event_free(session->death);
	if (session->pidfd >= 0)
		close(session->pidfd);
	grant_session_end(session);
	close(session->fd);
	free(session);
}

static unsigned int sessions_of(const struct domain *domain)
{
	const struct session *session;
	unsigned int count = 0;

	LIST_FOREACH (session, &domain->host->sessions, next)
		count += session->domain == domain;
	return count;
}

/* Out of descriptors, the one kept for that takes the connection in order to end it: left in the
 * queue, it would wake us for ever. */
static void connection_refuse(struct host *host, int listener)
{
	close(host->reserve);
	host->reserve = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (host->reserve >= 0)
		close(host->reserve);
	host->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_connect(evutil_socket_t listener, short what, void *arg)
{
	struct domain *domain = arg;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
		if (may_log(domain->host))
			log_error("dom%u: a process is turned away: too many open files; raise the "
				  "limit (ulimit -n)",
				  domain->domid);
		connection_refuse(domain->host, listener);
	} else if (fd >= 0 && sessions_of(domain) >= SESSIONS_MAX) {
		if (may_log(domain->host))
			log_warn("dom%u: a process is turned away: there are %u already",
				 domain->domid, SESSIONS_MAX);
		close(fd);
	} else if (fd >= 0) {
		session_accept(domain, fd);
	}
}

static int socket_path(const struct domain *domain, struct sockaddr_un *address)
{
	size_t room = sizeof(address->sun_path);
	int n = snprintf(address->sun_path, room, "%s/dom%u", domain->host->dir, domain->domid);

	address->sun_family = AF_UNIX;
	if (n < 0 || (size_t)n >= room)
		return -ENAMETOOLONG;
	if (mkdir(address->sun_path, 0755) && errno != EEXIST)
		return -errno;
	room -= (size_t)n;
	n = snprintf(address->sun_path + n, room, "/host");
	return n < 0 || (size_t)n >= room ? -ENAMETOOLONG : 0;
}

int host_domain_socket(struct domain *domain)
{
	struct sockaddr_un address;
	int rc;

	rc = socket_path(domain, &address);
	if (rc)
		return rc;
	domain->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (domain->listener < 0)
		return -errno;
	(void)unlink(address.sun_path);
	if (bind(domain->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(domain->listener, SOMAXCONN)) {
		rc = -errno;
		goto out;
	}
	rc = -ENOMEM;
	domain->accept = event_new(domain->host->base, domain->listener, EV_READ | EV_PERSIST,
				   on_connect, domain);
	if (!domain->accept || event_add(domain->accept, NULL))
		goto out;
	return 0;

out:
	if (domain->accept)
		event_free(domain->accept);
	close(domain->listener);
	return rc;
}

void host_domain_socket_close(struct domain *domain)
{
	struct sockaddr_un address;
	struct session *session, *after;

	event_free(domain->accept);
	close(domain->listener);
	if (!socket_path(domain, &address))
		(void)unlink(address.sun_path);
	for (session = LIST_FIRST(&domain->host->sessions); session; session = after) {
		after = LIST_NEXT(session, next);
		if (session->domain == domain)
			session_close(session);
	}
}
