/* Event channels, whatever way they come: limits, order, moves, storms, polls, the reset. */
#include "frontend/kernel/store.h"
#include "frontend/kernel/test.h"
#include "frontend/kernel/world.h"

#define MANY  1200u /* more ports than one page of the FIFO's array has */
#define MOVES 300u

static struct {
	struct evtchn_channel a, b;
	uint32_t count, sent, seen;
	uint32_t again;
	uint8_t order[4];
	uint32_t ordered;
} here;

static struct evtchn *evtchn(void)
{
	return &kernel.pvh.evtchn;
}

static bool counted(void *arg)
{
	__atomic_store_n(&here.seen, __atomic_load_n(&here.sent, __ATOMIC_SEQ_CST),
			 __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&here.count, 1, __ATOMIC_SEQ_CST);
	return true;
}

static bool ordered(void *arg)
{
	if (here.ordered < sizeof(here.order))
		here.order[here.ordered] = (uint8_t)(uintptr_t)arg;
	__atomic_fetch_add(&here.ordered, 1, __ATOMIC_SEQ_CST);
	return true;
}

static bool storming(void *arg)
{
	__atomic_fetch_add(&here.count, 1, __ATOMIC_SEQ_CST);
	if (here.again) {
		here.again--;
		evtchn_send(evtchn(), &here.a);
	}
	return true;
}

static enum verdict many_ports(void)
{
	struct evtchn_channel *channels = memory_allocate(MANY * sizeof(*channels));
	enum verdict verdict = VERDICT_OK;
	unsigned made = 0;
	uint32_t last = 0;

	CHECK(channels, "no memory");
	here.count = 0;
	while (made < MANY) {
		channels[made] = (struct evtchn_channel){.handler = counted, .priority = 7};
		if (evtchn_bind_ipi(evtchn(), &channels[made], 0))
			break;
		last = channels[made++].port;
	}
	if (made < MANY)
		verdict = test_say(VERDICT_FAIL, "only %u ports", made);
	else
		test_say(VERDICT_OK, "port %u, %u pages of words", last, evtchn()->array_pages);
	if (made)
		evtchn_send(evtchn(), &channels[made - 1]);
	if (made && !world_wait(&here.count, 1))
		verdict = test_say(VERDICT_FAIL, "no event through port %u", last);
	while (made)
		evtchn_close(evtchn(), &channels[--made]);
	memory_free(channels);
	return verdict;
}

/* The lower one is sent first; with interrupts off both wait. */
static enum verdict priorities(void)
{
	enum verdict verdict = VERDICT_OK;
	bool on;

	if (evtchn()->abi != &evtchn_abi_fifo)
		return test_say(VERDICT_SKIP, "2-level has none");
	here.ordered = 0;
	here.a = (struct evtchn_channel){.handler = ordered, .arg = (void *)1, .priority = 15};
	here.b = (struct evtchn_channel){.handler = ordered, .arg = (void *)2, .priority = 0};
	CHECK(!evtchn_bind_ipi(evtchn(), &here.a, 0), "no IPI");
	CHECK(!evtchn_bind_ipi(evtchn(), &here.b, 0), "no IPI");
	on = cpu_interrupts_save();
	evtchn_send(evtchn(), &here.a);
	evtchn_send(evtchn(), &here.b);
	cpu_interrupts_restore(on);
	if (!world_wait(&here.ordered, 2))
		verdict = test_say(VERDICT_FAIL, "%u of 2 came", here.ordered);
	else if (here.order[0] != 2)
		verdict = test_say(VERDICT_FAIL, "the lower priority came first");
	evtchn_close(evtchn(), &here.a);
	evtchn_close(evtchn(), &here.b);
	return verdict;
}

static enum verdict pinned(void)
{
	struct evtchn_bind_virq again = {.virq = VIRQ_TIMER, .vcpu = 0};
	struct evtchn_bind_virq nobody = {.virq = VIRQ_TIMER, .vcpu = 4000};
	int rc;

	rc = evtchn_move(evtchn(), &kernel.pvh.timer[0].channel, kernel.vcpus - 1);
	CHECK(rc == -EINVAL, "VIRQ_TIMER moved: %d", rc);
	rc = hypercall_evtchn(&kernel.host, EVTCHNOP_bind_virq, &again);
	CHECK(rc == -EEXIST, "VIRQ_TIMER bound twice: %d", rc);
	rc = hypercall_evtchn(&kernel.host, EVTCHNOP_bind_virq, &nobody);
	CHECK(rc == -ENOENT, "VIRQ of vcpu 4000: %d", rc);
	return VERDICT_OK;
}

static bool loop_make(bool (*handler)(void *arg))
{
	here.count = here.sent = here.seen = 0;
	here.a = here.b = (struct evtchn_channel){.handler = handler, .priority = 7};
	if (evtchn_bind_unbound(evtchn(), &here.a, DOMID_SELF))
		return false;
	if (!evtchn_bind_interdomain(evtchn(), &here.b, DOMID_SELF, here.a.port))
		return world_wait(&here.count, 1);
	evtchn_close(evtchn(), &here.a);
	return false;
}

static void loop_end(void)
{
	evtchn_close(evtchn(), &here.b);
	evtchn_close(evtchn(), &here.a);
}

/* To and fro between the vcpus while events come. The last one sent must be seen. */
static enum verdict moves(void)
{
	enum verdict verdict = VERDICT_OK;

	if (kernel.vcpus < 2)
		return test_say(VERDICT_SKIP, "one vcpu");
	if (!upcall_types[kernel.pvh.upcall.route].every_vcpu)
		return test_say(VERDICT_SKIP, "reaches vcpu 0 alone");
	CHECK(loop_make(counted), "no loop");
	for (unsigned i = 0; i < MOVES && verdict == VERDICT_OK; i++) {
		__atomic_fetch_add(&here.sent, 1, __ATOMIC_SEQ_CST);
		evtchn_send(evtchn(), &here.b);
		if (evtchn_move(evtchn(), &here.a, i % kernel.vcpus))
			verdict = test_say(VERDICT_FAIL, "refused");
		if (!world_wait(&here.seen, here.sent))
			verdict = test_say(VERDICT_FAIL, "move %u: event lost", i);
	}
	loop_end();
	return verdict;
}

static enum verdict storm(void)
{
	uint64_t before = kernel.pvh.anomalies.count[ANOMALY_EVENT_STORM];
	uint32_t fired = world.fired[0], seen;
	enum verdict verdict = VERDICT_OK;
	bool on;

	here.count = 0;
	here.again = 20000;
	here.a = (struct evtchn_channel){.handler = storming, .priority = 7};
	CHECK(!evtchn_bind_ipi(evtchn(), &here.a, 0), "no IPI");
	evtchn_send(evtchn(), &here.a);
	world_timer(world_now() + 100000);
	if (!world_wait(&world.fired[0], fired + 1))
		verdict = test_say(VERDICT_FAIL, "the storm starves the timer");
	if (!kernel.pvh.anomalies.count[ANOMALY_EVENT_STORM])
		verdict = test_say(VERDICT_FAIL, "nobody noticed");
	here.again = 0;
	on = cpu_interrupts_save();
	evtchn_tick(evtchn(), UINT64_MAX);
	cpu_interrupts_restore(on);
	seen = here.count;
	evtchn_send(evtchn(), &here.a);
	if (!world_wait(&here.count, seen + 1))
		verdict = test_say(VERDICT_FAIL, "nothing comes after the storm");
	evtchn_close(evtchn(), &here.a);
	if (verdict == VERDICT_OK)
		test_say(VERDICT_OK, "held %lu times",
			 kernel.pvh.anomalies.count[ANOMALY_EVENT_STORM] - before);
	return verdict;
}

/* SCHEDOP_poll returns for any event besides, such as the console's: go on then. */
static int poll_for(struct evtchn_channel *channel, uint64_t ns, uint64_t *waited)
{
	struct sched_poll poll = {.nr_ports = 1};
	uint64_t begin = world_now();
	int rc;

	set_xen_guest_handle(poll.ports, &channel->port);
	poll.timeout = begin + ns;
	do {
		rc = hypercall_sched(&kernel.host, SCHEDOP_poll, &poll);
		*waited = world_now() - begin;
	} while (!rc && *waited < ns && !evtchn()->abi->pending(evtchn(), channel->port));
	return rc;
}

/* SCHEDOP_poll on a masked port: at once when it is pending, when it becomes so, or not at all. */
static enum verdict polls(void)
{
	struct evtchn_channel *timer = &kernel.pvh.timer[0].channel;
	uint32_t before = world.fired[0];
	uint64_t waited;
	int rc;

	world_timer_stop();
	evtchn_mask(evtchn(), timer);
	rc = poll_for(timer, 5000000, &waited);
	CHECK(!rc && waited >= 5000000, "time-out: %d after %lu ns", rc, waited);

	world_timer(world_now() + 2000000);
	rc = poll_for(timer, WORLD_PATIENCE_NS, &waited);
	CHECK(!rc && waited < WORLD_PATIENCE_NS, "wake: %d after %lu ns", rc, waited);

	rc = poll_for(timer, WORLD_PATIENCE_NS, &waited);
	CHECK(!rc && waited < WORLD_PATIENCE_NS, "pending: %d after %lu ns", rc, waited);
	CHECK(evtchn()->abi->pending(evtchn(), timer->port), "not pending any more");
	evtchn_unmask(evtchn(), timer);
	CHECK(world_wait(&world.fired[0], before + 1), "lost");
	return VERDICT_OK;
}

static enum verdict reset_keeps_store(void)
{
	uint32_t port = kernel.pvh.store ? kernel.pvh.store->port : 0;
	bool fifo = evtchn()->abi == &evtchn_abi_fifo;
	char value[32];
	int rc;

	if (kernel.dom0)
		return test_say(VERDICT_SKIP, "no toolstack");
	rc = world_abi(!fifo);
	CHECK(!rc, "to %s: error %d", fifo ? "2-level" : "FIFO", rc);
	rc = store_get(0, "domid", value, sizeof(value));
	CHECK(rc > 0, "the store does not answer: %d", rc);
	CHECK(!world_abi(fifo), "and back");
	CHECK(store_get(0, "domid", value, sizeof(value)) > 0, "the store does not answer");
	return test_say(VERDICT_OK, "its port %u is now %u", port, kernel.pvh.store->port);
}

/* For good, so it is the last of its group. */
static enum verdict registered_infos(void)
{
	enum verdict verdict = VERDICT_OK;
	int rc;

	kernel.pvh.register_vcpu_info = true;
	rc = upgrade_infos_register(&kernel.pvh);
	CHECK(!rc, "error %d", rc);
	CHECK(evtchn()->vcpu[0].info == kernel.pvh.info_page[0], "Xen refuses it");
	here.count = 0;
	here.a = (struct evtchn_channel){.handler = counted, .priority = 7};
	for (unsigned vcpu = 0; vcpu < kernel.vcpus && verdict == VERDICT_OK; vcpu++) {
		if (vcpu && !upcall_types[kernel.pvh.upcall.route].every_vcpu)
			break;
		here.count = 0;
		CHECK(!evtchn_bind_ipi(evtchn(), &here.a, vcpu), "no IPI");
		evtchn_send(evtchn(), &here.a);
		if (!world_wait(&here.count, 1))
			verdict = test_say(VERDICT_FAIL, "vcpu %u hears nothing", vcpu);
		evtchn_close(evtchn(), &here.a);
	}
	return verdict;
}

static enum verdict vector_zero(void)
{
	struct xen_hvm_evtchn_upcall_vector set = {.vcpu = 0, .vector = 0};
	int rc = hypercall_hvm(&kernel.host, HVMOP_set_evtchn_upcall_vector, &set);

	CHECK(rc == -EINVAL, "taken back with vector 0: %d", rc);
	return VERDICT_OK;
}

static const struct test tests[] = {
	{"many-ports", "4.4", many_ports},
	{"priorities", "4.4", priorities},
	{"pinned", "3.0", pinned},
	{"moves", "3.0", moves},
	{"storm", "3.0", storm},
	{"polls", "3.1", polls},
	{"reset-keeps-store", "4.0", reset_keeps_store},
	{"vector-0-refused", "4.6", vector_zero},
	{"vcpu-info-registered", "3.4", registered_infos},
};

void tests_events(void)
{
	if (world_upgrade())
		return;
	if (kernel.pvh.upcall.route == UPCALL_POLL)
		upcall_choose(&kernel.pvh.upcall, kernel.pvh.features, ~0u);
	test_cases("events", tests, sizeof(tests) / sizeof(tests[0]));
}
