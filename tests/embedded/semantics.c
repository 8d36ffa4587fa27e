/*
 * semantics - does this platform keep Xen's rules of grants and event channels?
 *
 *   semantics DOMID_A COMMAND_A DOMID_B COMMAND_B    run all tests; the commands start agents
 *   semantics agent                                  be one
 *
 * On Xen, in dom0 alone: semantics 0 'semantics agent' 0 'semantics agent'
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xengnttab.h>

#include "tests/embedded/agent.h"

#define NOBODY   31000u /* a domid that no domain has */
#define NO_PORT  UINT32_MAX
#define MOMENT   20   /* ms to see that nothing comes */
#define PATIENCE 5000 /* ms for what must come */
#define READ     PROT_READ
#define BOTH     (PROT_READ | PROT_WRITE)
#define PAGE     4096u

static struct agent a, b;
static int failures;
static const char *test;

static void expect_at(int line, const char *what, int64_t got, int64_t wanted)
{
	if (got == wanted)
		return;
	failures++;
	printf("FAIL %s (line %d): %s: %lld, not %lld\n", test, line, what, (long long)got,
	       (long long)wanted);
}
#define expect(got, wanted) expect_at(__LINE__, #got, got, wanted)

/* --- what the tests are made of --- */

static uint32_t share(struct agent *from, struct agent *to, uint32_t pages, bool writable,
		      uint32_t *refs)
{
	expect(agent_do(from, AGENT_SHARE, to->domid, pages, writable, 0), 0);
	memcpy(refs, from->reply.list, pages * sizeof(refs[0]));
	return from->reply.value;
}

static int map(struct agent *by, uint32_t domid, uint32_t pages, const uint32_t *refs, int prot)
{
	struct agent_request request = {
		.op = AGENT_MAP, .a = domid, .b = pages, .c = (uint32_t)prot};

	memcpy(request.list, refs, pages * sizeof(refs[0]));
	return agent_ask(by, &request);
}

static int unmap(struct agent *by, uint32_t area)
{
	return agent_do(by, AGENT_UNMAP, area, 0, 0, 0);
}

static int unshare(struct agent *by, uint32_t area)
{
	return agent_do(by, AGENT_UNSHARE, area, 0, 0, 0);
}

static int poke(struct agent *by, uint32_t area, uint32_t offset, uint32_t byte)
{
	return agent_do(by, AGENT_WRITE, area, offset, byte, 0);
}

static int peek(struct agent *by, uint32_t area, uint32_t offset)
{
	int rc = agent_do(by, AGENT_READ, area, offset, 0, 0);

	return rc ? rc : (int)by->reply.value;
}

static int copy(struct agent *by, const struct agent_segment *segments, uint32_t count)
{
	struct agent_request request = {.op = AGENT_COPY, .a = count};

	memcpy(request.list, segments, count * sizeof(segments[0]));
	return agent_ask(by, &request);
}

static int status(const struct agent *by, uint32_t segment)
{
	return (int)by->reply.list[segment];
}

/* Return: the port that an event came on, or a negative errno. */
static int pending(struct agent *by, uint32_t wait)
{
	int rc = agent_do(by, AGENT_PENDING, wait, 0, 0, 0);

	return rc ? rc : (int)by->reply.value;
}

static int do_port(struct agent *by, enum agent_op op, uint32_t port)
{
	return agent_do(by, op, port, 0, 0, 0);
}

/* A port of a's and one of b's, connected and with nothing pending. */
static void connect(uint32_t *port_a, uint32_t *port_b)
{
	expect(agent_do(&a, AGENT_BIND_UNBOUND, b.domid, 0, 0, 0), 0);
	*port_a = a.reply.value;
	expect(agent_do(&b, AGENT_BIND, a.domid, *port_a, 0, 0), 0);
	*port_b = b.reply.value;
	expect(pending(&b, PATIENCE), *port_b);
	expect(do_port(&b, AGENT_UNMASK, *port_b), 0);
}

static void disconnect(uint32_t port_a, uint32_t port_b)
{
	expect(do_port(&b, AGENT_UNBIND, port_b), 0);
	expect(do_port(&a, AGENT_UNBIND, port_a), 0);
}

static void restart(struct agent *agent)
{
	agent_stop(agent);
	expect(agent_start(agent), 0);
}

/* --- grants --- */

static void map_writable(void)
{
	uint32_t ref, shared = share(&a, &b, 1, true, &ref), mapped;

	expect(poke(&a, shared, 5, 42), 0);
	expect(map(&b, a.domid, 1, &ref, BOTH), 0);
	mapped = b.reply.value;
	expect(peek(&b, mapped, 5), 42);
	expect(peek(&b, mapped, 6), 0);
	expect(poke(&b, mapped, 4095, 7), 0);
	expect(peek(&a, shared, 4095), 7);
	expect(agent_do(&b, AGENT_UNMAP, mapped, 2, 0, 0), -EINVAL);
	expect(unmap(&b, mapped), 0);
	expect(unshare(&a, shared), 0);
}

static void map_readonly(void)
{
	uint32_t ref, shared = share(&a, &b, 1, true, &ref), mapped;

	expect(map(&b, a.domid, 1, &ref, READ), 0);
	mapped = b.reply.value;
	expect(poke(&a, shared, 0, 9), 0);
	expect(peek(&b, mapped, 0), 9);
	expect(poke(&b, mapped, 0, 1), -EFAULT);
	expect(peek(&a, shared, 0), 9);
	expect(unmap(&b, mapped), 0);
	expect(unshare(&a, shared), 0);
}

static void readonly_grant(void)
{
	uint32_t ref, shared = share(&a, &b, 1, false, &ref);
	struct agent_segment into = {.flags = GNTCOPY_dest_gref, .length = 16};
	struct agent_segment from = {.flags = GNTCOPY_source_gref, .length = 16};

	into.to.ref = from.from.ref = ref;
	into.to.domid = from.from.domid = a.domid;
	expect(poke(&a, shared, 3, 33), 0);
	expect(map(&b, a.domid, 1, &ref, BOTH), -EINVAL);
	expect(copy(&b, &into, 1), 0);
	expect(status(&b, 0), GNTST_general_error);
	expect(copy(&b, &from, 1), 0);
	expect(status(&b, 0), GNTST_okay);
	expect(peek(&b, AGENT_OWN, 3), 33);
	expect(map(&b, a.domid, 1, &ref, READ), 0);
	expect(unmap(&b, b.reply.value), 0);
	expect(unshare(&a, shared), 0);
}

static void not_granted_to_us(void)
{
	struct agent other = {.domid = NOBODY};
	uint32_t ref, shared = share(&a, &other, 1, true, &ref);
	struct agent_segment from = {.flags = GNTCOPY_source_gref, .length = 16};

	from.from.ref = ref;
	from.from.domid = a.domid;
	expect(map(&b, a.domid, 1, &ref, READ), -EINVAL);
	expect(copy(&b, &from, 1), 0);
	expect(status(&b, 0), GNTST_general_error);
	expect(unshare(&a, shared), 0);
}

static void no_such_grant(void)
{
	uint32_t ref = 0x7fffffff;
	struct agent_segment from[2] = {
		{.flags = GNTCOPY_source_gref, .length = 16, .from = {.domid = a.domid}},
		{.flags = GNTCOPY_source_gref, .length = 16, .from = {.domid = NOBODY}},
	};

	from[0].from.ref = ref;
	expect(map(&b, a.domid, 1, &ref, READ), -EINVAL);
	expect(map(&b, NOBODY, 1, &ref, READ), -EINVAL);
	expect(copy(&b, from, 2), 0);
	expect(status(&b, 0), GNTST_bad_gntref);
	expect(status(&b, 1), GNTST_bad_domain);
}

static void map_many(void)
{
	struct agent_request request = {.op = AGENT_MAP_DOMAINS, .b = 16, .c = BOTH};
	uint32_t refs[16], shared = share(&a, &b, 16, true, refs), mapped;

	for (uint32_t i = 0; i < 16; i++)
		expect(poke(&a, shared, i * PAGE, i + 1), 0);
	expect(map(&b, a.domid, 16, refs, BOTH), 0);
	mapped = b.reply.value;
	for (uint32_t i = 0; i < 16; i++) {
		expect(peek(&b, mapped, i * PAGE), i + 1);
		request.list[i] = refs[15 - i];
		request.list[16 + i] = a.domid;
	}
	expect(unmap(&b, mapped), 0);

	expect(agent_ask(&b, &request), 0);
	mapped = b.reply.value;
	for (uint32_t i = 0; i < 16; i++)
		expect(peek(&b, mapped, i * PAGE), 16 - i);
	expect(unmap(&b, mapped), 0);

	refs[9] = 0x7fffffff;
	expect(map(&b, a.domid, 16, refs, BOTH), -EINVAL);
	expect(unshare(&a, shared), 0);
}

static void copy_both_ways(void)
{
	uint32_t refs[2], shared = share(&a, &b, 2, true, refs);
	struct agent_segment segments[] = {
		/* into the first page, one that fails, the second page from the first, and back */
		{GNTCOPY_dest_gref, 3, {0, 100, 0}, {refs[0], 4093, a.domid}},
		{GNTCOPY_source_gref, 8, {0x7fffffff, 0, a.domid}, {0, 200, 0}},
		{GNTCOPY_source_gref | GNTCOPY_dest_gref,
		 3,
		 {refs[0], 4093, a.domid},
		 {refs[1], 10, a.domid}},
		{GNTCOPY_source_gref, 3, {refs[1], 10, a.domid}, {0, 4095, 0}},
	};

	for (uint32_t i = 0; i < 3; i++)
		expect(poke(&b, AGENT_OWN, 100 + i, 61 + i), 0);
	expect(copy(&b, segments, 4), 0);
	expect(status(&b, 0), GNTST_okay);
	expect(status(&b, 1), GNTST_bad_gntref);
	expect(status(&b, 2), GNTST_okay);
	expect(status(&b, 3), GNTST_okay);
	for (uint32_t i = 0; i < 3; i++) {
		expect(peek(&a, shared, 4093 + i), 61 + i);
		expect(peek(&a, shared, PAGE + 10 + i), 61 + i);
		expect(peek(&b, AGENT_OWN, 4095 + i), 61 + i);
	}
	expect(peek(&a, shared, 4092), 0);
	expect(peek(&a, shared, PAGE + 13), 0);
	expect(unshare(&a, shared), 0);
}

static void copy_refused(void)
{
	uint32_t ref, shared = share(&a, &b, 1, true, &ref);
	struct agent_segment segments[] = {
		{GNTCOPY_dest_gref, 4, {0, 0, 0}, {ref, 0, a.domid}},
		{GNTCOPY_dest_gref, 4, {0, 0, 0}, {ref, 4093, a.domid}},
	};
	struct agent_segment local = {.flags = 0, .length = 4};
	struct agent_segment nothing = {GNTCOPY_source_gref, 0, {ref, 4096, a.domid}, {0, 0, 0}};

	expect(poke(&b, AGENT_OWN, 0, 99), 0);
	expect(copy(&b, segments, 2), -EINVAL);
	segments[1].flags = GNTCOPY_source_gref;
	segments[1].from.ref = ref;
	segments[1].from.domid = a.domid;
	segments[1].from.offset = 4093;
	expect(copy(&b, segments, 2), -EINVAL);
	expect(peek(&a, shared, 0), 0);
	expect(copy(&b, &local, 1), -EINVAL);
	expect(copy(&b, &nothing, 1), 0);
	expect(status(&b, 0), GNTST_okay);
	expect(unshare(&a, shared), 0);
}

static void revoked(void)
{
	uint32_t ref, other, shared = share(&a, &b, 1, true, &ref), mapped;
	struct agent_segment from = {GNTCOPY_source_gref, 1, {ref, 0, a.domid}, {0, 0, 0}};

	expect(unshare(&a, shared), 0);
	expect(map(&b, a.domid, 1, &ref, READ), -EINVAL);
	expect(copy(&b, &from, 1), 0);
	expect(status(&b, 0), GNTST_general_error);

	/* In use, it stays the user's until it is given back; nobody else gets page or number. */
	shared = share(&a, &b, 1, true, &ref);
	expect(map(&b, a.domid, 1, &ref, BOTH), 0);
	mapped = b.reply.value;
	expect(poke(&b, mapped, 0, 55), 0);
	expect(unshare(&a, shared), 0);
	shared = share(&a, &b, 1, true, &other);
	expect(other != ref, true);
	expect(poke(&a, shared, 0, 66), 0);
	expect(peek(&b, mapped, 0), 55);
	expect(unmap(&b, mapped), 0);
	expect(unshare(&a, shared), 0);
}

/* --- notifications --- */

static void unmap_notifies(void)
{
	uint32_t port_a, port_b, shared, ref;

	connect(&port_a, &port_b);
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
	disconnect(port_a, port_b);
}

static void death_notifies(void)
{
	uint32_t port_a, port_b, shared, ref;

	connect(&port_a, &port_b);
	shared = share(&a, &b, 1, true, &ref);
	expect(poke(&a, shared, 8, 1), 0);
	expect(agent_do(&b, AGENT_MAP_NOTIFY, a.domid, ref, 8, port_b), 0);
	expect(agent_do(&b, AGENT_DIE, 0, 0, 0, 0), -EPIPE);
	expect(pending(&a, PATIENCE), port_a);
	expect(peek(&a, shared, 8), 0);
	expect(do_port(&a, AGENT_UNMASK, port_a), 0);

	/* Its port is gone too, so another may bind; and its map, so the page can be revoked. */
	restart(&b);
	expect(agent_do(&b, AGENT_BIND, a.domid, port_a, 0, 0), 0);
	port_b = b.reply.value;
	expect(pending(&b, PATIENCE), port_b);
	expect(unshare(&a, shared), 0);
	expect(map(&b, a.domid, 1, &ref, READ), -EINVAL);
	disconnect(port_a, port_b);
}

static void granter_death_notifies(void)
{
	uint32_t port_a, port_b, ref, mapped;

	connect(&port_a, &port_b);
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
	restart(&a);
	expect(unmap(&b, mapped), 0);
	expect(do_port(&b, AGENT_UNBIND, port_b), 0);
}

static void unshare_notifies(void)
{
	uint32_t port_a, port_b;

	connect(&port_a, &port_b);
	expect(agent_do(&a, AGENT_SHARE_NOTIFY, b.domid, true, NO_PORT, port_a), 0);
	expect(unshare(&a, a.reply.value), 0);
	expect(pending(&b, PATIENCE), port_b);
	expect(do_port(&b, AGENT_UNMASK, port_b), 0);
	disconnect(port_a, port_b);
}

/* --- event channels --- */

static void event_mask(void)
{
	uint32_t port_a, port_b;

	connect(&port_a, &port_b);
	expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
	expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
	expect(pending(&b, PATIENCE), port_b);
	/* The second one is kept while the port is masked, and comes once. */
	expect(pending(&b, MOMENT), -EAGAIN);
	expect(do_port(&b, AGENT_UNMASK, port_b), 0);
	expect(pending(&b, PATIENCE), port_b);
	expect(do_port(&b, AGENT_UNMASK, port_b), 0);
	expect(pending(&b, MOMENT), -EAGAIN);
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
	disconnect(port_a, port_b);
}

static void event_rebind(void)
{
	uint32_t port_a, port_b;

	connect(&port_a, &port_b);
	expect(do_port(&b, AGENT_UNBIND, port_b), 0);
	expect(pending(&a, MOMENT), -EAGAIN);
	expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
	expect(agent_do(&b, AGENT_BIND, a.domid, port_a, 0, 0), 0);
	port_b = b.reply.value;
	expect(pending(&b, PATIENCE), port_b);
	expect(agent_do(&b, AGENT_BIND, a.domid, port_a, 0, 0), -EINVAL);
	expect(do_port(&b, AGENT_NOTIFY, port_b), 0);
	expect(pending(&a, PATIENCE), port_a);
	disconnect(port_a, port_b);
}

static void event_refused(void)
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

static void event_handle_close(void)
{
	uint32_t port_a, port_b;

	expect(agent_do(&b, AGENT_HANDLE, 1, 0, 0, 0), 0);
	connect(&port_a, &port_b);
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
	disconnect(port_a, port_b);
}

static void event_reopen(void)
{
	uint32_t port_a, port_b;

	connect(&port_a, &port_b);
	expect(do_port(&b, AGENT_REOPEN, 0), 0);
	expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
	expect(pending(&b, PATIENCE), port_b);
	expect(do_port(&a, AGENT_NOTIFY, port_a), 0);
	expect(do_port(&b, AGENT_UNMASK, port_b), 0);
	expect(pending(&b, PATIENCE), port_b);
	expect(do_port(&b, AGENT_NOTIFY, port_b), 0);
	expect(pending(&a, PATIENCE), port_a);
	disconnect(port_a, port_b);
}

static void event_virq(void)
{
	int first;

	if (a.domid)
		return;
	first = do_port(&a, AGENT_BIND_VIRQ, 3 /* VIRQ_DOM_EXC */);
	expect(first == 0 || first == -EEXIST, true);
	if (!first)
		expect(do_port(&a, AGENT_BIND_VIRQ, 3), -EEXIST);
	expect(do_port(&a, AGENT_BIND_VIRQ, 99), -EINVAL);
	restart(&a);
}

static void event_restrict(void)
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
static void event_storm(void)
{
	struct agent_request request = {.op = AGENT_STORM, .b = 20000};
	uint32_t port_a, port_b;
	int seen = 0;

	connect(&port_a, &port_b);
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
	disconnect(port_a, port_b);
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
