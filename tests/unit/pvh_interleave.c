/*
 * Random interleavings of everything that touches event channels, at every atomic access.
 *
 * Each vcpu and each actor is a coroutine of its own; the library and the hypervisor are built so
 * that any access to memory they share may hand over to another (PVH_INTERLEAVE). Senders count
 * before they send; a handler notes the count it has seen. When all is quiet and unmasked,
 * each port must have seen the last: else an event was lost.
 */
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "tests/unit/check.h"
#include "tests/unit/pvh_xen.h"

void pvh_interleave(void);

#define VCPUS      3u
#define PORTS      6u
#define ACTORS     3u /* a sender, a masker, a mover */
#define COROUTINES (VCPUS + ACTORS)
#define STACK_SIZE 65536u
#define OPERATIONS 500000u /* with each ABI */
#define ROUND      500u    /* operations between two moments of quiet */

static struct {
	struct xen *xen;
	struct evtchn evtchn;
	struct anomalies anomalies;
	struct evtchn_channel channel[PORTS];
	uint64_t sent[PORTS], seen[PORTS];
	bool running[PORTS];
	ucontext_t context[COROUTINES], scheduler;
	char *stack[COROUTINES];
	unsigned current;
	bool started, quiet, inside;
	bool idle[COROUTINES];
	uint64_t operations, events, switches;
	uint64_t seed;
} world;

static uint32_t chance(uint32_t below)
{
	world.seed = world.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(world.seed >> 33) % below;
}

static void hand_over(void)
{
	world.switches++;
	swapcontext(&world.context[world.current], &world.scheduler);
}

void pvh_interleave(void)
{
	if (world.started && world.inside && chance(3) == 0)
		hand_over();
}

static unsigned vcpu_of(void)
{
	/* Actors run on vcpus as well, as threads that handlers interrupt. */
	return world.current < VCPUS ? world.current : world.current % VCPUS;
}

static bool handler(void *arg)
{
	size_t port = (size_t)(uintptr_t)arg;

	ck_assert_msg(!world.running[port], "port %zu: its handler runs twice at once", port);
	world.running[port] = true;
	world.seen[port] = world.sent[port];
	world.events++;
	for (unsigned i = 0; i < 8; i++)
		pvh_interleave();
	world.running[port] = false;
	return true;
}

static void vcpu_main(unsigned vcpu)
{
	for (;;) {
		if (evtchn_waiting(&world.evtchn, vcpu)) {
			world.idle[vcpu] = false;
			evtchn_dispatch(&world.evtchn, vcpu);
		} else {
			world.idle[vcpu] = true;
		}
		hand_over();
	}
}

static void act(unsigned actor)
{
	unsigned i = chance(PORTS);

	switch (actor) {
	case 0:
		world.sent[i]++;
		if (chance(2))
			xen_send(world.xen, world.channel[i].port);
		else
			evtchn_send(&world.evtchn, &world.channel[i]);
		break;
	case 1:
		if (chance(2))
			evtchn_mask(&world.evtchn, &world.channel[i]);
		else
			evtchn_unmask(&world.evtchn, &world.channel[i]);
		break;
	default:
		evtchn_move(&world.evtchn, &world.channel[i], chance(VCPUS));
		break;
	}
	world.operations++;
}

static void actor_main(unsigned actor)
{
	for (;;) {
		world.idle[VCPUS + actor] = world.quiet;
		if (!world.quiet)
			act(actor);
		hand_over();
	}
}

static void coroutine_main(void)
{
	if (world.current < VCPUS)
		vcpu_main(world.current);
	else
		actor_main(world.current - VCPUS);
}

static void coroutine_make(unsigned i)
{
	world.stack[i] = malloc(STACK_SIZE);
	getcontext(&world.context[i]);
	world.context[i].uc_stack.ss_sp = world.stack[i];
	world.context[i].uc_stack.ss_size = STACK_SIZE;
	makecontext(&world.context[i], coroutine_main, 0);
}

static void resume(unsigned i)
{
	world.current = i;
	world.inside = true;
	swapcontext(&world.scheduler, &world.context[i]);
	world.inside = false;
}

static bool all_idle(void)
{
	for (unsigned i = 0; i < COROUTINES; i++) {
		if (!world.idle[i])
			return false;
	}
	for (unsigned vcpu = 0; vcpu < VCPUS; vcpu++) {
		if (evtchn_waiting(&world.evtchn, vcpu))
			return false;
	}
	return true;
}

static void run_until_idle(void)
{
	unsigned steps = 0;

	do {
		for (unsigned i = 0; i < COROUTINES; i++)
			resume(i);
		ck_assert_msg(++steps < 100000, "it does not come to rest");
	} while (!all_idle());
}

/* Stop the actors, let go what is masked or held, and see that nothing is missing. */
static void quiet_check(void)
{
	world.quiet = true;
	memset(world.idle, 0, sizeof(world.idle));
	run_until_idle();
	world.xen->host_now += UINT64_C(100000000);
	evtchn_tick(&world.evtchn, world.xen->host_now);
	for (unsigned i = 0; i < PORTS; i++)
		evtchn_unmask(&world.evtchn, &world.channel[i]);
	memset(world.idle, 0, sizeof(world.idle));
	run_until_idle();
	for (unsigned i = 0; i < PORTS; i++)
		ck_assert_msg(world.seen[i] == world.sent[i],
			      "port %u: event %lu lost, seen %lu; after %lu operations", i,
			      (unsigned long)world.sent[i], (unsigned long)world.seen[i],
			      (unsigned long)world.operations);
	world.quiet = false;
}

static void world_make(int fifo)
{
	uint64_t gfn;

	world.xen = xen_new();
	world.xen->fifo_offered = fifo;
	world.xen->vcpu_of = vcpu_of;
	world.xen->shared = world.xen->host.ops->frame_unpopulated(&world.xen->host, 0, &gfn);
	memset(world.xen->shared, 0, PVH_PAGE_SIZE);
	world.evtchn.host = &world.xen->host;
	world.evtchn.anomalies = &world.anomalies;
	world.evtchn.shared = world.xen->shared;
	world.evtchn.vcpus = VCPUS;
	for (unsigned vcpu = 0; vcpu < VCPUS; vcpu++) {
		world.xen->info[vcpu] = &world.xen->shared->vcpu_info[vcpu];
		world.evtchn.vcpu[vcpu].info = world.xen->info[vcpu];
	}
	ck_assert_int_eq(evtchn_start(&world.evtchn), 0);
	for (unsigned i = 0; i < PORTS; i++) {
		world.channel[i] = (struct evtchn_channel){.handler = handler,
							   .arg = (void *)(uintptr_t)i,
							   .priority = (uint8_t)(i % 3)};
		ck_assert_int_eq(evtchn_bind_interdomain(&world.evtchn, &world.channel[i], 1, i),
				 0);
	}
	for (unsigned i = 0; i < COROUTINES; i++)
		coroutine_make(i);
	world.started = true;
}

START_TEST(no_event_is_lost)
{
	uint64_t next = ROUND;

	world.seed = (uint64_t)_i + 1;
	world_make(_i);
	while (world.operations < OPERATIONS) {
		resume(chance(COROUTINES));
		if (world.operations >= next) {
			quiet_check();
			next = world.operations + ROUND;
		}
	}
	quiet_check();
	ck_assert_msg(world.events > OPERATIONS / 20, "only %lu events were handled",
		      (unsigned long)world.events);
	ck_assert_msg(world.anomalies.count[ANOMALY_EVENT_CONCURRENT] > 20 &&
			      world.anomalies.count[ANOMALY_UNMASK_RACE] > 100,
		      "the races that this is about did not happen: %lu, %lu",
		      (unsigned long)world.anomalies.count[ANOMALY_EVENT_CONCURRENT],
		      (unsigned long)world.anomalies.count[ANOMALY_UNMASK_RACE]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pvh_interleave");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 280);
	tcase_add_loop_test(tc, no_event_is_lost, 0, 2);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
