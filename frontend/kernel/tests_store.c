/* The XenStore client and grants. */
#include <stdint.h>

#include <xen/grant_table.h>

#include "frontend/kernel/grant.h"
#include "frontend/kernel/store.h"
#include "frontend/kernel/test.h"
#include "frontend/kernel/world.h"

static enum verdict reads(void)
{
	char value[64], small[2];
	struct cpuid_hvm hvm;
	unsigned domid = 0;

	CHECK(store_get(0, "domid", value, sizeof(value)) > 0, "no domid");
	for (const char *digit = value; *digit; digit++)
		domid = domid * 10 + (unsigned)(*digit - '0');
	if (!cpuid_hvm_read(&kernel.host, &kernel.xen, &hvm) && hvm.has_domid)
		CHECK(hvm.domid == domid, "domain %u by CPUID, %u by the store", hvm.domid, domid);
	CHECK(store_get(0, "no/such/node", value, sizeof(value)) == -ENOENT, "what is not there");
	CHECK(store_get(0, "name", small, sizeof(small)) == -E2BIG, "what does not fit");
	return test_say(VERDICT_OK, "domain %u", domid);
}

static enum verdict writes(void)
{
	char value[64], names[256];
	uint32_t transaction;

	CHECK(!store_put(0, "data/kernel", "one"), "data/ is not ours to write");
	CHECK(!store_transaction_begin(&transaction), "no transaction");
	CHECK(!store_put(transaction, "data/kernel", "two"), "not within one");
	CHECK(store_get(0, "data/kernel", value, sizeof(value)) == 3 && !strcmp(value, "one"),
	      "seen before it was committed");
	CHECK(!store_transaction_end(transaction, 1), "not committed");
	CHECK(store_get(0, "data/kernel", value, sizeof(value)) == 3 && !strcmp(value, "two"),
	      "not seen after");
	CHECK(store_names("data", names, sizeof(names)) > 0, "no names");
	CHECK(!store_delete(0, "data/kernel"), "not removed");
	CHECK(store_get(0, "data/kernel", value, sizeof(value)) == -ENOENT, "still there");
	return VERDICT_OK;
}

static void watch_count(void *arg)
{
	++*(unsigned *)arg;
}

static bool watch_wait(const unsigned *count, unsigned value)
{
	uint64_t end = world_now() + WORLD_PATIENCE_NS;

	while (*count < value && world_now() < end) {
		store_watches();
		smp_yield();
	}
	return *count >= value;
}

static enum verdict watches(void)
{
	unsigned count = 0, watch;

	CHECK(!store_watch_add("data/watched", watch_count, &count, &watch), "refused");
	CHECK(watch_wait(&count, 1), "a new watch fires once");
	store_put(0, "data/watched", "x");
	CHECK(watch_wait(&count, 2), "does not fire");
	store_watch_remove(watch);
	store_delete(0, "data/watched");
	return VERDICT_OK;
}

static enum verdict anomalies_published(void)
{
	char line[200], seen[200];

	anomalies_print(&kernel.pvh.anomalies, line, sizeof(line));
	CHECK(!store_put(0, "data/anomalies", line), "the store refuses");
	CHECK(store_get(0, "data/anomalies", seen, sizeof(seen)) == (int)strlen(line), "cut");
	CHECK(!strcmp(line, seen), "changed");
	return test_say(VERDICT_OK, "%s", line);
}

/* Xen copies through our own grant. */
static enum verdict grant_copied(void)
{
	char *from = memory_pages(1), *to = memory_pages(1);
	struct gnttab_copy copy = {.len = 4096, .flags = GNTCOPY_source_gref};
	uint32_t gref, used = grant_used();
	long rc;

	CHECK(from && to, "no memory");
	CHECK(!grant_start(), "no table");
	CHECK(!grant_give(DOMID_SELF, from, true, &gref), "no grant");
	/* A domain's own number is not DOMID_SELF in the table. */
	for (unsigned i = 0; i < 4096; i++)
		from[i] = (char)(i * 7);
	copy.source.u.ref = gref;
	copy.source.domid = DOMID_SELF;
	copy.dest.u.gmfn = (uint64_t)to / 4096;
	copy.dest.domid = DOMID_SELF;
	rc = hypercall3(&kernel.host, __HYPERVISOR_grant_table_op, GNTTABOP_copy,
			(unsigned long)&copy, 1);
	CHECK(rc == -ENOSYS || rc == 0, "error %ld", rc);
	CHECK(!grant_end(gref) && grant_used() == used, "does not end");
	if (copy.status == GNTST_okay)
		CHECK(!memcmp(from, to, 4096), "other bytes");
	memory_pages_free(from, 1);
	memory_pages_free(to, 1);
	return test_say(VERDICT_OK, "status %d", copy.status);
}

static enum verdict grant_limits(void)
{
	char *page = memory_pages(1);
	static uint32_t gref[GRANT_FRAMES * 512u];
	uint32_t given = 0;
	int rc;

	CHECK(page && !grant_start(), "no table");
	do {
		rc = grant_give(0, page, false, &gref[given]);
	} while (!rc && ++given < GRANT_FRAMES * 512u);
	CHECK(rc == -ENOSPC && given > 1000, "%u given, %d", given, rc);
	test_say(VERDICT_OK, "%u", given);
	while (given--)
		CHECK(!grant_end(gref[given]), "does not end");
	memory_pages_free(page, 1);
	return VERDICT_OK;
}

static const struct test tests[] = {
	{"read", "3.0", reads},
	{"write", "3.0", writes},
	{"watch", "3.0", watches},
	{"anomalies-published", "3.0", anomalies_published},
	{"grant-copy", "3.1", grant_copied},
	{"grant-limits", "3.0", grant_limits},
};

void tests_store(void)
{
	if (kernel.dom0 || world_upgrade())
		return;
	test_cases("store", tests, sizeof(tests) / sizeof(tests[0]));
}
