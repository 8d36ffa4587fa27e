/* What reading and changing nodes answers: dom0's requests, the rights of guests, quotas. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/store_world.h"

static const struct {
	const char *what;
	uint32_t type;
	const char *body, *reply;
} requests[] = {
	{"the first tree", XS_DIRECTORY, "/|", "tool|"},
	{"write makes parents", XS_WRITE, "/a/b/c|one", "OK|"},
	{"read", XS_READ, "/a/b/c|", "one"},
	{"a made parent is empty", XS_READ, "/a/b|", ""},
	{"write again", XS_WRITE, "/a/b/c|two", "OK|"},
	{"read again", XS_READ, "/a/b/c|", "two"},
	{"a value may hold NULs", XS_WRITE, "/nul|x||y|", "OK|"},
	{"and gives them back", XS_READ, "/nul|", "x||y|"},
	{"an empty value", XS_WRITE, "/nul|", "OK|"},
	{"reads as nothing", XS_READ, "/nul|", ""},
	{"remove it", XS_RM, "/nul|", "OK|"},
	{"mkdir", XS_MKDIR, "/d|", "OK|"},
	{"mkdir again", XS_MKDIR, "/d|", "OK|"},
	{"mkdir keeps a value", XS_MKDIR, "/a/b/c|", "OK|"},
	{"it is still there", XS_READ, "/a/b/c|", "two"},
	{"order of coming: z", XS_MKDIR, "/d/z|", "OK|"},
	{"order of coming: a", XS_MKDIR, "/d/a|", "OK|"},
	{"order of coming: m", XS_MKDIR, "/d/m|", "OK|"},
	{"directory keeps it", XS_DIRECTORY, "/d|", "z|a|m|"},
	{"one goes", XS_RM, "/d/z|", "OK|"},
	{"and comes back", XS_MKDIR, "/d/z|", "OK|"},
	{"as the youngest", XS_DIRECTORY, "/d|", "a|m|z|"},
	{"an empty directory", XS_DIRECTORY, "/d/z|", ""},
	{"relative is dom0's home", XS_WRITE, "name|Domain-0", "OK|"},
	{"there it is", XS_READ, "/local/domain/0/name|", "Domain-0"},
	{"missing node", XS_READ, "/no|", "!ENOENT"},
	{"missing directory", XS_DIRECTORY, "/no|", "!ENOENT"},
	{"missing perms", XS_GET_PERMS, "/no|", "!ENOENT"},
	{"missing set perms", XS_SET_PERMS, "/no|n0|", "!ENOENT"},
	{"remove what is missing", XS_RM, "/d/no|", "OK|"},
	{"remove without a parent", XS_RM, "/no/no|", "!ENOENT"},
	{"remove the root", XS_RM, "/|", "!EINVAL"},
	{"remove a tree", XS_RM, "/a|", "OK|"},
	{"all of it", XS_READ, "/a/b/c|", "!ENOENT"},
	{"double slash", XS_READ, "/d//a|", "!EINVAL"},
	{"slash at the end", XS_READ, "/d/|", "!EINVAL"},
	{"bad character", XS_READ, "/d.a|", "!EINVAL"},
	{"at inside a name", XS_WRITE, "/d/x@y|v", "OK|"},
	{"no NUL", XS_READ, "/d", "!EINVAL"},
	{"two strings", XS_READ, "/d|x|", "!EINVAL"},
	{"nothing", XS_READ, "", "!EINVAL"},
	{"an empty path", XS_READ, "|", "!EINVAL"},
	{"write nothing", XS_WRITE, "", "!EINVAL"},
	{"write without NUL", XS_WRITE, "/d", "!EINVAL"},
	{"perms are inherited", XS_GET_PERMS, "/d|", "n0|"},
	{"set perms", XS_SET_PERMS, "/d|b1|r2|w3|n4|", "OK|"},
	{"get perms", XS_GET_PERMS, "/d|", "b1|r2|w3|n4|"},
	{"a bad letter", XS_SET_PERMS, "/d|x0|", "!EINVAL"},
	{"no number", XS_SET_PERMS, "/d|r|", "!EINVAL"},
	{"no perms", XS_SET_PERMS, "/d|", "!EINVAL"},
	{"no NUL behind perms", XS_SET_PERMS, "/d|r0", "!EINVAL"},
	{"an owner that doesn't exist", XS_SET_PERMS, "/d|n9|", "!ENOENT"},
	{"a special name has no value", XS_READ, "@releaseDomain|", "!EINVAL"},
	{"nor perms to read", XS_GET_PERMS, "@releaseDomain|", "!EINVAL"},
	{"but to set", XS_SET_PERMS, "@releaseDomain|n0|r5|", "OK|"},
	{"an unknown special name", XS_SET_PERMS, "@other|n0|", "!EINVAL"},
	{"part of a directory needs two", XS_DIRECTORY_PART, "/d|", "!EINVAL"},
	{"unknown transaction", XS_TRANSACTION_END, "T|", "!ENOENT"},
	{"bad end", XS_TRANSACTION_END, "X|", "!EINVAL"},
	{"unknown type 20", 20, "|", "!ENOSYS"},
	{"unknown type 23, GET_FEATURE", 23, "|", "!ENOSYS"},
	{"unknown type 99", 99, "/|", "!ENOSYS"},
	{"unknown type 0xffff", 0xffff, "/|", "!ENOSYS"},
	{"a client's WATCH_EVENT", XS_WATCH_EVENT, "/|t|", "!ENOSYS"},
	{"a client's ERROR", XS_ERROR, "EIO|", "!ENOSYS"},
	{"domain path", XS_GET_DOMAIN_PATH, "9|", "/local/domain/9|"},
	{"domain path of nothing", XS_GET_DOMAIN_PATH, "|", "!EINVAL"},
	{"is introduced", XS_IS_DOMAIN_INTRODUCED, "1|", "F|"},
	{"release an unknown one", XS_RELEASE, "9|", "!ENOENT"},
	{"release dom0", XS_RELEASE, "0|", "!EINVAL"},
	{"resume dom0", XS_RESUME, "0|", "!EINVAL"},
	{"target of an unknown one", XS_SET_TARGET, "1|2|", "!ENOENT"},
	{"introduce without port", XS_INTRODUCE, "1|0|0|", "!EINVAL"},
	{"introduce with two arguments", XS_INTRODUCE, "1|0|", "!EINVAL"},
	{"introduce, negative frame", XS_INTRODUCE, "1|-5|7|", "OK|"},
	{"is introduced now", XS_IS_DOMAIN_INTRODUCED, "1|", "T|"},
	{"control without a word", XS_CONTROL, "", "!EINVAL"},
	{"control with an unknown word", XS_CONTROL, "nonsense|", "!EINVAL"},
	{"control check", XS_CONTROL, "check|", "OK|"},
	{"control quota set", XS_CONTROL, "quota|set|nodes|50|", "OK|"},
	{"control quota set nonsense", XS_CONTROL, "quota|set|nonsense|50|", "!EINVAL"},
	{"control print", XS_CONTROL, "print|hello|", "OK|"},
};

/* The table is one conversation. */
START_TEST(dom0_asks)
{
	struct world *world = world_new();

	for (int i = 0; i < TABLE_SIZE(requests); i++)
		ck_says(requests[i].what,
			say(world, world->dom0, requests[i].type, requests[i].body),
			requests[i].reply);
	world_free(world);
}
END_TEST

START_TEST(control_texts)
{
	static const char *const words[] = {"help|", "memreport|", "quota|", "quota|0|", "stats|"};
	struct world *world = world_new();

	for (int i = 0; i < TABLE_SIZE(words); i++) {
		const char *reply = say(world, world->dom0, XS_CONTROL, words[i]);

		ck_assert_msg(strlen(reply) > 20 && reply[0] != '!', "%s %s", words[i], reply);
	}
	ck_assert_ptr_nonnull(strstr(say(world, world->dom0, XS_CONTROL, "quota|0|"), "nodes"));
	world_free(world);
}
END_TEST

/*
 * Domain 1 asks about nodes that dom0 made: "/n" n0, "/r" r0, "/w" w0, "/b" b0, "/nr" n0 r1,
 * "/nw" n0 w1, "/rn" r0 n1, "/own" n1; each has a child "c" with n0 and none called "x".
 */
static const struct {
	const char *node;
	const char *read, *list, *write, *perms, *chmod, *rm_missing, *read_missing, *make;
} rights[] = {
	{"n", "!EACCES", "!EACCES", "!EACCES", "!EACCES", "!EACCES", "!EACCES", "!EACCES",
	 "!EACCES"},
	{"r", "v", "c|", "!EACCES", "r0|", "!EACCES", "!EACCES", "!ENOENT", "!EACCES"},
	{"w", "!EACCES", "!EACCES", "OK|", "!EACCES", "!EACCES", "OK|", "!EACCES", "OK|"},
	{"b", "v", "c|", "OK|", "b0|", "!EACCES", "OK|", "!ENOENT", "OK|"},
	{"nr", "v", "c|", "!EACCES", "n0|r1|", "!EACCES", "!EACCES", "!ENOENT", "!EACCES"},
	{"nw", "!EACCES", "!EACCES", "OK|", "!EACCES", "!EACCES", "OK|", "!EACCES", "OK|"},
	{"rn", "!EACCES", "!EACCES", "!EACCES", "!EACCES", "!EACCES", "!EACCES", "!EACCES",
	 "!EACCES"},
	{"own", "v", "c|", "OK|", "n1|", "OK|", "OK|", "!ENOENT", "OK|"},
};

static struct world *world_of_rights(struct connection **guest)
{
	static const char *const perms[] = {"n|n0|",     "r|r0|",     "w|w0|",     "b|b0|",
					    "nr|n0|r1|", "nw|n0|w1|", "rn|r0|n1|", "own|n1|"};
	struct world *world = world_new();
	char body[64];

	for (int i = 0; i < TABLE_SIZE(perms); i++) {
		size_t name = strcspn(perms[i], "|");

		snprintf(body, sizeof(body), "/%.*s/c|secret", (int)name, perms[i]);
		ck_says(body, say(world, world->dom0, XS_WRITE, body), "OK|");
		snprintf(body, sizeof(body), "/%.*s|v", (int)name, perms[i]);
		ck_says(body, say(world, world->dom0, XS_WRITE, body), "OK|");
		snprintf(body, sizeof(body), "/%s", perms[i]);
		ck_says(body, say(world, world->dom0, XS_SET_PERMS, body), "OK|");
	}
	*guest = world_guest(world, 1);
	return world;
}

START_TEST(guest_rights)
{
	const char *node = rights[_i].node;
	struct connection *guest;
	struct world *world = world_of_rights(&guest);
	const struct {
		const char *what, *suffix;
		uint32_t type;
		const char *reply;
	} asked[] = {
		{"read", "|", XS_READ, rights[_i].read},
		{"directory", "|", XS_DIRECTORY, rights[_i].list},
		{"get perms", "|", XS_GET_PERMS, rights[_i].perms},
		{"mkdir what exists", "|", XS_MKDIR, rights[_i].write},
		{"write", "|v", XS_WRITE, rights[_i].write},
		{"read a child", "/c|", XS_READ, "!EACCES"},
		{"write a child", "/c|v", XS_WRITE, "!EACCES"},
		{"remove a child", "/c|", XS_RM, "!EACCES"},
		{"read a missing child", "/x|", XS_READ, rights[_i].read_missing},
		{"list a missing child", "/x|", XS_DIRECTORY, rights[_i].read_missing},
		{"perms of a missing child", "/x|", XS_GET_PERMS, rights[_i].read_missing},
		{"deeper below a missing child", "/x/y|", XS_READ, rights[_i].read_missing},
		{"remove a missing child", "/x|", XS_RM, rights[_i].rm_missing},
		{"make a child", "/x|", XS_MKDIR, rights[_i].make},
		{"give it away", "|n2|", XS_SET_PERMS,
		 rights[_i].chmod[0] == '!' ? "!EACCES" : "!EPERM"},
		{"set perms", "|n1|r2|", XS_SET_PERMS, rights[_i].chmod},
	};
	char body[64], what[64];

	for (int i = 0; i < TABLE_SIZE(asked); i++) {
		snprintf(body, sizeof(body), "/%s%s", node, asked[i].suffix);
		snprintf(what, sizeof(what), "%s: %s", node, asked[i].what);
		ck_says(what, say(world, guest, asked[i].type, body), asked[i].reply);
	}
	world_free(world);
}
END_TEST

START_TEST(guest_owns_what_it_makes)
{
	struct connection *guest;
	struct world *world = world_of_rights(&guest);

	ck_says("make", say(world, guest, XS_WRITE, "/b/x/y|v"), "OK|");
	ck_says("own", say(world, world->dom0, XS_GET_PERMS, "/b/x/y|"), "b1|");
	ck_says("parent too", say(world, world->dom0, XS_GET_PERMS, "/b/x|"), "b1|");
	ck_says("dom0 inherits", say(world, world->dom0, XS_MKDIR, "/b/x/z|"), "OK|");
	ck_says("the guest's", say(world, world->dom0, XS_GET_PERMS, "/b/x/z|"), "b1|");
	ck_says("home", say(world, world->dom0, XS_SET_PERMS, "/b|n1|"), "OK|");
	ck_says("relative", say(world, world->dom0, XS_MKDIR, "/local/domain/1|"), "OK|");
	ck_says("given", say(world, world->dom0, XS_SET_PERMS, "/local/domain/1|n1|"), "OK|");
	ck_says("write", say(world, guest, XS_WRITE, "data/x|v"), "OK|");
	ck_says("read", say(world, world->dom0, XS_READ, "/local/domain/1/data/x|"), "v");
	world_free(world);
}
END_TEST

/* What only dom0 may ask. */
START_TEST(guest_is_not_privileged)
{
	static const struct {
		uint32_t type;
		const char *body;
	} rows[] = {
		{XS_CONTROL, "check|"}, {XS_INTRODUCE, "2|0|7|"}, {XS_RELEASE, "1|"},
		{XS_RESUME, "1|"},      {XS_SET_TARGET, "1|2|"},  {XS_IS_DOMAIN_INTRODUCED, "1|"},
	};
	struct world *world = world_new();
	struct connection *guest = world_guest(world, 1);

	for (int i = 0; i < TABLE_SIZE(rows); i++)
		ck_says(rows[i].body, say(world, guest, rows[i].type, rows[i].body), "!EACCES");
	ck_says("its path", say(world, guest, XS_GET_DOMAIN_PATH, "1|"), "/local/domain/1|");
	world_free(world);
}
END_TEST

START_TEST(quotas_bind_guests)
{
	struct connection *guest;
	struct world *world = world_with_home(&guest);
	char body[4096], name[64];

	memset(body, 'v', sizeof(body));
	memcpy(body, "big|", 4);
	body[2100] = '\0';
	ck_says("a large value", say(world, guest, XS_WRITE, body), "!ENOSPC");
	ck_says("not left behind", say(world, guest, XS_READ, "big|"), "!ENOENT");
	body[2019] = '\0'; /* 4 of name; 24 + 8 + 2015 < 2048 */
	ck_says("one that fits", say(world, guest, XS_WRITE, body), "OK|");
	body[2019] = 'v';
	body[2020] = '\0';
	ck_says("one byte more", say(world, guest, XS_WRITE, body), "!ENOSPC");
	ck_says("six perms", say(world, guest, XS_SET_PERMS, "big|n1|r2|r3|r4|r5|r0|"), "!ENOSPC");

	say(world, world->dom0, XS_CONTROL, "quota|set|nodes|10|");
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "n%d|", i);
		ck_says(name, say(world, guest, XS_MKDIR, name), "OK|");
	}
	ck_says("the eleventh", say(world, guest, XS_MKDIR, "more|"), "!ENOSPC");
	ck_says("by two", say(world, guest, XS_RM, "n7|"), "OK|");
	ck_says("at once", say(world, guest, XS_MKDIR, "x/y|"), "!ENOSPC");
	ck_says("nothing half", say(world, guest, XS_READ, "x|"), "!ENOENT");
	ck_says("but one", say(world, guest, XS_MKDIR, "x|"), "OK|");
	ck_says("dom0 is free", say(world, world->dom0, XS_MKDIR, "/local/domain/1/z|"), "OK|");
	ck_says("in a transaction too",
		say_in(world, guest, begin(world, guest), XS_MKDIR, "more|"), "!ENOSPC");

	say(world, world->dom0, XS_CONTROL, "quota|set|memory|9000|");
	body[2000] = '\0';
	ck_says("memory 1", say(world, guest, XS_WRITE, (memcpy(body, "n01|", 4), body)),
		"!ENOSPC");
	ck_says("memory 2", say(world, guest, XS_WRITE, (memcpy(body, "n1|v", 4), body)), "OK|");
	ck_says("memory 3", say(world, guest, XS_WRITE, (memcpy(body, "n2|v", 4), body)), "OK|");
	ck_says("memory 4", say(world, guest, XS_WRITE, (memcpy(body, "n3|v", 4), body)), "OK|");
	ck_says("memory 5", say(world, guest, XS_WRITE, (memcpy(body, "n4|v", 4), body)),
		"!ENOMEM");
	ck_says("less is allowed", say(world, guest, XS_RM, "n1|"), "OK|");
	world_free(world);
}
END_TEST

/* Thousands of children: E2BIG, then part by part, and all of them come once, in order. */
START_TEST(directory_parts)
{
	enum { CHILDREN = 5000 };
	struct world *world = world_new();
	char body[64], generation[32];
	unsigned offset = 0, seen = 0;
	bool done = false;

	for (int i = 0; i < CHILDREN; i++) {
		snprintf(body, sizeof(body), "/d/c%d|", (i * 7919) % CHILDREN);
		ck_says(body, say(world, world->dom0, XS_MKDIR, body), "OK|");
	}
	ck_says("too big", say(world, world->dom0, XS_DIRECTORY, "/d|"), "!E2BIG");
	generation[0] = '\0';
	while (!done) {
		const char *at;

		snprintf(body, sizeof(body), "/d|%u|", offset);
		say(world, world->dom0, XS_DIRECTORY_PART, body);
		ck_assert_uint_le(world->reply_size, XENSTORE_PAYLOAD_MAX);
		at = strchr(world->reply, '|') + 1;
		if (!generation[0])
			snprintf(generation, sizeof(generation), "%.*s", (int)(at - world->reply),
				 world->reply);
		ck_assert(!strncmp(generation, world->reply, at - world->reply));
		while (*at) {
			char expected[16];
			size_t length = strcspn(at, "|");

			if (!length) {
				done = true;
				break;
			}
			snprintf(expected, sizeof(expected), "c%d|", (int)(seen * 7919 % CHILDREN));
			ck_assert(!strncmp(at, expected, strlen(expected)));
			seen++;
			offset += length + 1;
			at += length + 1;
		}
	}
	ck_assert_uint_eq(seen, CHILDREN);
	snprintf(body, sizeof(body), "/d|%u|", offset + 5);
	say(world, world->dom0, XS_DIRECTORY_PART, body);
	ck_assert_str_eq(strchr(world->reply, '|'), "||");
	ck_says("one goes", say(world, world->dom0, XS_RM, "/d/c17|"), "OK|");
	say(world, world->dom0, XS_DIRECTORY_PART, "/d|0|");
	ck_assert(strncmp(generation, world->reply, strlen(generation)) != 0);
	world_free(world);
}
END_TEST

START_TEST(path_limits)
{
	struct world *world = world_new();
	struct connection *guest = world_guest(world, 1);
	char body[3200];

	memset(body, 'a', sizeof(body));
	body[0] = '/';
	body[2048] = '|';
	body[2049] = '\0';
	ck_says("2048 bytes", say(world, world->dom0, XS_MKDIR, body), "OK|");
	body[2048] = 'a';
	body[2049] = '|';
	body[2050] = '\0';
	ck_says("2049 bytes", say(world, world->dom0, XS_MKDIR, body), "!EINVAL");
	memcpy(body, "/local/domain/1/", 16);
	ck_says("absolute into a home", say(world, world->dom0, XS_MKDIR, body), "OK|");
	memset(body, 'a', 16);
	body[2048] = '|';
	body[2049] = '\0';
	ck_says("relative, 2048", say(world, guest, XS_READ, body), "!EACCES");
	body[2048] = 'a';
	body[2049] = '|';
	body[2050] = '\0';
	ck_says("relative, 2049", say(world, guest, XS_READ, body), "!EINVAL");
	world_free(world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_node");
	TCase *tc = tcase_create("store_node");

	tcase_add_test(tc, dom0_asks);
	tcase_add_test(tc, control_texts);
	tcase_add_loop_test(tc, guest_rights, 0, TABLE_SIZE(rights));
	tcase_add_test(tc, guest_owns_what_it_makes);
	tcase_add_test(tc, guest_is_not_privileged);
	tcase_add_test(tc, quotas_bind_guests);
	tcase_add_test(tc, directory_parts);
	tcase_add_test(tc, path_limits);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
