/*
 * Memory that runs out at any allocation of any request: the request fails wholly or succeeds, the
 * accounts stay right, nothing leaks or is freed twice (XSA-414, 415).
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store_world.h"

/** How many allocations still succeed; negative: all do. */
static int allowance = -1;

static bool refuse(void)
{
	if (allowance < 0)
		return false;
	if (!allowance)
		return true;
	allowance--;
	return false;
}

/* The linker sends every allocation of the program here (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
	return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return refuse() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return refuse() ? NULL : __real_realloc(old, size);
}

static const struct {
	const char *what;
	bool guest, in_transaction;
	uint32_t type;
	const char *body;
} rows[] = {
	{"make", true, false, XS_WRITE, "a/b/c/d|v"},
	{"overwrite", true, false, XS_WRITE, "x/y|other"},
	{"make a 65th sibling", true, false, XS_MKDIR, "many/new|"},
	{"remove", true, false, XS_RM, "x|"},
	{"set perms", true, false, XS_SET_PERMS, "x/y|n1|r2|r3|"},
	{"list", true, false, XS_DIRECTORY, "many|"},
	{"watch", true, false, XS_WATCH, "x|token|"},
	{"start", true, false, XS_TRANSACTION_START, "|"},
	{"make in a transaction", true, true, XS_WRITE, "a/b/c/d|v"},
	{"overwrite in one", true, true, XS_WRITE, "x/y|other"},
	{"remove in one", true, true, XS_RM, "x|"},
	{"set perms in one", true, true, XS_SET_PERMS, "x/y|n1|r2|"},
	{"read in one", true, true, XS_READ, "x/y|"},
	{"commit", true, true, XS_TRANSACTION_END, "T|"},
	{"introduce", false, false, XS_INTRODUCE, "2|0|7|"},
	{"release", false, false, XS_RELEASE, "1|"},
	{"check", false, false, XS_CONTROL, "check|"},
	{"remove a tree that is watched", false, false, XS_RM, "/local/domain/1|"},
};

static struct world *world_before(struct connection **guest, uint32_t *id)
{
	struct world *world = world_new();
	char body[32];

	say(world, world->dom0, XS_MKDIR, "/local/domain/1|");
	say(world, world->dom0, XS_SET_PERMS, "/local/domain/1|n1|");
	*guest = world_guest(world, 1);
	say(world, *guest, XS_WRITE, "x/y|v");
	for (int i = 0; i < 64; i++) {
		snprintf(body, sizeof(body), "many/%d|", i);
		say(world, *guest, XS_MKDIR, body);
	}
	say(world, world->dom0, XS_WATCH, "/|t|");
	events(world->dom0);
	*id = begin(world, *guest);
	say_in(world, *guest, *id, XS_WRITE, "t/u|v");
	say_in(world, *guest, *id, XS_RM, "many/7|");
	/* Something happens outside, so that the commit has to merge. */
	say(world, world->dom0, XS_WRITE, "/elsewhere|v");
	events(world->dom0);
	return world;
}

/* Return: did the request come through with so many allocations? */
static bool attempt(int row, int allocations)
{
	struct connection *guest, *who;
	uint32_t id;
	struct world *world = world_before(&guest, &id);
	struct xsd_sockmsg header = {rows[row].type, 1, rows[row].in_transaction ? id : 0,
				     strlen(rows[row].body)};
	char wire[256];
	unsigned budget = 1;
	bool spared;

	memcpy(wire, &header, sizeof(header));
	for (size_t i = 0; i < header.len; i++)
		wire[sizeof(header) + i] = rows[row].body[i] == '|' ? '\0' : rows[row].body[i];
	who = rows[row].guest ? guest : world->dom0;
	allowance = allocations;
	connection_consume(who, wire, sizeof(header) + header.len, &budget);
	spared = allowance > 0;
	allowance = -1;

	ck_assert_msg(domains_check(&world->store) == 0, "%s: accounts", rows[row].what);
	/* It goes on as if nothing had been. */
	ck_says(rows[row].what, say(world, world_socket(world), XS_WRITE, "/local/domain/9/x|v"),
		"OK|");
	output_clear(&world->dom0->output);
	world_free(world);
	return spared;
}

START_TEST(runs_out)
{
	int allocations = 0;

	while (!attempt(_i, allocations))
		ck_assert_int_lt(allocations++, 500);
	ck_assert_int_gt(allocations, 0);
}
END_TEST

/* A domain's end cannot be refused: it is finished as far as memory goes, and does no harm. */
START_TEST(death)
{
	for (int allocations = 0; allocations < 60; allocations++) {
		struct connection *guest;
		uint32_t id;
		struct world *world = world_before(&guest, &id);

		world->domain[1].exists = false;
		allowance = allocations;
		domains_scan(&world->store);
		allowance = -1;
		ck_assert_int_eq(domains_check(&world->store), 0);
		world_free(world);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_memory");
	TCase *tc = tcase_create("store_memory");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, runs_out, 0, TABLE_SIZE(rows));
	tcase_add_test(tc, death);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
