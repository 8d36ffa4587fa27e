/* Xen's security advisories about its XenStore daemons, each as the test that would have caught it.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store_world.h"
#include "xenstore-tools/store/transaction.h"

/* Domain 1 with a home of its own. */
static struct world *world_with_home(struct connection **guest)
{
	struct world *world = world_new();

	say(world, world->dom0, XS_MKDIR, "/local/domain/1|");
	say(world, world->dom0, XS_SET_PERMS, "/local/domain/1|n1|");
	*guest = world_guest(world, 1);
	return world;
}

/* A body of @size bytes: @head, then 'v's. */
static const char *long_body(const char *head, size_t size)
{
	static char body[XENSTORE_PAYLOAD_MAX + 2];

	memset(body, 'v', size);
	memcpy(body, head, strlen(head));
	body[size] = '\0';
	return body;
}

/* The same with a NUL at its end, for a token. */
static const char *long_token(const char *head, size_t size)
{
	char *body = (char *)(uintptr_t)long_body(head, size + 1);

	body[size] = '|';
	return body;
}

/* Lengths in headers are believed only as far as a payload goes; no reply is longer than one. */
START_TEST(xsa_72_and_420_lengths)
{
	static const uint32_t lengths[] = {4097, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
	struct world *world = world_new();
	char body[64];

	for (int i = 0; i < TABLE_SIZE(lengths); i++) {
		struct connection *client = world_socket(world);
		struct xsd_sockmsg header = {XS_READ, 1, 0, lengths[i]};
		unsigned budget = 10;

		ck_assert_uint_eq(connection_consume(client, (const char *)&header, sizeof(header),
						     &budget),
				  sizeof(header));
		ck_assert_int_eq(client->state, CONNECTION_BROKEN);
	}
	for (int i = 0; i < 400; i++) {
		snprintf(body, sizeof(body), "/d/a-rather-long-name-%d|", i);
		say(world, world->dom0, XS_MKDIR, body);
	}
	ck_says("directory", say(world, world->dom0, XS_DIRECTORY, "/d|"), "!E2BIG");
	world_free(world);
}
END_TEST

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

/* A stub domain and its target go, in either order. */
START_TEST(xsa_233_target)
{
	struct world *world = world_new();
	struct connection *stub = world_guest(world, 1);

	world_guest(world, 2);
	say(world, world->dom0, XS_WRITE, "/t|v");
	say(world, world->dom0, XS_SET_PERMS, "/t|n2|");
	ck_says("not yet", say(world, stub, XS_READ, "/t|"), "!EACCES");
	ck_says("target", say(world, world->dom0, XS_SET_TARGET, "1|2|"), "OK|");
	ck_says("its target's rights", say(world, stub, XS_READ, "/t|"), "v");
	say(world, world->dom0, _i ? XS_RELEASE : XS_RESUME, "1|");
	ck_says("target goes", say(world, world->dom0, XS_RELEASE, "2|"), "OK|");
	if (!_i) {
		/* Who comes as domain 2 next is none of its business. */
		say(world, world->dom0, XS_WRITE, "/t|v");
		world_guest(world, 2);
		say(world, world->dom0, XS_SET_PERMS, "/t|n2|");
		ck_says("no longer", say(world, stub, XS_READ, "/t|"), "!EACCES");
		ck_says("stub goes", say(world, world->dom0, XS_RELEASE, "1|"), "OK|");
	}
	world_free(world);
}
END_TEST

/* No event tells of a node that the watcher cannot read (store_watch has the whole matrix). */
START_TEST(xsa_115_unreadable_events)
{
	struct world *world = world_new();
	struct connection *guest = world_guest(world, 1);

	say(world, guest, XS_WATCH, "/|t|");
	events(guest);
	say(world, world->dom0, XS_WRITE, "/secret/of/dom0|v");
	say(world, world->dom0, XS_RM, "/secret|");
	ck_says("nothing", events(guest), "");
	ck_says("who is there", say(world, guest, XS_IS_DOMAIN_INTRODUCED, "2|"), "!EACCES");
	world_free(world);
}
END_TEST

/* A new domain with the number of a dead one has none of its rights. */
START_TEST(xsa_322_and_417_domid_reuse)
{
	struct world *world = world_new();
	uint32_t id;

	world_guest(world, 1);
	say(world, world->dom0, XS_WRITE, "/shared|v");
	say(world, world->dom0, XS_SET_PERMS, "/shared|n0|r1|r2|");
	say(world, world->dom0, XS_SET_PERMS, "@releaseDomain|n0|r1|");
	/* Never existed when it was written: it grants nothing later either. */
	say(world, world->dom0, XS_WRITE, "/early|v");
	ck_says("early", say(world, world->dom0, XS_SET_PERMS, "/early|n0|r9|"), "OK|");
	id = begin(world, world->dom0);
	say_in(world, world->dom0, id, XS_WRITE, "/in-transaction|v");
	say_in(world, world->dom0, id, XS_SET_PERMS, "/in-transaction|n1|");

	world->domain[1].exists = false;
	domains_scan(&world->store);
	ck_says("its entries go", say(world, world->dom0, XS_GET_PERMS, "/shared|"), "n0|r2|");
	ck_says("transaction from before", commit(world, world->dom0, id), "!EAGAIN");

	world->domain[1].exists = world->domain[9].exists = true;
	ck_says("new", say(world, world_guest(world, 1), XS_READ, "/shared|"), "!EACCES");
	ck_says("early", say(world, world_guest(world, 9), XS_READ, "/early|"), "!EACCES");
	world_free(world);
}
END_TEST

/* Limits hold for what a relative path becomes. */
START_TEST(xsa_323_relative_paths)
{
	static const char home[] = "/local/domain/1/";
	struct connection *guest;
	struct world *world = world_with_home(&guest);
	char body[2200];

	for (size_t length = 2040; length <= 2060; length++) {
		memset(body, 'a', length);
		body[length] = '|';
		body[length + 1] = '\0';
		ck_says("relative", say(world, guest, XS_READ, body),
			length <= 2048 ? "!ENOENT" : "!EINVAL");
		memcpy(body, home, sizeof(home) - 1);
		ck_says("absolute", say(world, guest, XS_READ, body),
			length <= 2048 + 16 ? "!ENOENT" : "!EINVAL");
	}
	world_free(world);
}
END_TEST

/* An event that does not fit into a payload is dropped, not sent. */
START_TEST(xsa_324_long_token)
{
	static const char node[] = "/local/domain/1/x/";
	struct connection *guest;
	struct world *world = world_with_home(&guest);
	char body[2100];

	memset(body, 'a', sizeof(body));
	snprintf(body + 2000, sizeof(body) - 2000, "|v");
	ck_says("watch", say(world, guest, XS_WATCH, long_token("x|", 4000)), "OK|");
	ck_assert_uint_gt(strlen(events(guest)), 3990);
	say(world, world->dom0, XS_CONTROL, "quota|set|node-size|0|");
	memcpy(body, node, sizeof(node) - 1);
	ck_says("long", say(world, world->dom0, XS_WRITE, body), "OK|");
	ck_says("dropped", events(guest), "");
	ck_says("short", say(world, world->dom0, XS_WRITE, "/local/domain/1/x|v"), "OK|");
	ck_assert_uint_gt(strlen(events(guest)), 3990);
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

/* Nodes are not given away, and the root is a node like any other. */
START_TEST(xsa_352_and_353_owner_and_root)
{
	static const struct {
		uint32_t type;
		const char *body, *reply;
	} rows[] = {
		{XS_SET_PERMS, "own|n2|", "!EPERM"},
		{XS_SET_PERMS, "own|n0|", "!EPERM"},
		{XS_SET_PERMS, "own|n1|b2|", "OK|"},
		{XS_READ, "/|", "!EACCES"},
		{XS_DIRECTORY, "/|", "!EACCES"},
		{XS_GET_PERMS, "/|", "!EACCES"},
		{XS_WRITE, "/|v", "!EACCES"},
		{XS_MKDIR, "/|", "!EACCES"},
		{XS_RM, "/|", "!EACCES"},
		{XS_SET_PERMS, "/|n1|", "!EACCES"},
		{XS_MKDIR, "/x|", "!EACCES"},
		{XS_RM, "/tool|", "!EACCES"},
		{XS_DIRECTORY_PART, "/|0|", "!EACCES"},
	};
	struct connection *guest;
	struct world *world = world_with_home(&guest);

	say(world, guest, XS_WRITE, "own|v");
	for (int i = 0; i < TABLE_SIZE(rows); i++)
		ck_says(rows[i].body, say(world, guest, rows[i].type, rows[i].body), rows[i].reply);
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

/* All sequences of four changes in one transaction do what they do outside. */
START_TEST(xsa_421_all_sequences)
{
	static const struct {
		uint32_t type;
		const char *body;
	} changes[] = {
		{XS_WRITE, "/t/a|1"}, {XS_WRITE, "/t/a/b|2"}, {XS_MKDIR, "/t/c|"},
		{XS_RM, "/t/a|"},     {XS_RM, "/t/a/b|"},     {XS_SET_PERMS, "/t/a|r1|"},
		{XS_RM, "/t|"},
	};
	static const char *const looked[] = {"/t|", "/t/a|", "/t/a/b|", "/t/c|"};
	enum { KINDS = TABLE_SIZE(changes) };
	struct world *inside = world_new(), *outside = world_new();
	struct connection *disturber = world_socket(inside);

	for (int n = 0; n < KINDS * KINDS * KINDS * KINDS; n++) {
		uint32_t id;

		say(inside, inside->dom0, XS_RM, "/t|");
		say(outside, outside->dom0, XS_RM, "/t|");
		if (n % 2) {
			say(inside, inside->dom0, XS_WRITE, "/t/a/b|0");
			say(outside, outside->dom0, XS_WRITE, "/t/a/b|0");
		}
		id = begin(inside, inside->dom0);
		for (int i = 0, k = n; i < 4; i++, k /= KINDS) {
			say_in(inside, inside->dom0, id, changes[k % KINDS].type,
			       changes[k % KINDS].body);
			ck_says(changes[k % KINDS].body,
				say(outside, outside->dom0, changes[k % KINDS].type,
				    changes[k % KINDS].body),
				inside->reply);
		}
		/* Merged, not just exchanged. */
		if (n % 3)
			say(inside, disturber, XS_WRITE, "/elsewhere|v");
		ck_says("commit", commit(inside, inside->dom0, id), "OK|");
		for (int i = 0; i < TABLE_SIZE(looked); i++) {
			static const uint32_t types[] = {XS_READ, XS_DIRECTORY, XS_GET_PERMS};

			for (int t = 0; t < 3; t++) {
				say(inside, inside->dom0, types[t], looked[i]);
				ck_says(looked[i], say(outside, outside->dom0, types[t], looked[i]),
					inside->reply);
			}
		}
	}
	world_free(inside);
	world_free(outside);
}
END_TEST

/* A domain is released by a request while it waits for its turn, with events to be sent. */
START_TEST(xsa_425_release_in_the_loop)
{
	struct world *world = world_new();
	struct connection *guest = world_guest(world, 1), *other, *is;

	say(world, world->dom0, XS_SET_PERMS, "/tool|r0|");
	say(world, guest, XS_WATCH, "/tool|t|");
	world_guest(world, 2);
	say(world, world->dom0, XS_WRITE, "/tool|v");
	ck_assert(guest->is_dirty);
	ck_says("release", say(world, world->dom0, XS_RELEASE, "1|"), "OK|");
	TAILQ_FOREACH (other, &world->store.connections, all)
		ck_assert_ptr_ne(other, guest);
	TAILQ_FOREACH (is, &world->store.dirty, dirty)
		ck_assert_ptr_ne(is, guest);
	ck_says("twice", say(world, world->dom0, XS_RELEASE, "1|"), "!ENOENT");
	ck_says("write", say(world, world->dom0, XS_WRITE, "/tool|w"), "OK|");
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

START_TEST(xsa_481_path)
{
	static const char *const bodies[] = {"/local/domain/|",
					     "/local/domain//|",
					     "/local/domain/x|",
					     "/local/domain/1/|",
					     "/local/domain/99999999999/x|",
					     "/local/domain|"};
	struct connection *guest;
	struct world *world = world_with_home(&guest);

	for (int i = 0; i < TABLE_SIZE(bodies); i++)
		for (uint32_t type = 0; type < XS_TYPE_COUNT; type++) {
			say(world, guest, type, bodies[i]);
			output_clear(&guest->output);
			connection_drop_transactions(guest);
		}
	ck_says("the literal case", say(world, guest, XS_READ, "/local/domain/|"), "!EINVAL");
	world_free(world);
}
END_TEST

START_TEST(xsa_484_reset_in_a_transaction)
{
	struct connection *guest;
	struct world *world = world_with_home(&guest);
	uint32_t id = begin(world, guest);

	say_in(world, guest, id, XS_WRITE, "x|v");
	ck_says("reset", say_in(world, guest, id, XS_RESET_WATCHES, "|"), "OK|");
	ck_says("it is gone", commit(world, guest, id), "!ENOENT");
	ck_says("nothing done", say(world, guest, XS_READ, "x|"), "!ENOENT");
	world_free(world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_advisory");
	TCase *tc = tcase_create("store_advisory");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, xsa_72_and_420_lengths);
	tcase_add_test(tc, xsa_115_unreadable_events);
	tcase_add_test(tc, xsa_206_storm);
	tcase_add_loop_test(tc, xsa_233_target, 0, 2);
	tcase_add_test(tc, xsa_322_and_417_domid_reuse);
	tcase_add_test(tc, xsa_323_relative_paths);
	tcase_add_test(tc, xsa_324_long_token);
	tcase_add_test(tc, xsa_326_and_416_floods);
	tcase_add_test(tc, xsa_326_unread_by_others);
	tcase_add_test(tc, xsa_326_old_snapshots);
	tcase_add_test(tc, xsa_330_reset_watches);
	tcase_add_test(tc, xsa_352_and_353_owner_and_root);
	tcase_add_test(tc, xsa_418_deep_trees);
	tcase_add_test(tc, xsa_419_and_483_reboots);
	tcase_add_test(tc, xsa_421_all_sequences);
	tcase_add_test(tc, xsa_425_release_in_the_loop);
	tcase_add_test(tc, xsa_440_negative_account);
	tcase_add_test(tc, xsa_481_path);
	tcase_add_test(tc, xsa_484_reset_in_a_transaction);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
