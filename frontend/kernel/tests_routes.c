/* Every way in which events are delivered, with both ABIs: what each has to do. */
#include "frontend/kernel/test.h"
#include "frontend/kernel/world.h"

#define SENDS        200u
#define SENDS_OTHERS 40u
#define TIMERS       50u
#define RACES        500u
#define US           1000u

static struct {
	struct evtchn_channel channel[SMP_VCPUS_MAX];
	uint32_t count[SMP_VCPUS_MAX];
	uint32_t wrong; /* handled on another vcpu than it was bound to */
	bool by_pic;
	enum upcall_route route;
} here;

static bool counted(void *arg)
{
	unsigned vcpu = (unsigned)(uintptr_t)arg;

	if (vcpu != smp_vcpu())
		__atomic_fetch_add(&here.wrong, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&here.count[vcpu], 1, __ATOMIC_SEQ_CST);
	return true;
}

static int channel_make(unsigned vcpu)
{
	here.channel[vcpu] = (struct evtchn_channel){
		.handler = counted, .arg = (void *)(uintptr_t)vcpu, .priority = 7};
	here.count[vcpu] = 0;
	return evtchn_bind_ipi(&kernel.pvh.evtchn, &here.channel[vcpu], vcpu);
}

static void channel_end(unsigned vcpu)
{
	evtchn_close(&kernel.pvh.evtchn, &here.channel[vcpu]);
}

static enum verdict ipi_to_self(void)
{
	enum verdict verdict = VERDICT_OK;

	CHECK(!channel_make(0), "no IPI");
	for (unsigned i = 1; i <= SENDS && verdict == VERDICT_OK; i++) {
		evtchn_send(&kernel.pvh.evtchn, &here.channel[0]);
		if (!world_wait(&here.count[0], i))
			verdict = test_say(VERDICT_FAIL, "event %u of %u did not come", i, SENDS);
	}
	if (here.count[0] > SENDS)
		verdict = test_say(VERDICT_FAIL, "%u events of %u", here.count[0], SENDS);
	channel_end(0);
	return verdict;
}

static enum verdict masked(void)
{
	enum verdict verdict = VERDICT_OK;

	CHECK(!channel_make(0), "no IPI");
	evtchn_mask(&kernel.pvh.evtchn, &here.channel[0]);
	evtchn_send(&kernel.pvh.evtchn, &here.channel[0]);
	clocks_spin(200 * US);
	world_poll();
	if (here.count[0])
		verdict = test_say(VERDICT_FAIL, "came though it was masked");
	evtchn_unmask(&kernel.pvh.evtchn, &here.channel[0]);
	if (!world_wait(&here.count[0], 1))
		verdict = test_say(VERDICT_FAIL, "what came while masked is lost");
	channel_end(0);
	return verdict;
}

struct sender {
	uint32_t go, stop, sent;
};

/* On another vcpu, at full speed. */
static void sender_run(void *arg)
{
	struct sender *sender = arg;

	while (!__atomic_load_n(&sender->stop, __ATOMIC_ACQUIRE)) {
		__atomic_fetch_add(&sender->sent, 1, __ATOMIC_SEQ_CST);
		evtchn_send(&kernel.pvh.evtchn, &here.channel[0]);
	}
}

/* While events come, ours or another vcpu's: after each unmask the last one must be seen. */
static enum verdict unmask_races(void)
{
	struct sender sender = {0};
	enum verdict verdict = VERDICT_OK;
	uint32_t before;

	CHECK(!channel_make(0), "no IPI");
	if (kernel.vcpus > 1)
		smp_begin(1, sender_run, &sender);
	for (unsigned i = 0; i < RACES && verdict == VERDICT_OK; i++) {
		evtchn_mask(&kernel.pvh.evtchn, &here.channel[0]);
		before = __atomic_load_n(&here.count[0], __ATOMIC_ACQUIRE);
		evtchn_send(&kernel.pvh.evtchn, &here.channel[0]);
		evtchn_unmask(&kernel.pvh.evtchn, &here.channel[0]);
		if (!world_wait(&here.count[0], before + 1))
			verdict = test_say(VERDICT_FAIL, "round %u: lost", i);
	}
	__atomic_store_n(&sender.stop, 1, __ATOMIC_RELEASE);
	if (kernel.vcpus > 1)
		smp_wait(1);
	channel_end(0);
	return verdict == VERDICT_OK && kernel.vcpus > 1
		       ? test_say(VERDICT_OK, "%u events from vcpu 1 meanwhile", sender.sent)
		       : verdict;
}

static enum verdict timer(void)
{
	uint64_t late = 0, worst = 0, deadline, at;
	uint32_t before;

	for (unsigned i = 0; i < TIMERS; i++) {
		before = world.fired[0];
		deadline = world_now() + 200 * US;
		CHECK(!world_timer(deadline), "not set");
		CHECK(world_wait(&world.fired[0], before + 1), "timer %u did not fire", i);
		at = world.fired_at[0];
		CHECK(at >= deadline, "fired %lu ns early", deadline - at);
		late += at - deadline;
		worst = at - deadline > worst ? at - deadline : worst;
	}
	return test_say(VERDICT_OK, "late by %lu us, worst %lu us", late / TIMERS / US, worst / US);
}

/* Sleeping while the last event arrives: the gap between looking and sleeping must not exist. */
static enum verdict wakes_from_sleep(void)
{
	uint64_t end;
	uint32_t before;

	if (here.route == UPCALL_POLL)
		return test_say(VERDICT_SKIP, "nothing wakes who polls");
	for (unsigned i = 0; i < TIMERS; i++) {
		before = world.fired[0];
		cpu_interrupts_off();
		/* From long gone to soon. */
		oneshot_set(&kernel.pvh.timer[0], world_now() - 50 * US + i * 5 * US);
		end = world_now() + WORLD_PATIENCE_NS;
		while (world.fired[0] == before && world_now() < end)
			cpu_wait();
		cpu_interrupts_on();
		CHECK(world.fired[0] == before + 1, "round %u: %u times", i,
		      world.fired[0] - before);
	}
	return VERDICT_OK;
}

static enum verdict other_vcpus(void)
{
	enum verdict verdict = VERDICT_OK;

	if (kernel.vcpus < 2)
		return test_say(VERDICT_SKIP, "one vcpu");
	if (!upcall_types[here.route].every_vcpu || here.route == UPCALL_POLL)
		return test_say(VERDICT_SKIP, "reaches vcpu 0 alone");
	here.wrong = 0;
	for (unsigned vcpu = 1; vcpu < kernel.vcpus; vcpu++) {
		CHECK(!channel_make(vcpu), "no IPI for vcpu %u", vcpu);
		for (unsigned i = 1; i <= SENDS_OTHERS && verdict == VERDICT_OK; i++) {
			evtchn_send(&kernel.pvh.evtchn, &here.channel[vcpu]);
			if (!world_wait(&here.count[vcpu], i))
				verdict = test_say(VERDICT_FAIL, "vcpu %u: event %u did not come",
						   vcpu, i);
		}
		channel_end(vcpu);
	}
	CHECK(!here.wrong, "%u events came to the wrong vcpu", here.wrong);
	return verdict;
}

static enum verdict other_vcpus_timers(void)
{
	uint32_t before;

	if (kernel.vcpus < 2)
		return test_say(VERDICT_SKIP, "one vcpu");
	if (!upcall_types[here.route].every_vcpu || here.route == UPCALL_POLL)
		return test_say(VERDICT_SKIP, "reaches vcpu 0 alone");
	for (unsigned vcpu = 1; vcpu < kernel.vcpus; vcpu++) {
		before = world.fired[vcpu];
		CHECK(!world_timer_on(vcpu, world_now() + 100 * US), "vcpu %u: not set", vcpu);
		CHECK(world_wait(&world.fired[vcpu], before + 1), "vcpu %u: did not fire", vcpu);
	}
	return VERDICT_OK;
}

/* Both ends of an interdomain channel are ours. */
static enum verdict loopback(void)
{
	struct evtchn_channel *a = &here.channel[0], b = {.handler = counted, .priority = 7};
	enum verdict verdict = VERDICT_OK;

	*a = b;
	here.count[0] = 0;
	CHECK(!evtchn_bind_unbound(&kernel.pvh.evtchn, a, DOMID_SELF), "no unbound port");
	if (evtchn_bind_interdomain(&kernel.pvh.evtchn, &b, DOMID_SELF, a->port)) {
		evtchn_close(&kernel.pvh.evtchn, a);
		return test_say(VERDICT_FAIL, "not bound");
	}
	if (!world_wait(&here.count[0], 1))
		verdict = test_say(VERDICT_FAIL, "a new interdomain port is to be pending");
	for (unsigned i = 0; i < 10 && verdict == VERDICT_OK; i++) {
		uint32_t before = here.count[0];

		evtchn_send(&kernel.pvh.evtchn, i % 2 ? a : &b);
		if (!world_wait(&here.count[0], before + 1))
			verdict = test_say(VERDICT_FAIL, "event %u did not come", i);
	}
	evtchn_close(&kernel.pvh.evtchn, &b);
	evtchn_close(&kernel.pvh.evtchn, a);
	return verdict;
}

static enum verdict checked(void)
{
	bool on = cpu_interrupts_save();
	unsigned wrong = suspend_check(&kernel.pvh);

	cpu_interrupts_restore(on);
	CHECK(!wrong, "%u things are wrong", wrong);
	return VERDICT_OK;
}

static const struct test tests[] = {
	{"ipi-self", "3.0", ipi_to_self},
	{"masked", "3.0", masked},
	{"unmask-races", "3.0", unmask_races},
	{"loopback", "3.0", loopback},
	{"timer", "3.1", timer},
	{"sleep", "3.1", wakes_from_sleep},
	{"ipi-others", "3.0", other_vcpus},
	{"timer-others", "3.1", other_vcpus_timers},
	{"check", "3.0", checked},
};

static int route_rc;

static enum verdict route_set(void)
{
	kernel.by_pic = here.by_pic;
	route_rc = upcall_set(&kernel.pvh.upcall, kernel.pvh.features, here.route);
	if (route_rc == -EOPNOTSUPP && kernel.dom0)
		return test_say(VERDICT_SKIP, "dom0's interrupt lines are the machine's");
	if (route_rc == -EOPNOTSUPP && !kernel.hvm)
		return test_say(VERDICT_SKIP, "PVH has no emulated interrupt controllers");
	if (route_rc == -EOPNOTSUPP)
		return test_say(VERDICT_SKIP, "this machine or Xen lacks it");
	CHECK(!route_rc, "error %d", route_rc);
	return VERDICT_OK;
}

static void route_run(const char *name, const char *since, enum upcall_route route, bool by_pic)
{
	const struct test set = {"set", since, route_set};
	char group[48];

	here.route = route;
	here.by_pic = by_pic;
	print_into(group, sizeof(group), "%s,%s", name, kernel.pvh.evtchn.abi->name);
	test_case(group, &set);
	if (route_rc)
		return;
	/* Where nothing arrives each case would wait in vain. */
	if (test_case(group, &tests[0]) != VERDICT_FAIL)
		test_cases(group, tests + 1, sizeof(tests) / sizeof(tests[0]) - 1);
}

static bool fifo_wanted;

static enum verdict abi_set(void)
{
	int rc = world_abi(fifo_wanted);

	if (rc == -ENOSYS)
		return test_say(VERDICT_SKIP, "the host hides FIFO");
	CHECK(!rc, "error %d", rc);
	return VERDICT_OK;
}

static bool abi_run(bool fifo)
{
	const struct test set = {fifo ? "fifo" : "2-level", fifo ? "4.4" : "3.0", abi_set};

	fifo_wanted = fifo;
	test_case("abi", &set);
	return (kernel.pvh.evtchn.abi == &evtchn_abi_fifo) == fifo;
}

/* A vcpu's own vector is for good, so it comes last. */
void tests_routes(void)
{
	if (world_upgrade())
		return;
	route_run("poll", "3.0", UPCALL_POLL, false);
	route_run("gsi-ioapic", "3.0", UPCALL_GSI, false);
	route_run("gsi-pic", "3.0", UPCALL_GSI, true);
	route_run("intx", "3.0", UPCALL_INTX, false);
	route_run("vector", "4.0", UPCALL_VECTOR, false);
	if (abi_run(true)) {
		route_run("intx", "4.4", UPCALL_INTX, false);
		route_run("vector", "4.4", UPCALL_VECTOR, false);
		route_run("vcpu-vector", "4.6", UPCALL_VCPU, false);
	}
	if (abi_run(false))
		route_run("vcpu-vector", "4.6", UPCALL_VCPU, false);
	abi_run(true);
}
