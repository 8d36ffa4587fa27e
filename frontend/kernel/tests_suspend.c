/* Saved and restored by the toolstack while timers and events go on; then everything is checked. */
#include "frontend/kernel/disk.h"
#include "frontend/kernel/grant.h"
#include "frontend/kernel/net.h"
#include "frontend/kernel/store.h"
#include "frontend/kernel/test.h"
#include "frontend/kernel/world.h"

#define MS      1000000u
#define TICK_NS (2 * MS)

/* Where the disk is written: behind what a boot sector and a kernel may occupy. */
#define DISK_OFFSET (4u << 20)
#define DISK_LENGTH 32768u

static struct {
	struct evtchn_channel echo[SMP_VCPUS_MAX];
	uint32_t echoes[SMP_VCPUS_MAX];
	uint64_t last;
	uint32_t backwards;
	struct suspend_report report;
	uint64_t stolen[SMP_VCPUS_MAX];
	bool disk, net;
	uint8_t *written, *read; /* DISK_LENGTH each */
	uint32_t rounds;         /* of the disk */
	uint16_t pings;
	int disk_rc, net_rc; /* of what was to be connected again, and what was under way */
} here;

static bool echoed(void *arg)
{
	__atomic_fetch_add(&here.echoes[(unsigned)(uintptr_t)arg], 1, __ATOMIC_SEQ_CST);
	return true;
}

static void clock_look(void)
{
	uint64_t now = clock_read(&kernel.pvh.clock);

	if (now < here.last)
		here.backwards++;
	here.last = now;
}

static const struct net_addresses addresses = {0xc000024d, 0xc0000201};

/* Those that the domain has. */
static enum verdict devices_start(void)
{
	int rc = disk_open();

	CHECK(!rc || rc == -ENODEV, "the disk does not connect: %d", rc);
	here.disk = !rc;
	rc = net_open(&addresses);
	CHECK(!rc || rc == -ENODEV, "the network card does not connect: %d", rc);
	here.net = !rc;
	CHECK(!here.net || !net_find(), "no neighbour");
	here.written = memory_pages(DISK_LENGTH / 4096);
	here.read = memory_pages(DISK_LENGTH / 4096);
	CHECK(here.written && here.read, "no memory");
	return VERDICT_OK;
}

static bool disk_round(void)
{
	for (unsigned i = 0; i < DISK_LENGTH; i++)
		here.written[i] = (uint8_t)(i * 13 + here.rounds);
	memset(here.read, 0, DISK_LENGTH);
	here.rounds++;
	return !disk_write(DISK_OFFSET, here.written, DISK_LENGTH) &&
	       !disk_read(DISK_OFFSET, here.read, DISK_LENGTH) &&
	       !memcmp(here.written, here.read, DISK_LENGTH);
}

static enum verdict devices_work(void)
{
	CHECK(!here.disk || disk_round(), "round %u of the disk", here.rounds);
	if (here.net)
		CHECK(!net_ping(here.pings, 500), "ping %u", here.pings);
	here.pings++;
	return VERDICT_OK;
}

/* With a request under way. */
static void devices_leave(void)
{
	memset(here.read, 0, DISK_LENGTH);
	if (here.disk)
		here.disk_rc = disk_begin_read(DISK_OFFSET, here.read, DISK_LENGTH);
}

static void devices_resume(void)
{
	if (here.disk && !here.report.cancelled && !here.disk_rc)
		here.disk_rc = disk_resume();
	if (here.net && !here.report.cancelled)
		here.net_rc = net_resume();
	if (here.disk && !here.disk_rc)
		here.disk_rc = disk_end_read();
}

/* The devices first: to connect them is dom0's work, which then gets less of the processors. */
static enum verdict load_start(void)
{
	if (devices_start() != VERDICT_OK)
		return VERDICT_FAIL;
	for (unsigned vcpu = 0; vcpu < kernel.vcpus; vcpu++) {
		here.echo[vcpu] = (struct evtchn_channel){
			.handler = echoed, .arg = (void *)(uintptr_t)vcpu, .priority = 3};
		CHECK(!evtchn_bind_ipi(&kernel.pvh.evtchn, &here.echo[vcpu], vcpu), "no IPI");
		world.again[vcpu] = TICK_NS;
		CHECK(!world_timer_on(vcpu, world_now() + TICK_NS), "no timer");
	}
	return VERDICT_OK;
}

static bool echoes_all(void)
{
	for (unsigned vcpu = 0; vcpu < kernel.vcpus; vcpu++) {
		uint32_t before = __atomic_load_n(&here.echoes[vcpu], __ATOMIC_SEQ_CST);

		evtchn_send(&kernel.pvh.evtchn, &here.echo[vcpu]);
		if (!world_wait(&here.echoes[vcpu], before + 1))
			return false;
		clock_look();
	}
	return true;
}

/* What the toolstack writes to ask for it; answered by taking it away. */
static bool suspend_asked(void)
{
	char value[16];

	if (store_get(0, "control/shutdown", value, sizeof(value)) <= 0 ||
	    strcmp(value, "suspend") != 0)
		return false;
	store_put(0, "control/shutdown", "");
	return true;
}

static enum verdict waits_and_is_saved(void)
{
	uint64_t end = world_now() + 10 * WORLD_PATIENCE_NS;
	bool on;
	int rc;

	if (load_start() != VERDICT_OK)
		return VERDICT_FAIL;
	store_put(0, "data/ready", "suspend");
	while (!suspend_asked()) {
		CHECK(echoes_all(), "an event was lost before it began");
		if (devices_work() != VERDICT_OK)
			return VERDICT_FAIL;
		CHECK(world_now() < end, "nobody asked for a suspend");
	}
	for (unsigned vcpu = 0; vcpu < kernel.vcpus; vcpu++)
		here.stolen[vcpu] = runstate_stolen(&kernel.pvh.runstate[vcpu], &kernel.host);
	clock_look();
	devices_leave();
	smp_park();
	on = cpu_interrupts_save();
	rc = suspend(&kernel.pvh, &here.report);
	console_resume();
	cpu_interrupts_restore(on);
	smp_unpark();
	CHECK(!rc, "refused: %d", rc);
	CHECK(here.report.in_place == (kernel_option("in-place") != NULL),
	      "the same domain: %u, against what the command line says", here.report.in_place);
	/* The same domain still has its table, and the backend what it mapped. */
	if (!here.report.cancelled && !here.report.in_place)
		CHECK(!grant_resume(), "no grant table");
	CHECK(!store_resume(), "the store does not answer");
	devices_resume();
	return test_say(VERDICT_OK, "%s",
			here.report.cancelled  ? "cancelled"
			: here.report.in_place ? "in place, without a word"
					       : "restored");
}

static enum verdict made_anew(void)
{
	CHECK(!here.report.errors, "%u errors, the first %d", here.report.errors, here.report.rc);
	CHECK(!here.report.wrong, "%u things are wrong", here.report.wrong);
	return test_say(VERDICT_OK, "%s, %s, %s", kernel.pvh.evtchn.abi->name,
			upcall_types[kernel.pvh.upcall.route].name,
			clock_name(kernel.pvh.clock.source));
}

static enum verdict time_went_on(void)
{
	clock_look();
	CHECK(!here.backwards, "the clock went back %u times", here.backwards);
	CHECK(here.report.clock_after >= here.report.clock_before, "by %lu ns",
	      here.report.clock_before - here.report.clock_after);
	CHECK(here.report.wall_after > here.report.wall_before, "the time of day went back");
	return test_say(VERDICT_OK, "away for %lu ms, the clock went on by %lu us",
			(here.report.wall_after - here.report.wall_before) / MS,
			(here.report.clock_after - here.report.clock_before) / 1000);
}

static enum verdict incarnation_seen(void)
{
	if (here.report.cancelled)
		return test_say(VERDICT_SKIP, "cancelled");
	if (here.report.in_place)
		return test_say(VERDICT_SKIP, "the same domain as before");
	CHECK(here.report.incarnation == here.report.incarnation_before + 1, "%u after %u",
	      here.report.incarnation, here.report.incarnation_before);
	return test_say(VERDICT_OK, "%u", here.report.incarnation);
}

static enum verdict timers_alive(void)
{
	for (unsigned vcpu = 0; vcpu < kernel.vcpus; vcpu++) {
		uint32_t before = __atomic_load_n(&world.fired[vcpu], __ATOMIC_SEQ_CST);

		CHECK(world_wait(&world.fired[vcpu], before + 10), "vcpu %u: %u of 10 ticks", vcpu,
		      world.fired[vcpu] - before);
	}
	return VERDICT_OK;
}

static enum verdict events_alive(void)
{
	for (unsigned i = 0; i < 50; i++)
		CHECK(echoes_all(), "round %u: an event was lost", i);
	return VERDICT_OK;
}

static enum verdict steal_went_on(void)
{
	for (unsigned vcpu = 0; vcpu < kernel.vcpus; vcpu++) {
		uint64_t now = runstate_stolen(&kernel.pvh.runstate[vcpu], &kernel.host);

		CHECK(now >= here.stolen[vcpu], "vcpu %u: %lu ns, was %lu", vcpu, now,
		      here.stolen[vcpu]);
	}
	return VERDICT_OK;
}

/* What was asked for before came, and there is more. */
static enum verdict disk_alive(void)
{
	uint32_t before = here.rounds;

	if (!here.disk)
		return test_say(VERDICT_SKIP, "this domain has no disk");
	CHECK(!here.disk_rc, "error %d", here.disk_rc);
	CHECK(!memcmp(here.written, here.read, DISK_LENGTH), "other bytes than before");
	for (unsigned i = 0; i < 10; i++)
		CHECK(disk_round(), "round %u", here.rounds);
	return test_say(VERDICT_OK, "%u rounds before, one read under way", before);
}

static enum verdict net_alive(void)
{
	uint16_t before = here.pings;

	if (!here.net)
		return test_say(VERDICT_SKIP, "this domain has no network card");
	CHECK(!here.net_rc, "error %d", here.net_rc);
	for (unsigned i = 0; i < 10; i++)
		CHECK(!net_ping(here.pings++, 500), "ping %u", i);
	return test_say(VERDICT_OK, "%u pings before", before);
}

static void devices_stop(void)
{
	if (here.disk)
		disk_close();
	if (here.net)
		net_close();
}

static enum verdict load_stop(void)
{
	char line[160];

	devices_stop();
	world_timer_stop();
	for (unsigned vcpu = 0; vcpu < kernel.vcpus; vcpu++)
		evtchn_close(&kernel.pvh.evtchn, &here.echo[vcpu]);
	anomalies_print(&kernel.pvh.anomalies, line, sizeof(line));
	CHECK(!store_put(0, "data/anomalies", line), "the store refuses");
	CHECK(!kernel.pvh.anomalies.count[ANOMALY_TIME_BACKWARDS], "Xen's clock went back: %s",
	      line);
	CHECK(!kernel.pvh.anomalies.count[ANOMALY_EVENT_RECOVERED],
	      "an event had to be sent again");
	return test_say(VERDICT_OK, "%s", line);
}

static const struct test tests[] = {
	{"saved", "3.0", waits_and_is_saved},    {"made-anew", "3.0", made_anew},
	{"time-went-on", "3.0", time_went_on},   {"incarnation", "4.0", incarnation_seen},
	{"timers-alive", "3.1", timers_alive},   {"events-alive", "3.0", events_alive},
	{"steal-went-on", "3.1", steal_went_on}, {"disk-alive", "3.0", disk_alive},
	{"net-alive", "3.0", net_alive},         {"anomalies", "3.0", load_stop},
};

void tests_suspend(void)
{
	if (world_upgrade() || kernel.dom0)
		return;
	kernel.pvh.two_level = false;
	world_abi(true);
	if (kernel.pvh.upcall.route == UPCALL_POLL)
		upcall_choose(&kernel.pvh.upcall, kernel.pvh.features, ~0u);
	kernel.pvh.routes = 0;
	test_cases("suspend", tests, sizeof(tests) / sizeof(tests[0]));
}
