/*
 * semantics - does this platform keep Xen's rules of grants and event channels?
 *
 *   semantics DOMID_A COMMAND_A DOMID_B COMMAND_B    run all tests; the commands start agents
 *   semantics agent                                  be one
 *
 * On Xen, in dom0 alone: semantics 0 'semantics agent' 0 'semantics agent'
 */
#include "tests/embedded/semantics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agent a, b;
static int failures;
static const char *test;

void expect_at(int line, const char *what, int64_t got, int64_t wanted)
{
	if (got == wanted)
		return;
	failures++;
	printf("FAIL %s (line %d): %s: %lld, not %lld\n", test, line, what, (long long)got,
	       (long long)wanted);
}
uint32_t share(struct agent *from, struct agent *to, uint32_t pages, bool writable, uint32_t *refs)
{
	expect(agent_do(from, AGENT_SHARE, to->domid, pages, writable, 0), 0);
	memcpy(refs, from->reply.list, pages * sizeof(refs[0]));
	return from->reply.value;
}

int map(struct agent *by, uint32_t domid, uint32_t pages, const uint32_t *refs, int prot)
{
	struct agent_request request = {
		.op = AGENT_MAP, .a = domid, .b = pages, .c = (uint32_t)prot};

	memcpy(request.list, refs, pages * sizeof(refs[0]));
	return agent_ask(by, &request);
}

int unmap(struct agent *by, uint32_t area)
{
	return agent_do(by, AGENT_UNMAP, area, 0, 0, 0);
}

int unshare(struct agent *by, uint32_t area)
{
	return agent_do(by, AGENT_UNSHARE, area, 0, 0, 0);
}

int poke(struct agent *by, uint32_t area, uint32_t offset, uint32_t byte)
{
	return agent_do(by, AGENT_WRITE, area, offset, byte, 0);
}

int peek(struct agent *by, uint32_t area, uint32_t offset)
{
	int rc = agent_do(by, AGENT_READ, area, offset, 0, 0);

	return rc ? rc : (int)by->reply.value;
}

int copy(struct agent *by, const struct agent_segment *segments, uint32_t count)
{
	struct agent_request request = {.op = AGENT_COPY, .a = count};

	memcpy(request.list, segments, count * sizeof(segments[0]));
	return agent_ask(by, &request);
}

int status(const struct agent *by, uint32_t segment)
{
	return (int)by->reply.list[segment];
}

int pending(struct agent *by, uint32_t wait)
{
	int rc = agent_do(by, AGENT_PENDING, wait, 0, 0, 0);

	return rc ? rc : (int)by->reply.value;
}

int do_port(struct agent *by, enum agent_op op, uint32_t port)
{
	return agent_do(by, op, port, 0, 0, 0);
}

void ports_connect(uint32_t *port_a, uint32_t *port_b)
{
	expect(agent_do(&a, AGENT_BIND_UNBOUND, b.domid, 0, 0, 0), 0);
	*port_a = a.reply.value;
	expect(agent_do(&b, AGENT_BIND, a.domid, *port_a, 0, 0), 0);
	*port_b = b.reply.value;
	expect(pending(&b, PATIENCE), *port_b);
	expect(do_port(&b, AGENT_UNMASK, *port_b), 0);
}

void ports_close(uint32_t port_a, uint32_t port_b)
{
	expect(do_port(&b, AGENT_UNBIND, port_b), 0);
	expect(do_port(&a, AGENT_UNBIND, port_a), 0);
}

void agent_restart(struct agent *agent)
{
	agent_stop(agent);
	expect(agent_start(agent), 0);
}

static const struct {
	const char *what;
	void (*run)(void);
} tests[] = {
	{"a writable page is mapped, seen by both sides, and unmapped as a whole", map_writable},
	{"a read-only mapping cannot be written to", map_readonly},
	{"a read-only grant can be read and copied from only", readonly_grant},
	{"a grant to another domain is refused", not_granted_to_us},
	{"references and domains that are none are refused, each by its status", no_such_grant},
	{"many pages are mapped side by side, or none", map_many},
	{"copies go in, out and across, each with its status", copy_both_ways},
	{"a copy that crosses a page, or is local, fails as a whole", copy_refused},
	{"a revoked grant is refused; one in use lives on", revoked},
	{"a page that its granter had mapped itself is revoked with its death", death_revokes},
	{"unmapping clears the byte and sends the event", unmap_notifies},
	{"so does the mapper's death", death_notifies},
	{"and the granter's", granter_death_notifies},
	{"unsharing sends the event", unshare_notifies},
	{"events are delivered once, masked when read, kept until unmasked", event_mask},
	{"a closed port leaves its peer to be bound to again", event_rebind},
	{"ports of others are refused", event_refused},
	{"closing a handle closes its ports", event_handle_close},
	{"a handle outlives itself in its descriptor", event_reopen},
	{"a virtual interrupt is bound once", event_virq},
	{"a restricted handle binds to one domain", event_restrict},
	{"no event is lost in a storm", event_storm},
};

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "agent"))
		return agent_main();
	if (argc != 5) {
		(void)fputs("usage: semantics DOMID COMMAND DOMID COMMAND | semantics agent\n",
			    stderr);
		return 2;
	}
	a.domid = (uint32_t)strtoul(argv[1], NULL, 10);
	a.command = argv[2];
	b.domid = (uint32_t)strtoul(argv[3], NULL, 10);
	b.command = argv[4];
	if (agent_start(&a) || agent_start(&b)) {
		perror("semantics: agents");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		int before = failures;

		test = tests[i].what;
		tests[i].run();
		if (failures == before)
			printf("ok   %s\n", test);
		(void)fflush(stdout);
	}
	agent_stop(&a);
	agent_stop(&b);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
