/*
 * Random interleavings of everything that touches event channels, at every atomic access.
 *
 * Each vcpu and each actor is a coroutine of its own; the library and the hypervisor are built so
 * that any access to memory they share may hand over to another (PVH_INTERLEAVE). Senders count
 * before they send; a handler notes the count it has seen. At rest, nothing was touched to get
 * there: each port's mask bit must be what its owners asked for, and each unmasked port must have
 * seen the last event, else one was lost.
 */
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "pvh-timer/evtchn_flags.h"
#include "tests/unit/check.h"
#include "tests/unit/pvh_xen.h"

void pvh_interleave(void);

#define VCPUS      3u
#define PORTS      6u
#define LATE       3u /* this port's handler leaves the work to a thread */
#define USELESS    4u /* this one's never has any, so it is held now and then */
#define STACK_SIZE 65536u
#define OPERATIONS 500000u /* with each ABI */
#define ROUND      40u     /* operations between two moments of rest */

/* Who is at work besides the vcpus. What binds, closes and moves is one thread (host.h). */
enum actor { SENDER, MASKER, OTHER_MASKER, BINDER, WORKER, ACTORS };

#define COROUTINES (VCPUS + ACTORS)

static struct {
	struct xen *xen;
	struct evtchn evtchn;
	struct anomalies anomalies;
	struct evtchn_channel channel[PORTS];
	uint64_t sent[PORTS], seen[PORTS];
	bool running[PORTS];
	bool work; /* of LATE, until evtchn_done */
	/* One that comes and goes, always with the same number. */
	struct evtchn_channel passing;
	bool passing_open, passing_sent;
	/* Where each goes on; swapcontext would be a system call each time. */
	void *place[COROUTINES][5], *scheduler[5];
	ucontext_t begin[COROUTINES];
	bool begun[COROUTINES];
	char *stack[COROUTINES];
	unsigned current;
	unsigned away[COROUTINES]; /* so often it is not its turn */
	bool started, quiet, inside;
	bool idle[COROUTINES];
	uint64_t operations, round_end, events;
	uint64_t seed;
} world;

static uint32_t chance(uint32_t below)
{
	world.seed = world.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(world.seed >> 33) % below;
}

/* Now and then somebody stays away for long, so that others do much between two of its steps. */
static unsigned next_pick(unsigned from)
{
	unsigned to;

	if (chance(8) == 0)
		world.away[from] = chance(200);
	for (unsigned tries = 0; tries < COROUTINES; tries++) {
		to = chance(COROUTINES);
		if (!world.away[to])
			return to;
		world.away[to]--;
	}
	return from;
}

/* The address sanitizer would take the way to another stack for one up ours. */
#define JUMPS __attribute__((noinline, no_sanitize_address))

JUMPS static void go_on(unsigned i)
{
	world.current = i;
	if (world.begun[i])
		__builtin_longjmp(world.place[i], 1);
	world.begun[i] = true;
	setcontext(&world.begin[i]);
}

JUMPS static void end_turn(void)
{
	__builtin_longjmp(world.scheduler, 1);
}

JUMPS static void leave_to(unsigned from, unsigned to)
{
	if (!__builtin_setjmp(world.place[from]))
		go_on(to);
}

JUMPS static void leave_to_scheduler(unsigned from)
{
	if (!__builtin_setjmp(world.place[from]))
		end_turn();
}

/* To whoever is next, or to the scheduler when it is time to rest. */
static void hand_over(void)
{
	unsigned from = world.current, to = next_pick(from);

	if (world.quiet || world.operations >= world.round_end)
		leave_to_scheduler(from);
	else if (to != from)
		leave_to(from, to);
}

void pvh_interleave(void)
{
	if (world.started && world.inside && chance(world.quiet ? 60 : 6) == 0)
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
	ck_assert_msg(port != LATE || !world.work, "the last event is not done yet");
	world.running[port] = true;
	world.seen[port] = world.sent[port];
	world.events++;
	if (port == LATE)
		world.work = true;
	for (unsigned i = 0; i < 16; i++)
		pvh_interleave();
	world.running[port] = false;
	return port != USELESS;
}

static bool passing_handler(void *arg)
{
	ck_assert_msg(world.passing_open, "the handler of a closed channel runs");
	ck_assert_msg(world.passing_sent, "a new channel hears what was sent to the old one");
	ck_assert_msg(world.current == world.passing.vcpu, "handled by a vcpu it is not bound to");
	for (unsigned i = 0; i < 8; i++) {
		pvh_interleave();
		ck_assert_msg(world.passing_open, "closed while its handler runs");
	}
	return true;
}

/* The host's timer, on one of the vcpus. */
static void tick(void)
{
	world.xen->host_now += 100000;
	evtchn_tick(&world.evtchn, world.xen->host_now);
}

static void vcpu_main(unsigned vcpu)
{
	for (;;) {
		world.idle[vcpu] = false;
		if (vcpu == 0)
			tick();
		if (evtchn_waiting(&world.evtchn, vcpu))
			evtchn_dispatch(&world.evtchn, vcpu);
		else
			world.idle[vcpu] = true;
		hand_over();
	}
}

static void passing_close(void)
{
	evtchn_close(&world.evtchn, &world.passing);
	world.passing_open = false;
	memset(&world.passing, 0xff, sizeof(world.passing));
}

static void passing_next(void)
{
	if (!world.passing_open) {
		world.passing = (struct evtchn_channel){.handler = passing_handler};
		world.passing_open = true;
		world.passing_sent = false;
		ck_assert_int_eq(evtchn_bind_ipi(&world.evtchn, &world.passing, chance(VCPUS)), 0);
	} else if (chance(3)) {
		world.passing_sent = true;
		evtchn_send(&world.evtchn, &world.passing);
	} else {
		passing_close();
	}
}

/* Preferably one whose handler is running. */
static unsigned port_pick(void)
{
	unsigned port = chance(PORTS);

	for (unsigned tries = 0; tries < PORTS && !world.running[port]; tries++)
		port = (port + 1) % PORTS;
	return chance(2) ? port : chance(PORTS);
}

static void act(enum actor actor)
{
	unsigned i = port_pick();

	switch (actor) {
	case SENDER:
		world.sent[i]++;
		if (chance(2))
			xen_send(world.xen, world.channel[i].port);
		else
			evtchn_send(&world.evtchn, &world.channel[i]);
		break;
	case BINDER:
		if (chance(2))
			evtchn_move(&world.evtchn, &world.channel[i], chance(VCPUS));
		else
			passing_next();
		break;
	case WORKER:
		break;
	default:
		if (chance(2))
			evtchn_mask(&world.evtchn, &world.channel[i]);
		else
			evtchn_unmask(&world.evtchn, &world.channel[i]);
		break;
	}
	world.operations++;
}

static void work_do(void)
{
	if (!world.work || (!world.quiet && chance(4)))
		return;
	world.work = false;
	evtchn_done(&world.evtchn, &world.channel[LATE], true);
}

static void actor_main(enum actor actor)
{
	for (;;) {
		world.idle[VCPUS + actor] = false;
		if (actor == WORKER)
			work_do();
		else if (!world.quiet)
			act(actor);
		else if (actor == BINDER && world.passing_open)
			passing_close();
		world.idle[VCPUS + actor] = world.quiet;
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
	getcontext(&world.begin[i]);
	world.begin[i].uc_stack.ss_sp = world.stack[i];
	world.begin[i].uc_stack.ss_size = STACK_SIZE;
	makecontext(&world.begin[i], coroutine_main, 0);
}

JUMPS static void resume(unsigned i)
{
	world.inside = true;
	if (!__builtin_setjmp(world.scheduler))
		go_on(i);
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
	return !world.work && !world.evtchn.held;
}

static void run_until_idle(void)
{
	unsigned steps = 0;

	memset(world.idle, 0, sizeof(world.idle));
	do {
		for (unsigned i = 0; i < COROUTINES; i++)
			resume(i);
		ck_assert_msg(++steps < 100000, "it does not come to rest");
	} while (!all_idle());
}

/* As Xen sees it. */
static bool bit_masked(uint32_t port)
{
	if (world.xen->fifo)
		return world.xen->array[0][port] >> EVTCHN_FIFO_MASKED & 1;
	return world.xen->shared->evtchn_mask[port / 64] >> (port % 64) & 1;
}

static void port_check(unsigned i)
{
	bool masked = world.channel[i].flags & EVTCHN_MASKS;

	ck_assert_msg(bit_masked(world.channel[i].port) == masked,
		      "port %u: it should be %smasked; after %lu operations", i, masked ? "" : "un",
		      (unsigned long)world.operations);
	ck_assert_msg(masked || world.seen[i] == world.sent[i],
		      "port %u: event %lu lost, seen %lu; after %lu operations", i,
		      (unsigned long)world.sent[i], (unsigned long)world.seen[i],
		      (unsigned long)world.operations);
}

/* Stop the actors and see that nothing is missing, then let go what is masked by its owner and look
 * once more. */
static void quiet_check(void)
{
	world.quiet = true;
	run_until_idle();
	for (unsigned i = 0; i < PORTS; i++)
		port_check(i);
	for (unsigned i = 0; i < PORTS; i++) {
		if (world.channel[i].flags & EVTCHN_MASKS)
			evtchn_unmask(&world.evtchn, &world.channel[i]);
	}
	run_until_idle();
	for (unsigned i = 0; i < PORTS; i++)
		port_check(i);
	ck_assert_msg(!world.xen->busy_broken, "unmasked while Xen was linking to it");
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
							   .priority = (uint8_t)(i % 3),
							   .late = i == LATE};
		ck_assert_int_eq(evtchn_bind_interdomain(&world.evtchn, &world.channel[i], 1, i),
				 0);
	}
	for (unsigned i = 0; i < COROUTINES; i++)
		coroutine_make(i);
	world.started = true;
}

START_TEST(no_event_is_lost)
{
	world.seed = (uint64_t)_i + 1;
	world_make(_i);
	while (world.operations < OPERATIONS) {
		world.round_end = world.operations + ROUND;
		resume(chance(COROUTINES));
		quiet_check();
	}
	ck_assert_msg(world.events > OPERATIONS / 20, "only %lu events were handled",
		      (unsigned long)world.events);
	ck_assert_msg(world.anomalies.count[ANOMALY_EVENT_CONCURRENT] > 20 &&
			      world.anomalies.count[ANOMALY_UNMASK_RACE] > 100 &&
			      world.anomalies.count[ANOMALY_EVENT_STORM] > 20,
		      "the races that this is about did not happen: %lu, %lu, %lu",
		      (unsigned long)world.anomalies.count[ANOMALY_EVENT_CONCURRENT],
		      (unsigned long)world.anomalies.count[ANOMALY_UNMASK_RACE],
		      (unsigned long)world.anomalies.count[ANOMALY_EVENT_STORM]);
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
