/* The frontends of frontend/core, in a kernel. */
#include "frontend/core/limbo.h"
#include "frontend/kernel/disk.h"
#include "frontend/kernel/grant.h"
#include "frontend/kernel/net.h"
#include "frontend/kernel/platform.h"
#include "frontend/kernel/test.h"
#include "frontend/kernel/world.h"

/* Behind what a boot sector and a kernel may occupy. */
#define SAFE_OFFSET (4u << 20)
#define LENGTH      32768u
#define ROUNDS      20u
#define PINGS       50u

static enum verdict disk(void)
{
	uint8_t *written = memory_pages(LENGTH / 4096), *read = memory_pages(LENGTH / 4096);
	enum verdict verdict = VERDICT_OK;
	uint64_t size;
	int rc = disk_open();

	if (rc == -ENODEV)
		return test_say(VERDICT_SKIP, "this domain has no disk");
	CHECK(!rc && written && read, "does not connect: %d", rc);
	size = disk_size();
	if (size < SAFE_OFFSET + ROUNDS * LENGTH)
		verdict = test_say(VERDICT_SKIP, "it has %lu bytes", size);
	for (unsigned round = 0; verdict == VERDICT_OK && round < ROUNDS; round++) {
		uint64_t offset = SAFE_OFFSET + (uint64_t)round * LENGTH;

		for (unsigned i = 0; i < LENGTH; i++)
			written[i] = (uint8_t)(i * 31 + round);
		rc = disk_write(offset, written, LENGTH);
		rc = rc ? rc : disk_read(offset, read, LENGTH);
		if (rc)
			verdict = test_say(VERDICT_FAIL, "round %u: error %d", round, rc);
		else if (memcmp(written, read, LENGTH) != 0)
			verdict = test_say(VERDICT_FAIL, "round %u: other bytes", round);
	}
	disk_close();
	memory_pages_free(written, LENGTH / 4096);
	memory_pages_free(read, LENGTH / 4096);
	if (verdict == VERDICT_OK)
		test_say(VERDICT_OK, "%lu bytes, %u written and read", size, ROUNDS * LENGTH);
	return verdict;
}

/* The lab's bridge has 192.0.2.1. */
static enum verdict net(void)
{
	static const struct net_addresses addresses = {0xc000024d, 0xc0000201};
	static const size_t lengths[] = {0, 1, 56, 511, 1472};
	unsigned pings = 0;
	int rc = net_open(&addresses);

	if (rc == -ENODEV)
		return test_say(VERDICT_SKIP, "this domain has no network card");
	CHECK(!rc, "does not connect: %d", rc);
	rc = net_find();
	for (; !rc && pings < PINGS; pings++)
		rc = net_ping((uint16_t)pings,
			      lengths[pings % (sizeof(lengths) / sizeof(lengths[0]))]);
	net_close();
	CHECK(!rc, "ping %u: error %d", pings, rc);
	return test_say(VERDICT_OK, "%u pings came back", pings);
}

/* A backend may take its time to let go of what a closed device had shared with it. */
static enum verdict nothing_left(void)
{
	struct platform *platform = platform_start();
	uint64_t end = world_now() + WORLD_PATIENCE_NS;

	while (platform && limbo_retry(platform) && world_now() < end)
		smp_yield();
	CHECK(!grant_used(), "%u grants are left", grant_used());
	return VERDICT_OK;
}

static const struct test tests[] = {
	{"disk", "3.0", disk},
	{"net", "3.0", net},
	{"nothing-left", "3.0", nothing_left},
};

void tests_devices(void)
{
	if (kernel.dom0 || world_upgrade())
		return;
	if (kernel.pvh.upcall.route == UPCALL_POLL)
		upcall_choose(&kernel.pvh.upcall, kernel.pvh.features, ~0u);
	test_cases("devices", tests, sizeof(tests) / sizeof(tests[0]));
}
