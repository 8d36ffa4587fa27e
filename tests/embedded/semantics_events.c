/* Notifications and event channels. */
#include <errno.h>
#include <unistd.h>

#include "tests/embedded/semantics.h"

/* --- notifications --- */

void unmap_notifies(void)
{
	uint32_t port_a, port_b, shared, ref;

	ports_connect(&port_a, &port_b);
	shared = share(&a, &b, 1, true, &ref);
	expect(poke(&a, shared, 8, 1), 0);
	expect(agent_do(&b, AGENT_MAP_NOTIFY, a.domid, ref, 8, 1u << 20), -EINVAL);
	expect(agent_do(&b, AGENT_MAP_NOTIFY, a.domid, ref, 8, port_b), 0);
	expect(pending(&a, MOMENT), -EAGAIN);
	expect(peek(&a, shared, 8), 1);
	expect(unmap(&b, b.reply.value), 0);
	expect(pending(&a, PATIENCE), port_a);
	expect(peek(&a, shared, 8), 0);
	expect(do_port(&a, AGENT_UNMASK, port_a), 0);
	expect(unshare(&a, shared), 0);
	ports_close(port_a, port_b);
}

void death_notifies(void)
{
	uint32_t port_a, port_b, shared, ref;

	ports_connect(&port_a, &port_b);
	shared = share(&a, &b, 1, true, &ref);
	expect(poke(&a, shared, 8, 1), 0);
	expect(agent_do(&b, AGENT_MAP_NOTIFY, a.domid, ref, 8, port_b), 0);
	expect(agent_do(&b, AGENT_DIE, 0, 0, 0, 0), -EPIPE);
	expect(pending(&a, PATIENCE), port_a);
	expect(peek(&a, shared, 8), 0);
	expect(do_port(&a, AGENT_UNMASK, port_a), 0);

	/* Its port is gone too, so another may bind; and its map, so the page can be revoked. */
	agent_restart(&b);
	expect(agent_do(&b, AGENT_BIND, a.domid, port_a, 0, 0), 0);
	port_b = b.reply.value;
	expect(pending(&b, PATIENCE), port_b);
	expect(unshare(&a, shared), 0);
	expect(map(&b, a.domid, 1, &ref, READ), -EINVAL);
	ports_close(port_a, port_b);
}

void granter_death_notifies(void)
{
	uint32_t port_a, port_b, ref, mapped;

	ports_connect(&port_a, &port_b);
	expect(agent_do(&a, AGENT_SHARE_NOTIFY, b.domid, true, 16, port_a), 0);
	ref = a.reply.list[0];
	expect(poke(&a, a.reply.value, 16, 3), 0);
	expect(map(&b, a.domid, 1, &ref, BOTH), 0);
	mapped = b.reply.value;
	expect(peek(&b, mapped, 16), 3);
	expect(poke(&b, mapped, 17, 4), 0);
	expect(agent_do(&a, AGENT_DIE, 0, 0, 0, 0), -EPIPE);
	expect(pending(&b, PATIENCE), port_b);
	expect(peek(&b, mapped, 16), 0);
	expect(peek(&b, mapped, 17), 4);
	agent_restart(&a);
	expect(unmap(&b, mapped), 0);
	expect(do_port(&b, AGENT_UNBIND, port_b), 0);
}

void unshare_notifies(void)
{
	uint32_t port_a, port_b;

	ports_connect(&port_a, &port_b);
	expect(agent_do(&a, AGENT_SHARE_NOTIFY, b.domid, true, NO_PORT, port_a), 0);
	expect(unshare(&a, a.reply.value), 0);
	expect(pending(&b, PATIENCE), port_b);
	expect(do_port(&b, AGENT_UNMASK, port_b), 0);
	ports_close(port_a, port_b);
}

/* --- event channels --- */

void event_mask(void)
{
	uint32_t port_a, port_b;

	ports_connect(&port_a, &port_b);
	expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
	expect(pending(&b, PATIENCE), port_b);
	expect(pending(&b, MOMENT), -EAGAIN);
	expect(do_port(&b, AGENT_UNMASK, port_b), 0);
	expect(pending(&b, MOMENT), -EAGAIN);

	/* While the port is masked they are kept, and come once. Not before: two that reach a busy
	 * domain together are one. */
	expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
	expect(pending(&b, PATIENCE), port_b);
	expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
	expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
	expect(pending(&b, MOMENT), -EAGAIN);
	expect(do_port(&b, AGENT_UNMASK, port_b), 0);
	expect(pending(&b, PATIENCE), port_b);
	expect(do_port(&b, AGENT_UNMASK, port_b), 0);
	expect(pending(&b, MOMENT), -EAGAIN);

	expect(do_port(&b, AGENT_NOTIFY, port_b), 0);
	expect(pending(&a, PATIENCE), port_a);
	expect(do_port(&a, AGENT_UNMASK, port_a), 0);
	ports_close(port_a, port_b);
}

void event_rebind(void)
{
	uint32_t port_a, port_b;

	ports_connect(&port_a, &port_b);
	expect(do_port(&b, AGENT_UNBIND, port_b), 0);
	expect(pending(&a, MOMENT), -EAGAIN);
	expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
	expect(agent_do(&b, AGENT_BIND, a.domid, port_a, 0, 0), 0);
	port_b = b.reply.value;
	expect(pending(&b, PATIENCE), port_b);
	expect(agent_do(&b, AGENT_BIND, a.domid, port_a, 0, 0), -EINVAL);
	expect(do_port(&b, AGENT_NOTIFY, port_b), 0);
	expect(pending(&a, PATIENCE), port_a);
	ports_close(port_a, port_b);
}

void event_refused(void)
{
	uint32_t port;

	expect(agent_do(&a, AGENT_BIND_UNBOUND, NOBODY, 0, 0, 0), 0);
	port = a.reply.value;
	expect(agent_do(&b, AGENT_BIND, a.domid, port, 0, 0), -EINVAL);
	expect(agent_do(&b, AGENT_BIND, a.domid, 1u << 30, 0, 0), -EINVAL);
	expect(agent_do(&b, AGENT_BIND, NOBODY, port, 0, 0), -ESRCH);
	expect(agent_do(&a, AGENT_HANDLE, 1, 0, 0, 0), 0);
	expect(do_port(&a, AGENT_NOTIFY, port), -ENOTCONN);
	expect(do_port(&a, AGENT_UNBIND, port), -ENOTCONN);
	expect(do_port(&a, AGENT_UNBIND, 1u << 30), -EINVAL);
	expect(do_port(&a, AGENT_UNMASK, port), 0);
	expect(do_port(&a, AGENT_CLOSE, 0), 0);
	expect(agent_do(&a, AGENT_HANDLE, 0, 0, 0, 0), 0);
	expect(do_port(&a, AGENT_UNBIND, port), 0);
	expect(do_port(&a, AGENT_UNBIND, port), -ENOTCONN);
}

void event_handle_close(void)
{
	uint32_t port_a, port_b;

	expect(agent_do(&b, AGENT_HANDLE, 1, 0, 0, 0), 0);
	ports_connect(&port_a, &port_b);
	expect(do_port(&b, AGENT_CLOSE, 0), 0);
	expect(agent_do(&b, AGENT_HANDLE, 0, 0, 0, 0), 0);
	/* The last copy of a descriptor may be closed a little later than close(2) returns. */
	for (int tries = 0; tries < 100; tries++) {
		if (!agent_do(&b, AGENT_BIND, a.domid, port_a, 0, 0))
			break;
		usleep(10000);
	}
	expect(b.reply.rc, 0);
	port_b = b.reply.value;
	expect(pending(&b, PATIENCE), port_b);
	ports_close(port_a, port_b);
}

void event_reopen(void)
{
	uint32_t port_a, port_b;

	ports_connect(&port_a, &port_b);
	expect(do_port(&b, AGENT_REOPEN, 0), 0);
	expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
	expect(pending(&b, PATIENCE), port_b);
	expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
	expect(do_port(&b, AGENT_UNMASK, port_b), 0);
	expect(pending(&b, PATIENCE), port_b);
	expect(do_port(&b, AGENT_NOTIFY, port_b), 0);
	expect(pending(&a, PATIENCE), port_a);
	ports_close(port_a, port_b);
}

void event_virq(void)
{
	int first;

	if (a.domid)
		return;
	first = do_port(&a, AGENT_BIND_VIRQ, 3 /* VIRQ_DOM_EXC */);
	expect(first == 0 || first == -EEXIST, true);
	if (!first)
		expect(do_port(&a, AGENT_BIND_VIRQ, 3), -EEXIST);
	expect(do_port(&a, AGENT_BIND_VIRQ, 99), -EINVAL);
	agent_restart(&a);
}

void event_restrict(void)
{
	uint32_t port;

	expect(agent_do(&a, AGENT_BIND_UNBOUND, b.domid, 0, 0, 0), 0);
	port = a.reply.value;
	expect(agent_do(&b, AGENT_HANDLE, 2, 0, 0, 0), 0);
	expect(do_port(&b, AGENT_RESTRICT, 0), -EINVAL);
	expect(do_port(&b, AGENT_RESTRICT, NOBODY), 0);
	expect(do_port(&b, AGENT_RESTRICT, NOBODY), -EACCES);
	expect(do_port(&b, AGENT_BIND_UNBOUND, a.domid), -EACCES);
	expect(do_port(&b, AGENT_BIND_VIRQ, 3), -EACCES);
	expect(agent_do(&b, AGENT_BIND, a.domid, port, 0, 0), -EACCES);
	expect(do_port(&b, AGENT_CLOSE, 0), 0);
	expect(agent_do(&b, AGENT_HANDLE, 0, 0, 0, 0), 0);
	expect(do_port(&a, AGENT_UNBIND, port), 0);
}

/* Two processes notify as fast as they can; however they meet with masking, the last one counts. */
void event_storm(void)
{
	struct agent_request request = {.op = AGENT_STORM, .b = 20000};
	uint32_t port_a, port_b;
	int seen = 0;

	ports_connect(&port_a, &port_b);
	request.a = port_a;
	for (int round = 0; round < 3; round++) {
		expect(agent_tell(&a, &request), 0);
		for (; pending(&b, 200) == (int)port_b; seen++)
			expect(do_port(&b, AGENT_UNMASK, port_b), 0);
		expect(agent_hear(&a), 0);
		while (pending(&b, MOMENT) == (int)port_b)
			expect(do_port(&b, AGENT_UNMASK, port_b), 0);
		expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
		expect(pending(&b, PATIENCE), port_b);
		expect(do_port(&b, AGENT_UNMASK, port_b), 0);
	}
	expect(seen > 0, true);
	ports_close(port_a, port_b);
}
