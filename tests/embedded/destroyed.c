/*
 * destroyed - what a domain's end does to another that shares pages and event channels with it.
 *
 *   destroyed COMMAND DOMID COMMAND DESTROY    agents of domain 0 and of DOMID; how to destroy
 * DOMID destroyed agent
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xengnttab.h>

#include "tests/embedded/agent.h"

#define PATIENCE 5000

static struct agent us = {.domid = 0}, them;

static void expect_at(int line, const char *what, int64_t got, int64_t wanted)
{
	if (got == wanted)
		return;
	printf("FAIL line %d: %s: %lld, not %lld\n", line, what, (long long)got, (long long)wanted);
	exit(EXIT_FAILURE);
}
#define expect(got, wanted) expect_at(__LINE__, #got, got, wanted)

static int map(struct agent *by, uint32_t domid, uint32_t ref)
{
	const struct agent_request request = {
		.op = AGENT_MAP, .a = domid, .b = 1, .c = PROT_READ, .list = {ref}};

	return agent_ask(by, &request);
}

static int copy_from(struct agent *by, uint32_t domid, uint32_t ref)
{
	const struct agent_segment segment = {
		.flags = GNTCOPY_source_gref, .length = 1, .from = {.ref = ref, .domid = domid}};
	struct agent_request request = {.op = AGENT_COPY, .a = 1};
	int rc;

	memcpy(request.list, &segment, sizeof(segment));
	rc = agent_ask(by, &request);
	return rc ? rc : (int)by->reply.list[0];
}

int main(int argc, char **argv)
{
	uint32_t theirs, mapped, ours, our_ref, port;

	if (argc == 2 && !strcmp(argv[1], "agent"))
		return agent_main();
	if (argc != 5)
		return 2;
	us.command = argv[1];
	them.domid = (uint32_t)strtoul(argv[2], NULL, 10);
	them.command = argv[3];
	expect(agent_start(&us), 0);
	expect(agent_start(&them), 0);

	/* We use a page of theirs; they use one of ours, and say so when they end. */
	expect(agent_do(&them, AGENT_SHARE, 0, 1, 1, 0), 0);
	theirs = them.reply.list[0];
	expect(agent_do(&them, AGENT_WRITE, them.reply.value, 0, 11, 0), 0);
	expect(map(&us, them.domid, theirs), 0);
	mapped = us.reply.value;
	expect(agent_do(&them, AGENT_BIND_UNBOUND, 0, 0, 0, 0), 0);
	port = them.reply.value;
	expect(agent_do(&us, AGENT_SHARE, them.domid, 1, 1, 0), 0);
	our_ref = us.reply.list[0];
	ours = us.reply.value;
	expect(agent_do(&us, AGENT_WRITE, ours, 0, 22, 0), 0);
	expect(agent_do(&them, AGENT_MAP_NOTIFY, 0, our_ref, 0, port), 0);
	expect(agent_do(&us, AGENT_BIND, them.domid, port, 0, 0), 0);
	port = us.reply.value;
	expect(agent_do(&us, AGENT_PENDING, PATIENCE, 0, 0, 0), 0);
	expect(agent_do(&us, AGENT_UNMASK, port, 0, 0, 0), 0);

	expect(system(argv[4]), 0); /* NOLINT(cert-env33-c) */

	expect(agent_do(&us, AGENT_PENDING, PATIENCE, 0, 0, 0), 0);
	expect(us.reply.value, port);
	expect(agent_do(&us, AGENT_READ, ours, 0, 0, 0), 0);
	expect(us.reply.value, 0);
	expect(agent_do(&us, AGENT_NOTIFY, port, 0, 0, 0), 0);
	expect(agent_do(&us, AGENT_BIND, them.domid, 1, 0, 0), -ESRCH);
	expect(agent_do(&us, AGENT_UNBIND, port, 0, 0, 0), 0);

	/* Their page stays while we have it, but is not granted any more. Ours is free. */
	expect(agent_do(&us, AGENT_READ, mapped, 0, 0, 0), 0);
	expect(us.reply.value, 11);
	expect(copy_from(&us, them.domid, theirs), GNTST_bad_domain);
	expect(map(&us, them.domid, theirs), -EINVAL);
	expect(agent_do(&us, AGENT_UNMAP, mapped, 0, 0, 0), 0);
	expect(agent_do(&us, AGENT_UNSHARE, ours, 0, 0, 0), 0);
	expect(agent_do(&us, AGENT_SHARE, 0, 1, 1, 0), 0);
	expect(us.reply.list[0], our_ref);

	/* A process of theirs that is still there hears errors, and does no harm. */
	expect(agent_do(&them, AGENT_NOTIFY, 1, 0, 0, 0), -ENOTCONN);
	expect(agent_do(&them, AGENT_BIND_UNBOUND, 0, 0, 0, 0), -EPIPE);
	agent_stop(&them);
	agent_stop(&us);
	return EXIT_SUCCESS;
}
