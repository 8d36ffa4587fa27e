/* Transactions: what commits, what has to start again, and that commits are as if done one by one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store_model.h"
#include "tests/unit/store_world.h"

/* One request inside, one outside, one inside, then the commit. */
static const struct {
	const char *what;
	struct {
		uint32_t type;
		const char *body;
	} first, other, second;
	const char *reply;
} pairs[] = {
	{"nothing happens", {XS_READ, "/a|"}, {XS_READ, "/a|"}, {XS_WRITE, "/a|x"}, "OK|"},
	{"what was read is written",
	 {XS_READ, "/a|"},
	 {XS_WRITE, "/a|y"},
	 {XS_WRITE, "/b|x"},
	 "!EAGAIN"},
	{"even with the same value",
	 {XS_READ, "/a|"},
	 {XS_WRITE, "/a|1"},
	 {XS_WRITE, "/b|x"},
	 "!EAGAIN"},
	{"what was read is removed",
	 {XS_READ, "/a|"},
	 {XS_RM, "/a|"},
	 {XS_WRITE, "/b|x"},
	 "!EAGAIN"},
	{"what was read is removed above",
	 {XS_READ, "/d/x|"},
	 {XS_RM, "/d|"},
	 {XS_WRITE, "/b|x"},
	 "!EAGAIN"},
	{"what was missing appears",
	 {XS_READ, "/new|"},
	 {XS_MKDIR, "/new|"},
	 {XS_WRITE, "/b|x"},
	 "!EAGAIN"},
	{"what was listed grows",
	 {XS_DIRECTORY, "/d|"},
	 {XS_MKDIR, "/d/new|"},
	 {XS_WRITE, "/b|x"},
	 "!EAGAIN"},
	{"what was listed shrinks",
	 {XS_DIRECTORY, "/d|"},
	 {XS_RM, "/d/x|"},
	 {XS_WRITE, "/b|x"},
	 "!EAGAIN"},
	{"perms that were read change",
	 {XS_GET_PERMS, "/a|"},
	 {XS_SET_PERMS, "/a|r0|"},
	 {XS_WRITE, "/b|x"},
	 "!EAGAIN"},
	{"somebody else's node", {XS_READ, "/a|"}, {XS_WRITE, "/b|y"}, {XS_WRITE, "/a|x"}, "OK|"},
	{"two new siblings",
	 {XS_MKDIR, "/d/one|"},
	 {XS_MKDIR, "/d/two|"},
	 {XS_MKDIR, "/d/three|"},
	 "OK|"},
	{"a missing node while its parent comes",
	 {XS_READ, "/p/one|"},
	 {XS_MKDIR, "/p/two|"},
	 {XS_WRITE, "/b|x"},
	 "OK|"},
	{"two new trees with one missing parent",
	 {XS_MKDIR, "/p/one|"},
	 {XS_MKDIR, "/p/two|"},
	 {XS_READ, "/a|"},
	 "!EAGAIN"},
	{"a value while a child comes",
	 {XS_READ, "/d|"},
	 {XS_MKDIR, "/d/new|"},
	 {XS_WRITE, "/b|x"},
	 "OK|"},
	{"children while a value changes",
	 {XS_DIRECTORY, "/d|"},
	 {XS_WRITE, "/d|y"},
	 {XS_WRITE, "/b|x"},
	 "OK|"},
	{"children while a grandchild comes",
	 {XS_DIRECTORY, "/d|"},
	 {XS_MKDIR, "/d/x/g|"},
	 {XS_WRITE, "/b|x"},
	 "OK|"},
	{"a value while perms change",
	 {XS_READ, "/a|"},
	 {XS_SET_PERMS, "/a|r0|"},
	 {XS_WRITE, "/b|x"},
	 "OK|"},
	{"blind writes to one node",
	 {XS_WRITE, "/a|x"},
	 {XS_WRITE, "/a|y"},
	 {XS_READ, "/a|"},
	 "OK|"},
	{"a write to what is removed",
	 {XS_WRITE, "/d/x|v"},
	 {XS_RM, "/d|"},
	 {XS_READ, "/a|"},
	 "!EAGAIN"},
	{"a removal while a child comes",
	 {XS_RM, "/d|"},
	 {XS_MKDIR, "/d/new|"},
	 {XS_READ, "/a|"},
	 "OK|"},
	{"both remove", {XS_RM, "/d|"}, {XS_RM, "/d|"}, {XS_READ, "/a|"}, "!EAGAIN"},
};

static struct world *world_of_pairs(void)
{
	struct world *world = world_new();

	say(world, world->dom0, XS_WRITE, "/a|1");
	say(world, world->dom0, XS_WRITE, "/b|1");
	say(world, world->dom0, XS_WRITE, "/d/x|1");
	return world;
}

START_TEST(conflicts)
{
	struct world *world = world_of_pairs();
	struct connection *other = world_socket(world);
	uint32_t id = begin(world, world->dom0);

	say_in(world, world->dom0, id, pairs[_i].first.type, pairs[_i].first.body);
	ck_assert_int_ne(say(world, other, pairs[_i].other.type, pairs[_i].other.body)[0], '!');
	say_in(world, world->dom0, id, pairs[_i].second.type, pairs[_i].second.body);
	ck_says(pairs[_i].what, commit(world, world->dom0, id), pairs[_i].reply);
	ck_says("gone", commit(world, world->dom0, id), "!ENOENT");
	world_free(world);
}
END_TEST

START_TEST(isolation)
{
	struct world *world = world_of_pairs();
	struct connection *other = world_socket(world);
	uint32_t id = begin(world, world->dom0);

	ck_says("write", say_in(world, world->dom0, id, XS_WRITE, "/a|2"), "OK|");
	ck_says("own", say_in(world, world->dom0, id, XS_READ, "/a|"), "2");
	ck_says("outside", say(world, world->dom0, XS_READ, "/a|"), "1");
	ck_says("another connection's id", say_in(world, other, id, XS_READ, "/a|"), "!ENOENT");
	ck_says("nested", say_in(world, world->dom0, id, XS_TRANSACTION_START, "|"), "!EBUSY");
	ck_says("abort", say_in(world, world->dom0, id, XS_TRANSACTION_END, "F|"), "OK|");
	ck_says("nothing done", say(world, world->dom0, XS_READ, "/a|"), "1");
	ck_says("an unknown id", say_in(world, world->dom0, id, XS_WRITE, "/a|3"), "!ENOENT");
	ck_says("watch doesn't look at it", say_in(world, world->dom0, id, XS_WATCH, "/a|t|"),
		"OK|");
	world_free(world);
}
END_TEST

START_TEST(merge_keeps_both)
{
	struct world *world = world_of_pairs();
	struct connection *other = world_socket(world);
	uint32_t id = begin(world, world->dom0);

	say_in(world, world->dom0, id, XS_WRITE, "/d/mine/deep|m");
	say_in(world, world->dom0, id, XS_SET_PERMS, "/d/mine|r2|");
	say_in(world, world->dom0, id, XS_RM, "/b|");
	say(world, other, XS_WRITE, "/d/yours|y");
	say(world, other, XS_WRITE, "/a|9");
	ck_says("commit", commit(world, world->dom0, id), "OK|");
	ck_says("both", say(world, other, XS_DIRECTORY, "/d|"), "x|yours|mine|");
	ck_says("value", say(world, other, XS_READ, "/d/mine/deep|"), "m");
	ck_says("perms", say(world, other, XS_GET_PERMS, "/d/mine|"), "r2|");
	ck_says("removed", say(world, other, XS_READ, "/b|"), "!ENOENT");
	ck_says("others' value", say(world, other, XS_READ, "/a|"), "9");
	ck_assert_int_eq(domains_check(&world->store), 0);
	world_free(world);
}
END_TEST

START_TEST(guest_quotas)
{
	struct world *world = world_new();
	struct connection *guest;
	char body[32];
	uint32_t id;
	int open = 0;

	say(world, world->dom0, XS_MKDIR, "/local/domain/1|");
	say(world, world->dom0, XS_SET_PERMS, "/local/domain/1|n1|");
	guest = world_guest(world, 1);
	while (say(world, guest, XS_TRANSACTION_START, "|")[0] != '!')
		open++;
	ck_assert_str_eq(world->reply, "!ENOSPC");
	ck_assert_int_eq(open, 11); /* as many as C allows */
	ck_says("reset", say(world, guest, XS_RESET_WATCHES, "|"), "OK|");

	say(world, world->dom0, XS_CONTROL, "quota|set|transaction-nodes|20|");
	id = begin(world, guest);
	for (int i = 0; i < 100; i++)
		ck_says("one node often", say_in(world, guest, id, XS_WRITE, "n|v"), "OK|");
	for (int i = 0; i < 30; i++) {
		snprintf(body, sizeof(body), "n%d|v", i);
		say_in(world, guest, id, XS_WRITE, body);
	}
	ck_assert_str_eq(world->reply, "!ENOSPC");
	ck_says("it cannot commit", commit(world, guest, id), "!ENOMEM");
	ck_says("nothing done", say(world, guest, XS_READ, "n|"), "!ENOENT");

	/* Two transactions that each stay within the quota of nodes, and together don't. */
	say(world, world->dom0, XS_CONTROL, "quota|set|nodes|4|");
	id = begin(world, guest);
	ck_says("two", say_in(world, guest, id, XS_MKDIR, "a/b|"), "OK|");
	ck_says("two more", say(world, guest, XS_MKDIR, "c/d|"), "OK|");
	ck_says("too many", commit(world, guest, id), "!ENOSPC");
	world_free(world);
}
END_TEST

/* A request inside a transaction and what was answered. */
struct said {
	uint32_t type;
	char body[48], reply[64];
};

struct client {
	struct connection *connection;
	bool guest;
	uint32_t id; /* of the open transaction, or 0 */
	struct said said[64];
	int count;
	unsigned started; /* number of the last change by then */
};

struct play {
	struct world *world;
	struct model model;
	struct client client[3];
	struct {
		char path[32];
	} change[8192]; /* by anybody, in order */
	unsigned changes, commits, conflicts;
};

static const char *const paths[] = {"/a",     "/b",     "/a/x",   "/a/y",     "/a/x/1", "/b/z",
				    "/b/z/1", "/b/z/2", "/a/x/2", "/a/x/1/q", "/c"};

static void random_request(struct said *said)
{
	static const uint32_t types[] = {XS_READ,  XS_READ,  XS_DIRECTORY, XS_GET_PERMS, XS_WRITE,
					 XS_WRITE, XS_MKDIR, XS_RM,        XS_SET_PERMS};
	static const char *const perms[] = {"n0|", "r0|", "w0|", "b0|", "n1|", "r1|"};
	const char *path = paths[random() % TABLE_SIZE(paths)];

	said->type = types[random() % TABLE_SIZE(types)];
	if (said->type == XS_WRITE)
		snprintf(said->body, sizeof(said->body), "%s|%ld", path, random() % 1000);
	else if (said->type == XS_SET_PERMS)
		snprintf(said->body, sizeof(said->body), "%s|%s", path,
			 perms[random() % TABLE_SIZE(perms)]);
	else
		snprintf(said->body, sizeof(said->body), "%s|", path);
}

static void note_change(struct play *play, const struct said *said)
{
	if (said->type == XS_READ || said->type == XS_DIRECTORY || said->type == XS_GET_PERMS ||
	    said->reply[0] == '!')
		return;
	snprintf(play->change[play->changes++ % TABLE_SIZE(play->change)].path, 32, "%.*s",
		 (int)strcspn(said->body, "|"), said->body);
}

/* Could what others did since have to do with what the transaction touched? Below "/a" anything
 * can. */
static bool related(const char *one, const char *two)
{
	return !strncmp(one, two, 2);
}

static bool had_reason(const struct play *play, const struct client *client)
{
	for (unsigned c = client->started; c < play->changes; c++)
		for (int i = 0; i < client->count; i++)
			if (related(play->change[c % TABLE_SIZE(play->change)].path,
				    client->said[i].body))
				return true;
	return false;
}

static void end_transaction(struct play *play, struct client *client)
{
	const char *reply = commit(play->world, client->connection, client->id);
	struct model now = play->model;

	client->id = 0;
	if (!strcmp(reply, "!EAGAIN")) {
		play->conflicts++;
		ck_assert(had_reason(play, client));
		return;
	}
	ck_assert_str_eq(reply, "OK|");
	play->commits++;
	/* As if it had been done now, in one go. */
	for (int i = 0; i < client->count; i++) {
		ck_says(client->said[i].body,
			model_ask(&now, client->guest, client->said[i].type, client->said[i].body),
			client->said[i].reply);
		note_change(play, &client->said[i]);
	}
	play->model = now;
}

static void play_step(struct play *play)
{
	struct client *client = &play->client[random() % 3];
	struct said direct = {0}, *said = client->id ? &client->said[client->count] : &direct;

	if (!client->id && random() % 8 == 0) {
		client->id = begin(play->world, client->connection);
		client->count = 0;
		client->started = play->changes;
		return;
	}
	if (client->id && (client->count == TABLE_SIZE(client->said) || random() % 6 == 0)) {
		end_transaction(play, client);
		return;
	}
	random_request(said);
	snprintf(said->reply, sizeof(said->reply), "%s",
		 say_in(play->world, client->connection, client->id, said->type, said->body));
	if (client->id) {
		client->count++;
		return;
	}
	ck_says(said->body, said->reply,
		model_ask(&play->model, client->guest, said->type, said->body));
	note_change(play, said);
}

static void compare(struct play *play)
{
	for (int i = 0; i < TABLE_SIZE(paths); i++) {
		static const uint32_t types[] = {XS_READ, XS_DIRECTORY, XS_GET_PERMS};
		char body[48];

		snprintf(body, sizeof(body), "%s|", paths[i]);
		for (int t = 0; t < TABLE_SIZE(types); t++)
			ck_says(body, say(play->world, play->world->dom0, types[t], body),
				model_ask(&play->model, false, types[t], body));
	}
	ck_assert_int_eq(domains_check(&play->world->store), 0);
}

START_TEST(random_against_model)
{
	static struct play play;

	srandom(_i);
	play = (struct play){.world = world_new()};
	model_init(&play.model);
	say(play.world, play.world->dom0, XS_RM, "/tool|");
	play.client[0].connection = play.world->dom0;
	play.client[1].connection = world_socket(play.world);
	play.client[2].connection = world_guest(play.world, 1);
	play.client[2].guest = true;
	for (int step = 0; step < 20000; step++) {
		play_step(&play);
		if (step % 100 == 0)
			compare(&play);
	}
	compare(&play);
	ck_assert_uint_gt(play.commits, 500);
	ck_assert_uint_gt(play.conflicts, 100);
	world_free(play.world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_transaction");
	TCase *tc = tcase_create("store_transaction");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, conflicts, 0, TABLE_SIZE(pairs));
	tcase_add_test(tc, isolation);
	tcase_add_test(tc, merge_keeps_both);
	tcase_add_test(tc, guest_quotas);
	tcase_add_loop_test(tc, random_against_model, 0, 10);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
