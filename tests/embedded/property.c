/*
 * property - many random operations by several processes of several domains against a model.
 *
 *   property SEED STEPS SECONDS DIR DOMID PAGES DOMID PAGES
 *   property agent
 *
 * DIR/domN/host are the sockets of domain 0 and of both other domains, which can grant so many
 * pages. SEED 0 takes one from the clock. It ends early when it has taken SECONDS.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/embedded/property.h"

#define HAMMERS  2u
#define LIFETIME 700u /* steps that an agent lives, on average */

struct lab lab;

static struct {
	const char *program, *dir;
	char command[AGENTS][512];
	struct agent hammer[HAMMERS];
	uint64_t seed;
} test;

uint32_t below(uint32_t n)
{
	lab.random ^= lab.random << 13;
	lab.random ^= lab.random >> 7;
	lab.random ^= lab.random << 17;
	return (uint32_t)(lab.random >> 32) % n;
}

void wrong(const char *what, int64_t got, int64_t wanted)
{
	printf("FAIL seed %llu, step %u: %s: %lld, not %lld\n", (unsigned long long)test.seed,
	       lab.step, what, (long long)got, (long long)wanted);
	exit(EXIT_FAILURE);
}

void must(const char *what, int64_t got, int64_t wanted)
{
	if (got != wanted)
		wrong(what, got, wanted);
}

/* The daemon learns of things in the order in which they happen. */
void barrier(void)
{
	struct agent *any = &lab.agent[0];

	must("barrier", agent_do(any, AGENT_BIND_UNBOUND, 0, 0, 0, 0), 0);
	must("barrier", agent_do(any, AGENT_UNBIND, any->reply.value, 0, 0, 0), 0);
}

static void start(struct agent *agent, uint32_t domain, char *command, size_t size)
{
	(void)snprintf(command, size, "XSPLIT_EMBEDDED=%s/dom%u/host exec %s agent", test.dir,
		       lab.domid[domain], test.program);
	agent->command = command;
	agent->domid = lab.domid[domain];
	must("start", agent_start(agent), 0);
	must("answer", agent_do(agent, AGENT_HANDLE, 0, 0, 0, 0), 0);
}

static void agent_begin(uint32_t agent)
{
	start(&lab.agent[agent], agent % DOMAINS, test.command[agent], sizeof(test.command[0]));
}

static void agent_kill(struct agent *agent)
{
	if (agent->pid > 0)
		(void)kill(agent->pid, SIGKILL);
	agent_stop(agent);
}

static void agent_dies(uint32_t agent)
{
	if (below(4))
		agent_kill(&lab.agent[agent]);
	else
		agent_stop(&lab.agent[agent]);
	grants_agent_died(agent);
	events_agent_died(agent);
	agent_begin(agent);
	barrier();
}

/* Kill the hammers wherever they just are, and let new ones work on other pages. */
static void hammers_change(void)
{
	static char command[HAMMERS][512];

	for (uint32_t i = 0; i < HAMMERS; i++)
		agent_kill(&test.hammer[i]);
	barrier();
	grants_unhammer();
	for (uint32_t i = 0; i < HAMMERS; i++) {
		struct agent_request request = {.op = AGENT_HAMMER, .b = UINT32_MAX};

		start(&test.hammer[i], 1 + i, command[i], sizeof(command[0]));
		request.a = grants_hammer(1 + i, request.list, 8);
		if (request.a)
			(void)agent_tell(&test.hammer[i], &request);
	}
}

static void step(void)
{
	uint32_t agent = below(AGENTS);

	if (!below(LIFETIME * 3))
		agent_dies(agent);
	else if (!below(LIFETIME))
		hammers_change();
	else if (below(3))
		grants_step(agent);
	else
		events_step(agent);
}

/* When all are gone, a domain can grant as many pages as it could in the beginning. */
static void nothing_left(uint32_t domain, uint32_t pages)
{
	struct agent agent = {.pid = 0};
	char command[512];
	uint32_t granted = 0;

	start(&agent, domain, command, sizeof(command));
	while (!agent_do(&agent, AGENT_SHARE, 0, AGENT_LIST, 1, 0))
		granted += AGENT_LIST;
	while (!agent_do(&agent, AGENT_SHARE, 0, 1, 1, 0))
		granted++;
	must("pages that can be granted", granted, pages);
	agent_stop(&agent);
}

int main(int argc, char **argv)
{
	time_t begun = time(NULL);
	uint32_t steps, seconds;

	if (argc == 2 && !strcmp(argv[1], "agent"))
		return agent_main();
	if (argc != 9)
		return 2;
	test.program = argv[0];
	test.seed = strtoull(argv[1], NULL, 10);
	if (!test.seed)
		test.seed = (uint64_t)begun * 1000003 + (uint64_t)getpid();
	lab.random = test.seed;
	steps = (uint32_t)strtoul(argv[2], NULL, 10);
	seconds = (uint32_t)strtoul(argv[3], NULL, 10);
	test.dir = argv[4];
	lab.domid[1] = (uint32_t)strtoul(argv[5], NULL, 10);
	lab.domid[2] = (uint32_t)strtoul(argv[7], NULL, 10);
	printf("seed %llu\n", (unsigned long long)test.seed);

	for (uint32_t i = 0; i < AGENTS; i++)
		agent_begin(i);
	while (lab.step < steps && time(NULL) - begun < (time_t)seconds) {
		lab.step++;
		step();
	}
	printf("%u operations in %lld s\n", lab.step, (long long)(time(NULL) - begun));
	must("all operations within the time", lab.step, steps);

	for (uint32_t i = 0; i < HAMMERS; i++)
		agent_kill(&test.hammer[i]);
	for (uint32_t i = 0; i < AGENTS; i++)
		agent_kill(&lab.agent[i]);
	agent_begin(0);
	barrier();
	nothing_left(1, (uint32_t)strtoul(argv[6], NULL, 10));
	nothing_left(2, (uint32_t)strtoul(argv[8], NULL, 10));
	agent_stop(&lab.agent[0]);
	return EXIT_SUCCESS;
}
