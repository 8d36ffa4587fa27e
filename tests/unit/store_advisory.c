/* Xen's security advisories about its XenStore daemons, each as the test that would have caught it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store_world.h"
#include "xenstore-tools/store/transaction.h"

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
	struct connection *guest;
	uint32_t id;

	world_guest(world, 1);
	world_guest(world, 3);
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
	guest = world_guest(world, 1);
	ck_says("new", say(world, guest, XS_READ, "/shared|"), "!EACCES");
	say(world, guest, XS_WATCH, "@releaseDomain|t|");
	events(guest);
	ck_says("another's end", say(world, world->dom0, XS_RELEASE, "3|"), "OK|");
	ck_says("is not told", events(guest), "");
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
	/* Given the root, it leaves it behind. */
	say(world, world->dom0, XS_SET_PERMS, "/|n1|");
	world->domain[1].exists = false;
	domains_scan(&world->store);
	ck_says("the root", say(world, world->dom0, XS_GET_PERMS, "/|"), "n0|");
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
	tcase_add_loop_test(tc, xsa_233_target, 0, 2);
	tcase_add_test(tc, xsa_322_and_417_domid_reuse);
	tcase_add_test(tc, xsa_323_relative_paths);
	tcase_add_test(tc, xsa_324_long_token);
	tcase_add_test(tc, xsa_352_and_353_owner_and_root);
	tcase_add_test(tc, xsa_421_all_sequences);
	tcase_add_test(tc, xsa_425_release_in_the_loop);
	tcase_add_test(tc, xsa_481_path);
	tcase_add_test(tc, xsa_484_reset_in_a_transaction);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
