/* Xen's security advisories about guests that take too much: of memory, depth, accounts, patience.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store_world.h"
#include "xenstore-tools/store/transaction.h"

/* A guest that writes all the time must not keep dom0's transaction from ever committing. */
START_TEST(xsa_206_storm)
{
	struct connection *guest;
	struct world *world = world_with_home(&guest);
	struct xsd_sockmsg header = {XS_WRITE, 1, 0, 7};
	char storm[sizeof(header) + 7];
	int tries = 0;

	say(world, guest, XS_WRITE, "data|0");
	memcpy(storm, &header, sizeof(header));
	memcpy(storm + sizeof(header), "data\0v", 7);
	for (;;) {
		char start[sizeof(header) + 1] = {XS_TRANSACTION_START}, end[sizeof(header) + 2];
		uint32_t id = world->dom0->transaction_next;
		unsigned budget = 1;

		ck_assert_int_lt(tries++, 3);
		/* No time passes in here, or dom0 would have needed more than 100 ms. */
		start[12] = 1;
		connection_consume(world->dom0, start, sizeof(start), &budget);
		budget = 1;
		header = (struct xsd_sockmsg){XS_READ, 1, id, 21};
		memcpy(world->scratch.bytes, &header, sizeof(header));
		memcpy(world->scratch.bytes + sizeof(header), "/local/domain/1/data", 21);
		connection_consume(world->dom0, world->scratch.bytes, sizeof(header) + 21, &budget);

		budget = 5;
		connection_consume(guest, storm, sizeof(storm), &budget);
		output_clear(&guest->output);

		budget = 1;
		header = (struct xsd_sockmsg){XS_TRANSACTION_END, 1, id, 2};
		memcpy(end, &header, sizeof(header));
		memcpy(end + sizeof(header), "T", 2);
		output_clear(&world->dom0->output);
		connection_consume(world->dom0, end, sizeof(end), &budget);
		if (((struct xsd_sockmsg *)TAILQ_FIRST(&world->dom0->output.queue)->bytes)->type !=
		    XS_ERROR)
			break;
		output_clear(&world->dom0->output);
	}
	ck_assert_int_eq(tries, 2);
	output_clear(&world->dom0->output);
	ck_says("later it may", say(world, guest, XS_WRITE, "data|w"), "OK|");
	world_free(world);
}
END_TEST

/* Whatever it does, what a guest makes us keep stays below its quota of memory. */
START_TEST(xsa_326_and_416_floods)
{
	struct connection *guest;
	struct world *world = world_with_home(&guest);
	const size_t before = mallinfo2().uordblks;
	char body[128];

	/* Requests whose replies it doesn't read. */
	struct xsd_sockmsg header = {XS_READ, 1, 0, 5};
	char bytes[sizeof(header) + 5];

	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), "data", 5);
	say(world, guest, XS_WRITE, long_body("data|", 2000));
	for (int i = 0; i < 10000; i++) {
		unsigned budget = 1;

		connection_consume(guest, bytes, sizeof(bytes), &budget);
	}
	ck_assert_uint_eq(guest->output.replies, 20);
	output_clear(&guest->output);

	/* Events that it doesn't read, each another path. */
	say(world, guest, XS_WATCH, long_token("w|", 1500));
	for (int i = 0; i < 5000; i++) {
		snprintf(body, sizeof(body), "/local/domain/1/w/%d|", i);
		say(world, world->dom0, XS_MKDIR, body);
		say(world, world->dom0, XS_RM, body);
	}
	ck_assert_int_le(connection_used(guest) + guest->domain->bytes, 2560 * 1024 + 8192);

	/* Transactions full of values. */
	output_clear(&guest->output);
	say(world, guest, XS_RESET_WATCHES, "|");
	for (int t = 0; t < 11; t++) {
		uint32_t id = strtoul(say(world, guest, XS_TRANSACTION_START, "|"), NULL, 10);

		for (int i = 0; id && i < 900; i++) {
			snprintf(body, sizeof(body), "t%d|", i);
			say_in(world, guest, id, XS_WRITE, long_body(body, 1900));
		}
	}
	ck_assert_int_le(connection_used(guest), 2560 * 1024 + 8192);
	ck_assert_uint_lt(mallinfo2().uordblks - before, 2 * 2560 * 1024);
	say(world, guest, XS_RESET_WATCHES, "|");
	ck_assert_int_eq(connection_used(guest), 0);
	world_free(world);
}
END_TEST

/* Events of a guest's requests that somebody else doesn't read make the guest wait, until they are.
 */
START_TEST(xsa_326_unread_by_others)
{
	struct connection *guest;
	struct world *world = world_with_home(&guest);
	struct connection *sleeper = world_socket(world);
	struct xsd_sockmsg header = {XS_WRITE, 1, 0, 5};
	char bytes[sizeof(header) + 5];
	unsigned served = 0;

	say(world, sleeper, XS_WATCH, "/local|t|");
	events(sleeper);
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), "n00", 4);
	bytes[sizeof(bytes) - 1] = 'v';
	for (int i = 0; i < 90; i++) {
		unsigned budget = 1;

		bytes[sizeof(header) + 1] = (char)('0' + i / 10);
		bytes[sizeof(header) + 2] = (char)('0' + i % 10);
		connection_consume(guest, bytes, sizeof(bytes), &budget);
		served += !budget;
		output_clear(&guest->output);
	}
	ck_assert_uint_eq(served, 20);
	ck_assert(!connection_ready(guest));
	events(sleeper);
	ck_assert(connection_ready(guest));
	ck_assert_uint_eq(guest->outstanding, 0);

	/* Both may go while a debt is open. */
	ck_says("again", say(world, guest, XS_WRITE, "n|v"), "OK|");
	ck_assert_uint_eq(guest->outstanding, 1);
	say(world, world->dom0, XS_RELEASE, "1|");
	connection_free(sleeper);
	world_free(world);
}
END_TEST

/* A transaction that stays open keeps no more than so many old nodes in memory. */
START_TEST(xsa_326_old_snapshots)
{
	struct connection *guest;
	struct world *world = world_with_home(&guest);
	char body[64];
	uint32_t id = begin(world, guest);
	size_t before;

	say_in(world, guest, id, XS_WRITE, "x|v");
	for (int i = 0; i < 1000; i++) {
		snprintf(body, sizeof(body), "/d/%d|", i);
		say(world, world->dom0, XS_WRITE, long_body(body, 3000));
	}
	before = mallinfo2().uordblks;
	for (int i = 0; i < 40000; i++) {
		snprintf(body, sizeof(body), "/d/%d|", i % 1000);
		say(world, world->dom0, XS_WRITE, long_body(body, 3000));
	}
	ck_assert_uint_lt(mallinfo2().uordblks, before + 4000 * 3000);
	ck_says("it goes on", say_in(world, guest, id, XS_READ, "x|"), "!ENOENT");
	ck_says("but starts again", commit(world, guest, id), "!EAGAIN");
	world_free(world);
}
END_TEST

START_TEST(xsa_330_reset_watches)
{
	struct connection *guest;
	struct world *world = world_with_home(&guest);
	size_t before = 0;
	char body[64];

	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 100; i++) {
			snprintf(body, sizeof(body), "w/%d|t|", i);
			ck_says("watch", say(world, guest, XS_WATCH, body), "OK|");
			events(guest);
		}
		ck_says("reset", say(world, guest, XS_RESET_WATCHES, "|"), "OK|");
		ck_assert_uint_eq(world->store.watches.count, 0);
		if (round == 100) /* what malloc keeps at hand has settled */
			before = mallinfo2().uordblks;
	}
	ck_assert_uint_le(mallinfo2().uordblks, before + 4096);
	world_free(world);
}
END_TEST

/* A tree as deep as paths allow is made, walked, removed and freed without recursion. */
START_TEST(xsa_418_deep_trees)
{
	struct connection *guest;
	struct world *world = world_with_home(&guest);
	char body[2100] = "d";
	uint32_t id;

	for (int i = 0; i < 990; i++)
		memcpy(body + 1 + (size_t)2 * i, "/d|", sizeof("/d|"));
	say(world, guest, XS_WATCH, "d|t|");
	ck_says("make", say(world, guest, XS_MKDIR, body), "OK|");
	ck_assert_int_eq(guest->domain->nodes, 992);
	id = begin(world, guest);
	ck_says("remove", say_in(world, guest, id, XS_RM, "d|"), "OK|");
	ck_says("commit", commit(world, guest, id), "OK|");
	ck_assert_int_eq(guest->domain->nodes, 1);
	ck_says("make", say(world, guest, XS_MKDIR, body), "OK|");
	world->domain[1].exists = false;
	domains_scan(&world->store);
	world_free(world);
}
END_TEST

/* Nodes outside its home go with the domain, and its account starts from nothing each time. */
START_TEST(xsa_419_and_483_reboots)
{
	struct world *world = world_new();
	char body[64];

	say(world, world->dom0, XS_MKDIR, "/pub|");
	say(world, world->dom0, XS_SET_PERMS, "/pub|b0|");
	for (int round = 0; round < 20; round++) {
		struct connection *guest = world_guest(world, 1);

		ck_assert_int_eq(guest->domain->nodes, 0);
		for (int i = 0; i < 200; i++) {
			snprintf(body, sizeof(body), "/pub/%d/x|", i);
			ck_says("make", say(world, guest, XS_MKDIR, body), "OK|");
		}
		/* Another's node below the guest's goes too, and is no longer billed to it. */
		say(world, world->dom0, XS_WRITE, "/pub/7/other|v");
		say(world, world->dom0, XS_SET_PERMS, "/pub/7/other|n2|");
		if (round % 2) {
			say(world, world->dom0, XS_RELEASE, "1|");
		} else {
			world->domain[1].dying = true;
			domains_scan(&world->store);
			world->domain[1].dying = false;
		}
		ck_says("all gone", say(world, world->dom0, XS_DIRECTORY, "/pub|"), "");
		ck_assert_int_eq(domain_find(&world->store, 2)->nodes, 0);
		ck_assert_int_eq(domains_check(&world->store), 0);
	}
	world_free(world);
}
END_TEST

/* Nodes counted in a transaction go outside before it commits. */
START_TEST(xsa_440_negative_account)
{
	struct connection *guest;
	struct world *world = world_with_home(&guest);
	uint32_t id;

	for (int first = 0; first < 2; first++) {
		say(world, guest, XS_WRITE, "a/b|v");
		id = begin(world, guest);
		say_in(world, guest, id, XS_RM, first ? "a|" : "a/b|");
		ck_says("outside", say(world, guest, XS_RM, first ? "a/b|" : "a|"), "OK|");
		say_in(world, guest, id, XS_WRITE, "c|v");
		commit(world, guest, id);
		ck_assert_int_ge(guest->domain->nodes, 1);
		ck_assert_int_eq(domains_check(&world->store), 0);
	}
	world_free(world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_flood");
	TCase *tc = tcase_create("store_flood");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, xsa_206_storm);
	tcase_add_test(tc, xsa_326_and_416_floods);
	tcase_add_test(tc, xsa_326_unread_by_others);
	tcase_add_test(tc, xsa_326_old_snapshots);
	tcase_add_test(tc, xsa_330_reset_watches);
	tcase_add_test(tc, xsa_418_deep_trees);
	tcase_add_test(tc, xsa_419_and_483_reboots);
	tcase_add_test(tc, xsa_440_negative_account);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
