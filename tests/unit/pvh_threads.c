/*
 * The dispatcher under the thread sanitizer: vcpus are threads, and others send, mask, move, bind
 * and close at once. What the sanitizer finds ends the program.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/check.h"
#include "tests/unit/pvh_xen.h"

#define VCPUS      3u
#define PORTS      4u
#define OPERATIONS 30000u

static struct {
	struct xen *xen;
	struct evtchn evtchn;
	struct anomalies anomalies;
	struct evtchn_channel channel[PORTS];
	uint64_t sent[PORTS], seen[PORTS];
	uint32_t running[PORTS];
	bool stop;
} world;

static _Thread_local unsigned thread_vcpu;

static unsigned vcpu_of(void)
{
	return thread_vcpu;
}

static bool handler(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;

	if (__atomic_fetch_add(&world.running[i], 1, __ATOMIC_SEQ_CST))
		abort();
	__atomic_store_n(&world.seen[i], __atomic_load_n(&world.sent[i], __ATOMIC_SEQ_CST),
			 __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(&world.running[i], 1, __ATOMIC_SEQ_CST);
	return true;
}

static void *vcpu_thread(void *arg)
{
	thread_vcpu = (unsigned)(uintptr_t)arg;
	while (!__atomic_load_n(&world.stop, __ATOMIC_ACQUIRE)) {
		if (evtchn_waiting(&world.evtchn, thread_vcpu))
			evtchn_dispatch(&world.evtchn, thread_vcpu);
		else
			sched_yield();
	}
	return NULL;
}

static void *send_thread(void *arg)
{
	for (unsigned n = 0; n < OPERATIONS; n++) {
		unsigned i = n % PORTS;

		__atomic_fetch_add(&world.sent[i], 1, __ATOMIC_SEQ_CST);
		evtchn_send(&world.evtchn, &world.channel[i]);
	}
	return NULL;
}

static void *mask_thread(void *arg)
{
	for (unsigned n = 0; n < OPERATIONS; n++) {
		unsigned i = n / 2 % PORTS;

		if (n % 2)
			evtchn_unmask(&world.evtchn, &world.channel[i]);
		else
			evtchn_mask(&world.evtchn, &world.channel[i]);
	}
	return NULL;
}

static bool passing_handler(void *arg)
{
	++*(unsigned *)arg;
	return true;
}

/* The one thread that binds. What it has closed is its own again: it writes over it. */
static void *bind_thread(void *arg)
{
	struct {
		struct evtchn_channel channel;
		unsigned count;
	} passing;

	for (unsigned n = 0; n < OPERATIONS / 10; n++) {
		evtchn_move(&world.evtchn, &world.channel[n % PORTS], n % VCPUS);
		if (n % 4)
			continue;
		memset(&passing, 0, sizeof(passing));
		passing.channel =
			(struct evtchn_channel){.handler = passing_handler, .arg = &passing.count};
		if (evtchn_bind_ipi(&world.evtchn, &passing.channel, n % VCPUS))
			abort();
		evtchn_send(&world.evtchn, &passing.channel);
		evtchn_close(&world.evtchn, &passing.channel);
		memset(&passing, 0xff, sizeof(passing));
	}
	return NULL;
}

static void threads_run(void)
{
	pthread_t vcpu[VCPUS], actor[3];

	for (uintptr_t i = 0; i < VCPUS; i++)
		pthread_create(&vcpu[i], NULL, vcpu_thread, (void *)i);
	pthread_create(&actor[0], NULL, send_thread, NULL);
	pthread_create(&actor[1], NULL, mask_thread, NULL);
	pthread_create(&actor[2], NULL, bind_thread, NULL);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(actor[i], NULL);
	__atomic_store_n(&world.stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < VCPUS; i++)
		pthread_join(vcpu[i], NULL);
}

START_TEST(no_race_and_nothing_lost)
{
	uint64_t gfn;

	world.xen = xen_new();
	world.xen->fifo_offered = _i;
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
		world.channel[i] =
			(struct evtchn_channel){.handler = handler, .arg = (void *)(uintptr_t)i};
		ck_assert_int_eq(evtchn_bind_interdomain(&world.evtchn, &world.channel[i], 1, i),
				 0);
	}
	threads_run();
	/* What came last is still pending somewhere. */
	evtchn_tick(&world.evtchn, UINT64_MAX);
	for (unsigned i = 0; i < PORTS; i++)
		evtchn_unmask(&world.evtchn, &world.channel[i]);
	for (unsigned pass = 0; pass < 10; pass++) {
		for (thread_vcpu = 0; thread_vcpu < VCPUS; thread_vcpu++)
			evtchn_dispatch(&world.evtchn, thread_vcpu);
	}
	for (unsigned i = 0; i < PORTS; i++)
		ck_assert_msg(world.seen[i] == world.sent[i], "port %u: an event was lost", i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pvh_threads");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 200);
	tcase_add_loop_test(tc, no_race_and_nothing_lost, 0, 2);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
