#include "embedded/host/evtchn.h"

#include <errno.h>
#include <stdlib.h>
#include <xen/event_channel.h>

#include "embedded/host/handle.h"
#include "embedded/port.h"
#include "embedded/wire.h"

enum port_state { PORT_FREE, PORT_UNBOUND, PORT_INTERDOMAIN, PORT_VIRQ };

/* With state UNBOUND, remote_domid may bind to it. */
struct evtchn_port {
	enum port_state state;
	uint16_t remote_domid;
	uint16_t remote_port;  /* INTERDOMAIN */
	struct domain *remote; /* INTERDOMAIN */
	struct evtchn_handle *handle;
	uint32_t virq;  /* VIRQ */
	uint32_t holds; /* evtchn_get */
	bool given_up;  /* closed, but held */
};

struct evtchn_ports {
	struct evtchn_port port[SHARED_PORTS];
	uint16_t virq[NR_VIRQS]; /* the port that is bound to each, or 0 */
};

int evtchn_create(struct domain *domain)
{
	domain->ports = calloc(1, sizeof(*domain->ports));
	return domain->ports ? 0 : -ENOMEM;
}

static struct evtchn_port *port_find(struct domain *domain, uint32_t port)
{
	if (!port || port >= SHARED_PORTS || domain->ports->port[port].state == PORT_FREE)
		return NULL;
	return &domain->ports->port[port];
}

/* The lowest free port, as Xen gives them, with an incarnation of its own. */
static int port_take(struct domain *domain, struct evtchn_handle *handle, enum port_state state)
{
	struct evtchn_ports *ports = domain->ports;
	uint32_t port = 1;

	if (handle && !handle_has_room(handle))
		return -ENOSPC;
	while (port < SHARED_PORTS && ports->port[port].state != PORT_FREE)
		port++;
	if (port == SHARED_PORTS)
		return -ENOSPC;
	ports->port[port] = (struct evtchn_port){.state = state, .handle = handle};
	atomic_store(&domain->table->ports[port].link, 0);
	atomic_store(&domain->table->ports[port].owner, handle ? handle->id : 0);
	if (!++domain->host->generation)
		domain->host->generation = 1;
	port_open(&domain->table->ports[port], domain->host->generation, !handle);
	if (handle)
		handle->ports++;
	return (int)port;
}

/* An event arrived at a port. */
static void port_event(struct domain *domain, uint32_t port)
{
	struct shared_port *shared = &domain->table->ports[port];
	const struct evtchn_port *own = &domain->ports->port[port];
	uint32_t generation = port_generation(shared);

	if (port_raise(shared, generation) != PORT_DELIVER)
		return;
	if (own->handle)
		handle_send(own->handle, port);
	port_delivered(shared, generation);
}

/* Whoever sent through the other end is gone, perhaps with a token in hand. */
static void port_event_recover(struct domain *domain, uint32_t port)
{
	const struct evtchn_port *own = &domain->ports->port[port];

	if (port_recover(&domain->table->ports[port]) && own->handle)
		handle_send(own->handle, port);
}

static void port_free(struct domain *domain, uint32_t port)
{
	struct evtchn_port *own = &domain->ports->port[port];
	struct shared_port *shared = &domain->table->ports[port];

	atomic_store(&shared->link, 0);
	atomic_store(&shared->owner, 0);
	port_shut(shared);
	if (own->state == PORT_VIRQ)
		domain->ports->virq[own->virq] = 0;
	if (own->state == PORT_INTERDOMAIN) {
		struct evtchn_port *peer = &own->remote->ports->port[own->remote_port];

		atomic_store(&own->remote->table->ports[own->remote_port].link, 0);
		port_event_recover(own->remote, own->remote_port);
		peer->state = PORT_UNBOUND;
		peer->remote_domid = domain->domid;
		peer->remote = NULL;
	}
	own->state = PORT_FREE;
}

void evtchn_destroy(struct domain *domain)
{
	handles_close(domain);
	for (uint32_t port = 1; port < SHARED_PORTS; port++)
		if (port_find(domain, port))
			port_free(domain, port);
	free(domain->ports);
	domain->ports = NULL;
}

int evtchn_alloc_unbound(struct domain *domain, struct evtchn_handle *handle, uint16_t remote)
{
	int port = port_take(domain, handle, PORT_UNBOUND);

	if (port > 0)
		domain->ports->port[port].remote_domid = remote;
	return port;
}

static void link_set(struct domain *domain, uint32_t port, struct domain *remote,
		     uint32_t remote_port)
{
	struct evtchn_port *own = &domain->ports->port[port];
	struct shared_port *shared = &domain->table->ports[port];
	struct port_link link = {
		.domid = remote->domid,
		.port = (uint16_t)remote_port,
		.generation = port_generation(&remote->table->ports[remote_port]),
	};

	own->state = PORT_INTERDOMAIN;
	own->remote = remote;
	own->remote_domid = remote->domid;
	own->remote_port = (uint16_t)remote_port;
	atomic_store(&shared->peer, remote->serial);
	atomic_store(&shared->link, port_link_pack(link));
}

int evtchn_bind_interdomain(struct domain *domain, struct evtchn_handle *handle,
			    struct domain *remote, uint32_t remote_port)
{
	struct evtchn_port *peer = port_find(remote, remote_port);
	int port;

	if (!peer || peer->state != PORT_UNBOUND || peer->given_up ||
	    peer->remote_domid != domain->domid)
		return -EINVAL;
	port = port_take(domain, handle, PORT_UNBOUND);
	if (port < 0)
		return port;
	link_set(domain, (uint32_t)port, remote, remote_port);
	link_set(remote, remote_port, domain, (uint32_t)port);
	port_event(domain, (uint32_t)port);
	return port;
}

int evtchn_bind_virq(struct domain *domain, struct evtchn_handle *handle, uint32_t virq)
{
	int port;

	if (virq >= NR_VIRQS)
		return -EINVAL;
	if (domain->ports->virq[virq])
		return -EEXIST;
	port = port_take(domain, handle, PORT_VIRQ);
	if (port < 0)
		return port;
	domain->ports->port[port].virq = virq;
	domain->ports->virq[virq] = (uint16_t)port;
	return port;
}

int evtchn_adopt(struct domain *domain, struct evtchn_handle *handle, uint32_t port)
{
	struct evtchn_port *own = port_find(domain, port);
	struct shared_port *shared;

	if (!own || own->handle || own->given_up)
		return -EINVAL;
	if (!handle_has_room(handle))
		return -ENOSPC;
	own->handle = handle;
	handle->ports++;
	shared = &domain->table->ports[port];
	atomic_store(&shared->owner, handle->id);
	if (port_unmask(shared) == PORT_DELIVER) {
		handle_send(handle, port);
		port_delivered(shared, port_generation(shared));
	}
	return 0;
}

static void port_give_up(struct domain *domain, uint32_t port)
{
	struct evtchn_port *own = &domain->ports->port[port];

	if (own->handle)
		own->handle->ports--;
	own->handle = NULL;
	if (!own->holds) {
		port_free(domain, port);
		return;
	}
	own->given_up = true;
	port_mask(&domain->table->ports[port]);
	atomic_store(&domain->table->ports[port].owner, 0);
}

int evtchn_close(struct domain *domain, struct evtchn_handle *handle, uint32_t port)
{
	const struct evtchn_port *own;

	if (port >= SHARED_PORTS)
		return -EINVAL;
	own = port_find(domain, port);
	if (!own || own->given_up || own->handle != handle)
		return -ENOTCONN;
	port_give_up(domain, port);
	return 0;
}

void evtchn_close_all(struct domain *domain, struct evtchn_handle *handle)
{
	for (uint32_t port = 1; port < SHARED_PORTS && handle->ports; port++)
		if (port_find(domain, port) && domain->ports->port[port].handle == handle)
			port_give_up(domain, port);
}

int evtchn_get(struct domain *domain, uint32_t port)
{
	struct evtchn_port *own = port_find(domain, port);

	if (!own || !own->handle)
		return -EINVAL;
	own->holds++;
	return 0;
}

void evtchn_put(struct domain *domain, uint32_t port)
{
	struct evtchn_port *own = port_find(domain, port);

	if (!own || !own->holds)
		return;
	if (!--own->holds && own->given_up)
		port_free(domain, port);
}

void evtchn_send(struct domain *domain, uint32_t port)
{
	const struct evtchn_port *own = port_find(domain, port);

	if (own && own->state == PORT_INTERDOMAIN)
		port_event(own->remote, own->remote_port);
}

void evtchn_virq(struct domain *domain, uint32_t virq)
{
	if (virq < NR_VIRQS && domain->ports->virq[virq])
		port_event(domain, domain->ports->virq[virq]);
}

int evtchn_status(const struct domain *domain, uint32_t port, struct wire_evtchn_state *status)
{
	const struct evtchn_port *found;

	if (port >= SHARED_PORTS)
		return -EINVAL;
	found = &domain->ports->port[port];
	switch (found->state) {
	case PORT_UNBOUND:
		status->status = EVTCHNSTAT_unbound;
		status->domid = found->remote_domid;
		break;
	case PORT_INTERDOMAIN:
		status->status = EVTCHNSTAT_interdomain;
		status->domid = found->remote->domid;
		status->port = found->remote_port;
		break;
	case PORT_VIRQ:
		status->status = EVTCHNSTAT_virq;
		status->virq = found->virq;
		break;
	default:
		status->status = EVTCHNSTAT_closed;
		break;
	}
	return 0;
}
