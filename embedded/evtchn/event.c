/*
 * xenevtchn_notify, _pending, _unmask: what happens on every event. No message but the token
 * itself; the daemon is asked only once for each new peer.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "embedded/evtchn/evtchn.h"
#include "embedded/wire.h"

struct shared_port *evtchn_mine(xenevtchn_handle *xce, evtchn_port_t port)
{
	struct shared_port *shared;

	if (!port || port >= SHARED_PORTS)
		return NULL;
	shared = &xce->domain.table->ports[port];
	return atomic_load(&shared->owner) == xce->id ? shared : NULL;
}

static void domain_drop(xenevtchn_handle *xce, struct evtchn_domain *domain)
{
	struct evtchn_domain **at = &xce->domains;

	if (--domain->users)
		return;
	while (*at != domain)
		at = &(*at)->next;
	*at = domain->next;
	client_domain_close(&domain->mapped);
	free(domain);
}

static int domain_take(xenevtchn_handle *xce, uint32_t domid, uint32_t serial,
		       struct evtchn_domain **taken)
{
	struct evtchn_domain *domain;
	int rc;

	for (domain = xce->domains; domain && domain->mapped.serial != serial;)
		domain = domain->next;
	if (!domain) {
		domain = calloc(1, sizeof(*domain));
		if (!domain)
			return -ENOMEM;
		rc = client_domain_open(&xce->client, domid, &domain->mapped);
		if (rc) {
			free(domain);
			return rc;
		}
		domain->next = xce->domains;
		xce->domains = domain;
	}
	domain->users++;
	*taken = domain;
	return 0;
}

void evtchn_peer_drop(xenevtchn_handle *xce, evtchn_port_t port)
{
	struct evtchn_peer *peer = xce->peers[port];

	xce->peers[port] = NULL;
	if (peer->fd >= 0)
		close(peer->fd);
	domain_drop(xce, peer->domain);
	free(peer);
}

static int owner_open(xenevtchn_handle *xce, uint64_t owner)
{
	struct wire_evtchn_peer request = {.opcode = WIRE_EVTCHN_PEER, .handle = owner};
	struct wire_result reply;
	struct client_fds fds;
	int rc;

	if (!owner)
		return -1;
	rc = client_call(&xce->client, &request, sizeof(request), &reply, sizeof(reply), NULL,
			 &fds);
	return rc || fds.count != 1 ? -1 : fds.fd[0];
}

/* Learn, under the write lock, who is at the other end of the port now. */
static int peer_learn(xenevtchn_handle *xce, evtchn_port_t port)
{
	struct shared_port *shared = &xce->domain.table->ports[port];
	uint64_t link = atomic_load(&shared->link);
	uint32_t serial = atomic_load(&shared->peer);
	struct port_link to = port_link_unpack(link);
	struct evtchn_peer *peer;
	int rc;

	if (xce->peers[port])
		evtchn_peer_drop(xce, port);
	if (!link || link != atomic_load(&shared->link))
		return -EAGAIN;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	rc = domain_take(xce, to.domid, serial, &peer->domain);
	if (rc) {
		free(peer);
		return rc;
	}
	peer->link = link;
	peer->owner = atomic_load(&peer->domain->mapped.table->ports[to.port].owner);
	peer->fd = owner_open(xce, peer->owner);
	xce->peers[port] = peer;
	return 0;
}

/* With the read lock held. */
static struct shared_port *peer_port(xenevtchn_handle *xce, evtchn_port_t port)
{
	const struct evtchn_peer *peer = xce->peers[port];

	return &peer->domain->mapped.table->ports[port_link_unpack(peer->link).port];
}

/*
 * The peer of a port, with the read lock held on success.
 * Return: 0, or -ENOENT when there is no peer (any more): an event is lost, as on Xen.
 */
static int peer_lock(xenevtchn_handle *xce, evtchn_port_t port, struct shared_port *shared)
{
	int rc;

	for (;;) {
		uint64_t link = atomic_load(&shared->link);

		if (!link)
			return -ENOENT;
		pthread_rwlock_rdlock(&xce->lock);
		if (xce->peers[port] && xce->peers[port]->link == link &&
		    xce->peers[port]->owner == atomic_load(&peer_port(xce, port)->owner))
			return 0;
		pthread_rwlock_unlock(&xce->lock);

		pthread_rwlock_wrlock(&xce->lock);
		rc = peer_learn(xce, port);
		pthread_rwlock_unlock(&xce->lock);
		if (rc && rc != -EAGAIN)
			return -ENOENT;
	}
}

static void token_send(int fd, uint32_t port)
{
	if (fd >= 0)
		(void)!send(fd, &port, sizeof(port), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Somebody took up the peer's port after we looked, so its event has somewhere to go now. */
static int peer_relearn(xenevtchn_handle *xce, evtchn_port_t port, struct shared_port *shared)
{
	uint64_t link = xce->peers[port]->link;

	pthread_rwlock_unlock(&xce->lock);
	if (peer_lock(xce, port, shared))
		return -ENOENT;
	if (xce->peers[port]->link == link)
		return 0;
	pthread_rwlock_unlock(&xce->lock);
	return -ENOENT;
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	struct shared_port *shared = evtchn_mine(xce, port);
	struct port_link to;

	if (!shared)
		return evtchn_fail(-ENOTCONN);
	if (peer_lock(xce, port, shared))
		return 0;
	to = port_link_unpack(xce->peers[port]->link);
	if (port_raise(peer_port(xce, port), to.generation) != PORT_DELIVER)
		goto out;
	if (atomic_load(&peer_port(xce, port)->owner) != xce->peers[port]->owner &&
	    peer_relearn(xce, port, shared))
		return 0;
	token_send(xce->peers[port]->fd, to.port);
	port_delivered(peer_port(xce, port), to.generation);
out:
	pthread_rwlock_unlock(&xce->lock);
	return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
	evtchn_port_t port;
	ssize_t n = read(xce->fd, &port, sizeof(port));

	if (n == (ssize_t)sizeof(port))
		return (xenevtchn_port_or_error_t)port;
	return n < 0 ? -1 : evtchn_fail(-EIO);
}

/* As the device does, a port that is not the handle's is passed over in silence. */
int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	struct shared_port *shared = evtchn_mine(xce, port);
	uint32_t generation;

	if (!shared)
		return 0;
	generation = port_generation(shared);
	if (port_unmask(shared) == PORT_DELIVER) {
		token_send(xce->own, port);
		port_delivered(shared, generation);
	}
	return 0;
}
