/* Watches: who hears of what, under which name, and who doesn't. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/store_world.h"

/* A watch of another socket, something that dom0 does, what the watcher hears. */
static const struct {
	const char *what, *watch;
	uint32_t type;
	const char *body, *heard;
} heard[] = {
	{"the node itself", "/a|t|", XS_WRITE, "/a|v", "/a:t"},
	{"the same value", "/a|t|", XS_WRITE, "/a|1", "/a:t"},
	{"below it", "/a|t|", XS_WRITE, "/a/b|v", "/a/b:t"},
	{"deep below it", "/a|t|", XS_WRITE, "/a/b/c/d|v", "/a/b/c/d:t"},
	{"above it", "/a/b|t|", XS_WRITE, "/a|v", ""},
	{"a longer name", "/a|t|", XS_WRITE, "/ab|v", ""},
	{"everything", "/|t|", XS_WRITE, "/x/y|v", "/x/y:t"},
	{"the root", "/|t|", XS_WRITE, "/|v", "/:t"},
	{"made", "/new|t|", XS_MKDIR, "/new|", "/new:t"},
	{"made already", "/a|t|", XS_MKDIR, "/a|", ""},
	{"made by the way", "/new|t|", XS_WRITE, "/new/x|v", "/new/x:t"},
	{"perms", "/a|t|", XS_SET_PERMS, "/a|r0|", "/a:t"},
	{"removed", "/a|t|", XS_RM, "/a|", "/a:t"},
	{"removed below", "/a|t|", XS_RM, "/a/b|", "/a/b:t"},
	{"removed above", "/a/b/c|t|", XS_RM, "/a|", "/a/b/c:t"},
	{"removed above, not there", "/a/b/x|t|", XS_RM, "/a|", ""},
	{"removed what is missing", "/a|t|", XS_RM, "/a/x|", ""},
	{"read", "/a|t|", XS_READ, "/a|", ""},
	{"failed", "/a|t|", XS_RM, "/a/x/y|", ""},
	{"relative", "x|t|", XS_WRITE, "/local/domain/0/x/y|v", "x/y:t"},
	{"absolute into the home", "/local/domain/0/x|t|", XS_WRITE, "x/y|v",
	 "/local/domain/0/x/y:t"},
	{"introduced", "@introduceDomain|t|", XS_INTRODUCE, "1|0|7|", "@introduceDomain:t"},
	{"released", "@releaseDomain|t|", XS_INTRODUCE, "1|0|7|", ""},
	{"not below the root", "/|t|", XS_INTRODUCE, "1|0|7|", ""},
};

START_TEST(who_hears)
{
	struct world *world = world_new();
	struct connection *watcher = world_socket(world);
	const char *path = heard[_i].watch;
	char first[64];

	say(world, world->dom0, XS_WRITE, "/a|1");
	say(world, world->dom0, XS_WRITE, "/a/b/c|1");
	ck_says(heard[_i].what, say(world, watcher, XS_WATCH, path), "OK|");
	snprintf(first, sizeof(first), "%.*s:t", (int)strcspn(path, "|"), path);
	ck_says("at once", events(watcher), first);
	say(world, world->dom0, heard[_i].type, heard[_i].body);
	ck_says(heard[_i].what, events(watcher), heard[_i].heard);

	ck_says("twice", say(world, watcher, XS_WATCH, path), "!EEXIST");
	ck_says("unwatch", say(world, watcher, XS_UNWATCH, path), "OK|");
	ck_says("unwatch twice", say(world, watcher, XS_UNWATCH, path), "!ENOENT");
	say(world, world->dom0, XS_WRITE, "/a/b/c|2");
	ck_says("no longer", events(watcher), "");
	world_free(world);
}
END_TEST

/* Each node of a removed tree to whoever watches exactly that; its top also to those above. */
START_TEST(removed_tree)
{
	struct world *world = world_new();
	struct connection *watcher = world_socket(world);

	say(world, world->dom0, XS_WRITE, "/a/b/c|1");
	say(world, world->dom0, XS_WRITE, "/a/d|1");
	say(world, watcher, XS_WATCH, "/|root|");
	say(world, watcher, XS_WATCH, "/a/b|b|");
	say(world, watcher, XS_WATCH, "/a/b/c|c|");
	events(watcher);
	say(world, world->dom0, XS_RM, "/a|");
	ck_says("removed", events(watcher), "/a/b:b /a/b/c:c /a:root");
	world_free(world);
}
END_TEST

START_TEST(in_a_transaction)
{
	struct world *world = world_new();
	struct connection *watcher = world_socket(world);
	uint32_t id;

	say(world, world->dom0, XS_WRITE, "/a/b/c|1");
	say(world, watcher, XS_WATCH, "/a|t|");
	say(world, watcher, XS_WATCH, "/a/b/c|c|");
	events(watcher);

	id = begin(world, world->dom0);
	say_in(world, world->dom0, id, XS_WRITE, "/a/x|1");
	say_in(world, world->dom0, id, XS_WRITE, "/a/x|2");
	say_in(world, world->dom0, id, XS_READ, "/a/b|");
	say_in(world, world->dom0, id, XS_WRITE, "/a/new/y|1");
	ck_says("not yet", events(watcher), "");
	commit(world, world->dom0, id);
	ck_says("once each, in order", events(watcher), "/a/x:t /a/new/y:t");

	id = begin(world, world->dom0);
	say_in(world, world->dom0, id, XS_WRITE, "/a/x|1");
	say_in(world, world->dom0, id, XS_TRANSACTION_END, "F|");
	ck_says("aborted", events(watcher), "");

	id = begin(world, world->dom0);
	say_in(world, world->dom0, id, XS_RM, "/a|");
	say_in(world, world->dom0, id, XS_WRITE, "/a|1");
	commit(world, world->dom0, id);
	ck_says("removed and made", events(watcher), "/a/b/c:c /a:t");
	world_free(world);
}
END_TEST

/* Domain 1 watches everything in all ways; what it may not read it must not hear of. */
static const struct {
	const char *what;
	uint32_t type;
	const char *body, *heard;
} seen[] = {
	{"its own node", XS_WRITE, "/own|v", "/own:t"},
	{"readable", XS_WRITE, "/r|v", "/r:t"},
	{"closed", XS_WRITE, "/n|v", ""},
	{"only writable", XS_WRITE, "/w|v", ""},
	{"closed below readable", XS_WRITE, "/r/n|v", "/r/n:t"},
	{"closed below closed", XS_WRITE, "/n/n|v", ""},
	{"readable below closed", XS_WRITE, "/n/r|v", "/n/r:t"},
	{"perms taken away", XS_SET_PERMS, "/r|n0|", "/r:t"},
	{"perms given", XS_SET_PERMS, "/n|r0|", "/n:t"},
	{"perms of a closed one", XS_SET_PERMS, "/w|n0|", ""},
	{"a closed one removed", XS_RM, "/n/n|", ""},
	{"a readable one removed", XS_RM, "/n/r|", "/n/r:t"},
	{"a closed tree with a readable node removed", XS_RM, "/n|", "/n/r:e"},
	{"made in a closed one", XS_MKDIR, "/n/new|", ""},
	{"made in a readable one", XS_MKDIR, "/r/new|", "/r/new:t"},
};

START_TEST(guest_hears)
{
	static const char *const perms[] = {"/own|n1|", "/r|r0|",   "/n|n0|",  "/w|w0|",
					    "/r/n|n0|", "/n/n|n0|", "/n/r|r0|"};
	bool in_transaction = _i >= TABLE_SIZE(seen);
	int row = _i % TABLE_SIZE(seen);
	struct world *world = world_new();
	struct connection *guest = world_guest(world, 1);

	for (int i = 0; i < TABLE_SIZE(perms); i++) {
		char path[16];

		snprintf(path, sizeof(path), "%.*s|", (int)strcspn(perms[i], "|"), perms[i]);
		ck_says(path, say(world, world->dom0, XS_MKDIR, path), "OK|");
		ck_says(path, say(world, world->dom0, XS_SET_PERMS, perms[i]), "OK|");
	}
	say(world, guest, XS_WATCH, "/|t|");
	say(world, guest, XS_WATCH, "/n/r|e|");
	events(guest);
	if (in_transaction) {
		uint32_t id = begin(world, world->dom0);

		say_in(world, world->dom0, id, seen[row].type, seen[row].body);
		ck_says("commit", commit(world, world->dom0, id), "OK|");
	} else {
		ck_says("done", say(world, world->dom0, seen[row].type, seen[row].body), "OK|");
	}
	/* "/n/r" is heard of twice where it is watched itself. */
	if (!strcmp(seen[row].heard, "/n/r:t"))
		ck_assert_ptr_nonnull(strstr(events(guest), "/n/r:t"));
	else
		ck_says(seen[row].what, events(guest), seen[row].heard);
	world_free(world);
}
END_TEST

START_TEST(special_watches_need_rights)
{
	struct world *world = world_new();
	struct connection *guest = world_guest(world, 1);

	ck_says("watch", say(world, guest, XS_WATCH, "@introduceDomain|t|"), "OK|");
	ck_says("watch", say(world, guest, XS_WATCH, "@releaseDomain|t|"), "OK|");
	events(guest);
	world_guest(world, 2);
	ck_says("nothing", events(guest), "");
	ck_says("allow", say(world, world->dom0, XS_SET_PERMS, "@releaseDomain|n0|r1|"), "OK|");
	ck_says("not by a guest", say(world, guest, XS_SET_PERMS, "@releaseDomain|n1|"), "!EACCES");
	world_guest(world, 3);
	ck_says("still nothing", events(guest), "");
	say(world, world->dom0, XS_RELEASE, "3|");
	ck_says("release", events(guest), "@releaseDomain:t");
	/* Two ends are two events even when nobody has read the first. */
	say(world, world->dom0, XS_RELEASE, "2|");
	world_guest(world, 2);
	say(world, world->dom0, XS_RELEASE, "2|");
	ck_says("both", events(guest), "@releaseDomain:t @releaseDomain:t");
	world_free(world);
}
END_TEST

START_TEST(pending_events_are_not_doubled)
{
	struct world *world = world_new();
	struct connection *watcher = world_socket(world);

	say(world, watcher, XS_WATCH, "/a|t|");
	say(world, watcher, XS_WATCH, "/a|u|");
	events(watcher);
	for (int i = 0; i < 5; i++)
		say(world, world->dom0, XS_WRITE, "/a|v");
	ck_assert_uint_eq(strlen(events(watcher)), strlen("/a:t /a:u"));
	say(world, world->dom0, XS_WRITE, "/a|v");
	ck_assert_uint_eq(strlen(events(watcher)), strlen("/a:t /a:u"));
	world_free(world);
}
END_TEST

/* The nodes that go with their owner are told like others that are removed. */
START_TEST(death_of_an_owner)
{
	struct world *world = world_new();
	struct connection *watcher = world_socket(world);

	world_guest(world, 2);
	say(world, world->dom0, XS_MKDIR, "/p/q/r|");
	say(world, world->dom0, XS_MKDIR, "/s|");
	say(world, world->dom0, XS_SET_PERMS, "/p/q|b2|r1|");
	say(world, world->dom0, XS_SET_PERMS, "/s|n2|");
	say(world, watcher, XS_WATCH, "/p|u|");
	say(world, watcher, XS_WATCH, "/p/q/r|v|");
	say(world, watcher, XS_WATCH, "/s|w|");
	events(watcher);
	world->domain[2].dying = true;
	domains_scan(&world->store);
	ck_says("gone", events(watcher), "/p/q/r:v /p/q:u /s:w");
	world_free(world);
}
END_TEST

START_TEST(quota)
{
	struct world *world = world_new();
	struct connection *guest = world_guest(world, 1);
	char body[32];
	int count = 0;

	for (int i = 0; i < 200; i++) {
		snprintf(body, sizeof(body), "w%d|t|", i);
		if (say(world, guest, XS_WATCH, body)[0] != '!')
			count++;
		else
			ck_assert_str_eq(world->reply, "!E2BIG");
		events(guest);
	}
	ck_assert_int_eq(count, 129); /* as many as C allows */
	ck_says("reset", say(world, guest, XS_RESET_WATCHES, "|"), "OK|");
	ck_says("again", say(world, guest, XS_WATCH, "w|t|"), "OK|");
	ck_assert_uint_eq(world->store.watches.count, 1);
	world_free(world);
}
END_TEST

START_TEST(bad_watches)
{
	static const struct {
		const char *body, *reply;
	} rows[] = {
		{"", "!EINVAL"},          {"/a|", "!EINVAL"},     {"/a/|t|", "!EINVAL"},
		{"/a//b|t|", "!EINVAL"},  {"|t|", "!EINVAL"},     {"/a.b|t|", "!EINVAL"},
		{"/not/there|t|", "OK|"}, {"@unknown|t|", "OK|"},
	};
	struct world *world = world_new();

	for (int i = 0; i < TABLE_SIZE(rows); i++) {
		ck_says(rows[i].body, say(world, world->dom0, XS_WATCH, rows[i].body),
			rows[i].reply);
		events(world->dom0);
	}
	world_free(world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_watch");
	TCase *tc = tcase_create("store_watch");

	tcase_add_loop_test(tc, who_hears, 0, TABLE_SIZE(heard));
	tcase_add_test(tc, removed_tree);
	tcase_add_test(tc, in_a_transaction);
	tcase_add_loop_test(tc, guest_hears, 0, 2 * TABLE_SIZE(seen));
	tcase_add_test(tc, special_watches_need_rights);
	tcase_add_test(tc, pending_events_are_not_doubled);
	tcase_add_test(tc, death_of_an_owner);
	tcase_add_test(tc, quota);
	tcase_add_test(tc, bad_watches);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
