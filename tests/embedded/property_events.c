/* The model of event channels: ports, their peers, and the tokens that wait in each agent's handle.
 */
#include <errno.h>
#include <string.h>

#include "tests/embedded/property.h"

#define PORTS  64u
#define TOKENS 4096u

struct port {
	bool used, masked, pending;
	uint32_t agent, number;
	uint32_t remote; /* domid that may bind, while there is no peer */
	struct port *peer;
};

static struct {
	struct port port[PORTS];
	struct {
		uint32_t token[TOKENS], first, count;
	} queue[AGENTS];
} model;

static uint32_t domid_of(const struct port *port)
{
	return lab.agent[port->agent].domid;
}

static struct port *port_new(void)
{
	for (uint32_t i = 0; i < PORTS; i++)
		if (!model.port[i].used)
			return &model.port[i];
	return NULL;
}

static struct port *port_any(void)
{
	for (uint32_t tries = 0; tries < 64; tries++) {
		struct port *port = &model.port[below(PORTS)];

		if (port->used)
			return port;
	}
	return NULL;
}

static struct port *port_own(uint32_t agent)
{
	for (uint32_t tries = 0; tries < 64; tries++) {
		struct port *port = port_any();

		if (port && port->agent == agent)
			return port;
	}
	return NULL;
}

static bool number_used(uint32_t domid, uint32_t number)
{
	for (uint32_t i = 0; i < PORTS; i++)
		if (model.port[i].used && domid_of(&model.port[i]) == domid &&
		    model.port[i].number == number)
			return true;
	return false;
}

/* The lowest number that is free; in domain 0 others have some too. */
static void number_check(uint32_t domid, uint32_t number)
{
	if (number_used(domid, number))
		wrong("a port in use was given out", number, 0);
	for (uint32_t lower = 1; lower < number && domid; lower++)
		if (!number_used(domid, lower))
			wrong("not the lowest free port", number, lower);
}

static void deliver(const struct port *port)
{
	uint32_t end = model.queue[port->agent].first + model.queue[port->agent].count++;

	model.queue[port->agent].token[end % TOKENS] = port->number;
}

static void raise_event(struct port *port)
{
	if (port->masked) {
		port->pending = true;
		return;
	}
	port->masked = true;
	deliver(port);
}

static void port_close(struct port *port)
{
	if (port->peer) {
		port->peer->remote = domid_of(port);
		port->peer->peer = NULL;
	}
	port->used = false;
}

static struct port *port_add(uint32_t agent)
{
	struct port *port = port_new();
	uint32_t number = lab.agent[agent].reply.value;

	number_check(lab.agent[agent].domid, number);
	*port = (struct port){.used = true, .agent = agent, .number = number};
	return port;
}

static void bind_unbound(uint32_t agent)
{
	uint32_t remote = below(20) ? lab.domid[below(DOMAINS)] : NOBODY;

	if (!port_new())
		return;
	must("bind unbound", agent_do(&lab.agent[agent], AGENT_BIND_UNBOUND, remote, 0, 0, 0), 0);
	port_add(agent)->remote = remote;
}

static void bind(uint32_t agent)
{
	struct port *remote = port_any(), *port;
	bool allowed;

	if (!remote || !port_new())
		return;
	allowed = !remote->peer && remote->remote == lab.agent[agent].domid;
	must("bind",
	     agent_do(&lab.agent[agent], AGENT_BIND, domid_of(remote), remote->number, 0, 0),
	     allowed ? 0 : -EINVAL);
	if (!allowed)
		return;
	port = port_add(agent);
	port->peer = remote;
	remote->peer = port;
	raise_event(port);
}

static void unbind(uint32_t agent)
{
	struct port *port = port_any();
	bool own = port && port->agent == agent;

	if (!port || (!own && domid_of(port) != lab.agent[agent].domid))
		return;
	must("unbind", agent_do(&lab.agent[agent], AGENT_UNBIND, port->number, 0, 0, 0),
	     own ? 0 : -ENOTCONN);
	if (own)
		port_close(port);
}

static void notify(uint32_t agent)
{
	const struct port *port = port_own(agent);

	if (!port)
		return;
	must("notify", agent_do(&lab.agent[agent], AGENT_NOTIFY, port->number, 0, 0, 0), 0);
	if (port->peer)
		raise_event(port->peer);
}

static void unmask(uint32_t agent)
{
	struct port *port = port_own(agent);

	if (!port)
		return;
	must("unmask", agent_do(&lab.agent[agent], AGENT_UNMASK, port->number, 0, 0, 0), 0);
	if (!port->masked)
		return;
	port->masked = port->pending;
	port->pending = false;
	if (port->masked)
		deliver(port);
}

static void pending(uint32_t agent)
{
	bool some = model.queue[agent].count;

	must("pending", agent_do(&lab.agent[agent], AGENT_PENDING, 0, 0, 0, 0), some ? 0 : -EAGAIN);
	if (!some)
		return;
	must("pending port", lab.agent[agent].reply.value,
	     model.queue[agent].token[model.queue[agent].first++ % TOKENS]);
	model.queue[agent].count--;
}

void events_step(uint32_t agent)
{
	uint32_t n = below(100);

	if (n < 5)
		bind_unbound(agent);
	else if (n < 12)
		bind(agent);
	else if (n < 20)
		unbind(agent);
	else if (n < 50)
		notify(agent);
	else if (n < 70)
		unmask(agent);
	else if (model.queue[agent].count || n < 75)
		pending(agent);
}

void events_agent_died(uint32_t agent)
{
	for (uint32_t i = 0; i < PORTS; i++)
		if (model.port[i].used && model.port[i].agent == agent)
			port_close(&model.port[i]);
	model.queue[agent].first = model.queue[agent].count = 0;
}
