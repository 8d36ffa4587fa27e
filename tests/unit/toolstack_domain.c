#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

#include "tests/unit/check.h"
#include "toolstack/config/lines.h"
#include "toolstack/domain/layout.h"
#include "toolstack/domain/list.h"
#include "toolstack/domain/name.h"
#include "toolstack/nearest.h"
#include "toolstack/xsplitd/changes.h"
#include "toolstack/xsplitd/policy.h"

static const struct {
	const char *name, *path;
} names[] = {
	{"first", "/tool/xsplit/name/first"},
	{"Web-1_x", "/tool/xsplit/name/Web-1_x"},
	{"web.1", "/tool/xsplit/name/web@2e1"},
	{"a@b", "/tool/xsplit/name/a@40b"},
	{"gr\xc3\xbc\xc3\x9f", "/tool/xsplit/name/gr@c3@bc@c3@9f"},
};

START_TEST(name_paths)
{
	char path[NAME_PATH_SIZE];

	name_path(names[_i].name, path);
	ck_assert_str_eq(path, names[_i].path);
}
END_TEST

START_TEST(name_path_longest)
{
	char name[DOMAIN_NAME_MAX + 1], path[NAME_PATH_SIZE];

	memset(name, '.', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	name_path(name, path);
	ck_assert_uint_eq(strlen(path), strlen("/tool/xsplit/name/") + 3 * DOMAIN_NAME_MAX);
}
END_TEST

static const struct {
	const char *a, *b;
	unsigned distance;
} words[] = {
	{"create", "create", 0}, {"crate", "create", 1}, {"craete", "create", 1},
	{"lsit", "list", 1},     {"kill", "destroy", 7}, {"", "abc", 3},
};

START_TEST(nearest_words)
{
	ck_assert_uint_eq(nearest_distance(words[_i].a, words[_i].b), words[_i].distance);
	ck_assert_uint_eq(nearest_distance(words[_i].b, words[_i].a), words[_i].distance);
}
END_TEST

START_TEST(long_words_are_far)
{
	ck_assert_uint_eq(nearest_distance("0123456789012345678901234567890123456789", "a"),
			  UINT_MAX);
	ck_assert(!nearest_near("a", 1));
	ck_assert(nearest_near("lsit", 1));
	ck_assert(!nearest_near("lsit", 3));
}
END_TEST

static char *row_of(const struct xen_domain *domain, const char *name, bool verbose)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	list_row(out, domain, name, &(struct list_columns){.verbose = verbose});
	fclose(out);
	return text;
}

static const struct {
	const char *what;
	struct xen_domain domain;
	const char *row;
} rows[] = {
	{"running",
	 {.domid = 5, .running = true, .memory_kib = 65536, .vcpus = 1, .cpu_ns = 1550000000},
	 "first                                        5    64     1     r-----       1.6\n"},
	{"blocked",
	 {.domid = 5, .blocked = true},
	 "first                                        5     "
	 "0     0     -b----       0.0\n"},
	{"paused",
	 {.domid = 5, .paused = true},
	 "first                                        5     "
	 "0     0     --p---       0.0\n"},
	{"crashed and dying",
	 {.domid = 5, .shutdown = true, .dying = true, .shutdown_reason = SHUTDOWN_crash},
	 "first                                        5     0     0     ---scd       0.0\n"},
	{"powered off",
	 {.domid = 5, .shutdown = true, .shutdown_reason = SHUTDOWN_poweroff},
	 "first                                        5     0     0     ---s--       0.0\n"},
	{"unheard of",
	 {.domid = 5, .shutdown = true, .shutdown_reason = 200},
	 "first                                        5     0     0     ---s?-       0.0\n"},
};

START_TEST(list_rows_are_xls)
{
	char *row = row_of(&rows[_i].domain, "first", false);

	ck_assert_msg(!strcmp(row, rows[_i].row), "%s:\n%s%s", rows[_i].what, row, rows[_i].row);
	free(row);
}
END_TEST

START_TEST(list_row_verbose)
{
	struct xen_domain domain = {.domid = 5, .shutdown = true, .shutdown_reason = 3};
	char *row = row_of(&domain, NULL, true);

	ck_assert_str_eq(row, "(null)                                       5     0     0     "
			      "---sc-       0.0 00000000-0000-0000-0000-000000000000        3      "
			      "          -\n");
	free(row);
}
END_TEST

START_TEST(lines_of_keys_and_items)
{
	static const char text[] = "# k=1\na='x#y\\'z' # c\n\nb = [ 'i',\n 12\n, [ 'n', 'm' ],\n"
				   "'last'] ; c=0x10\nb += [\n 'more' ]\nd=\"[\"\n";
	struct key_places places;

	ck_assert(!lines_find(text, &places));
	ck_assert_uint_eq(places.count, 5);
	ck_assert_str_eq(places.place[0].key, "a");
	ck_assert_uint_eq(places.place[0].line, 2);
	ck_assert_uint_eq(places.place[1].line, 4);
	ck_assert_uint_eq(places.place[1].items, 4);
	ck_assert_str_eq(places.place[2].key, "c");
	ck_assert_uint_eq(places.place[2].line, 7);
	ck_assert(places.place[3].adds && !places.place[1].adds);
	ck_assert_uint_eq(lines_item(&places, "b", 0), 4);
	ck_assert_uint_eq(lines_item(&places, "b", 1), 5);
	ck_assert_uint_eq(lines_item(&places, "b", 2), 6);
	ck_assert_uint_eq(lines_item(&places, "b", 3), 7);
	ck_assert_uint_eq(lines_item(&places, "b", 4), 9);
	ck_assert_uint_eq(lines_item(&places, "b", 5), 0);
	ck_assert_uint_eq(lines_last(&places, "d")->line, 10);
	ck_assert_ptr_null(lines_last(&places, "k"));
	lines_free(&places);
}
END_TEST

static const char *const broken[] = {"",        "a",   "a=", "a='x",  "a=[",
				     "a=['x\\", "]]]", "+=", "a=\"\\"};

START_TEST(lines_of_broken_text)
{
	struct key_places places;

	ck_assert(!lines_find(broken[_i], &places));
	lines_free(&places);
}
END_TEST

static const struct {
	const char *what;
	struct ending ending;
	enum domain_action action; /* of every end */
	enum verdict verdict;
	unsigned quick;
} endings[] = {
	{"poweroff", {false, SHUTDOWN_poweroff, 100, 0}, ACTION_DESTROY, VERDICT_DESTROY, 0},
	{"kept", {false, SHUTDOWN_crash, 100, 0}, ACTION_PRESERVE, VERDICT_PRESERVE, 0},
	{"restarted", {false, SHUTDOWN_crash, 100, 2}, ACTION_RESTART, VERDICT_RESTART, 0},
	{"restarted soon", {false, SHUTDOWN_crash, 2, 0}, ACTION_RESTART, VERDICT_RESTART, 1},
	{"soon again", {false, SHUTDOWN_reboot, 2, 2}, ACTION_RESTART, VERDICT_RESTART, 3},
	{"once too often", {false, SHUTDOWN_watchdog, 2, 3}, ACTION_RESTART, VERDICT_GIVE_UP, 4},
	{"destroyed from outside", {true, 0, 100, 0}, ACTION_RESTART, VERDICT_DESTROY, 0},
	{"suspended", {false, SHUTDOWN_suspend, 100, 0}, ACTION_DESTROY, VERDICT_PRESERVE, 0},
	{"set aside",
	 {false, SHUTDOWN_crash, 100, 0},
	 ACTION_RENAME_RESTART,
	 VERDICT_RENAME_RESTART,
	 0},
	{"set aside too often",
	 {false, SHUTDOWN_crash, 1, 3},
	 ACTION_RENAME_RESTART,
	 VERDICT_GIVE_UP,
	 4},
	{"dumped", {false, SHUTDOWN_crash, 100, 0}, ACTION_COREDUMP_DESTROY, VERDICT_DESTROY, 0},
	{"dumped, restarted",
	 {false, SHUTDOWN_crash, 1, 0},
	 ACTION_COREDUMP_RESTART,
	 VERDICT_RESTART,
	 1},
	{"unheard of", {false, 77, 100, 0}, ACTION_RESTART, VERDICT_RESTART, 0},
};

/* A look: "DOMID NAME FLAGS" each, flags of (p)aused, (s)hutdown, (d)ying, and another (u)uid. */
static size_t look_make(struct seen *seen, char (*name)[8], const char *text)
{
	size_t count = 0;
	char flags[8];
	unsigned domid;
	int used;

	for (; sscanf(text, " %u %7s %7s%n", &domid, name[count], flags, &used) == 3;
	     text += used) {
		seen[count] = (struct seen){
			.domain = {.domid = (uint16_t)domid,
				   .uuid = {strchr(flags, 'u') ? 2 : 1},
				   .paused = strchr(flags, 'p') != NULL,
				   .shutdown = strchr(flags, 's') != NULL,
				   .dying = strchr(flags, 'd') != NULL},
			.name = name[count],
		};
		count++;
	}
	return count;
}

static void change_note(void *arg, enum change_kind kind, const struct seen *what)
{
	char *told = arg;

	snprintf(told + strlen(told), 200 - strlen(told), "%s %u;", change_word(kind),
		 what->domain.domid);
}

static const struct {
	const char *before, *now, *told;
} looks[] = {
	{"", "", ""},
	{"0 a - 5 b -", "0 a - 5 b -", ""},
	{"0 a -", "0 a - 5 b -", "created 5;"},
	{"0 a - 5 b -", "0 a -", "gone 5;"},
	{"5 b -", "5 b u", "gone 5;created 5;"},
	{"3 a - 7 c -", "5 b - 7 c s", "gone 3;created 5;ended 7;"},
	{"5 b p", "5 b -", "unpaused 5;"},
	{"5 b -", "5 x ps", "renamed 5;paused 5;ended 5;"},
	{"5 b s", "5 b -", "resumed 5;"},
	{"5 b -", "5 b d", "gone 5;"},
	{"5 b d", "6 c -", "created 6;"},
	{"", "6 c s", "created 6;ended 6;"},
};

START_TEST(changes_between_looks)
{
	char before_names[4][8], now_names[4][8], told[200] = "";
	struct seen before[4], now[4];
	size_t was = look_make(before, before_names, looks[_i].before);
	size_t is = look_make(now, now_names, looks[_i].now);

	changes_find(before, was, now, is, change_note, told);
	ck_assert_msg(!strcmp(told, looks[_i].told), "%s -> %s: %s", looks[_i].before,
		      looks[_i].now, told);
}
END_TEST

/* Of what an HVM guest gets another only starts anew. */
START_TEST(policy_soft_reset)
{
	static const enum verdict verdicts[] = {[DOMAIN_PV] = VERDICT_RESTART,
						[DOMAIN_PVH] = VERDICT_RESTART,
						[DOMAIN_HVM] = VERDICT_SOFT_RESET,
						[DOMAIN_PROCESS] = VERDICT_RESTART};
	struct domain_config config = {.type = (enum domain_type)_i,
				       .action = {[END_SOFT_RESET] = ACTION_SOFT_RESET}};
	struct ending ending = {.reason = SHUTDOWN_soft_reset, .lived = 1, .quick = 1};
	unsigned quick = 0;

	ck_assert_int_eq(policy_decide(&config, &ending, &quick), verdicts[_i]);
	ck_assert_uint_eq(quick, 2);
	ending.quick = POLICY_QUICK_MAX;
	ck_assert_int_eq(policy_decide(&config, &ending, &quick), VERDICT_GIVE_UP);
}
END_TEST

START_TEST(policy_verdicts)
{
	struct domain_config config = {0};
	unsigned quick = 0;

	for (int end = 0; end < END_COUNT; end++)
		config.action[end] = endings[_i].action;
	ck_assert_msg(policy_decide(&config, &endings[_i].ending, &quick) == endings[_i].verdict,
		      "%s", endings[_i].what);
	ck_assert_msg(quick == endings[_i].quick, "%s: %u", endings[_i].what, quick);
}
END_TEST

static const struct {
	enum domain_action action;
	bool gone, dumps;
} dumps[] = {
	{ACTION_COREDUMP_DESTROY, false, true}, {ACTION_COREDUMP_RESTART, false, true},
	{ACTION_COREDUMP_DESTROY, true, false}, {ACTION_DESTROY, false, false},
	{ACTION_RESTART, false, false},         {ACTION_PRESERVE, false, false},
};

START_TEST(policy_dumps_what_is_there)
{
	struct domain_config config = {.action = {[END_CRASH] = dumps[_i].action}};
	struct ending ending = {.reason = SHUTDOWN_crash, .gone = dumps[_i].gone};

	ck_assert(policy_dumps(&config, &ending) == dumps[_i].dumps);
}
END_TEST

START_TEST(policy_asks_for_the_reason)
{
	static const unsigned reasons[END_COUNT] = {SHUTDOWN_poweroff, SHUTDOWN_reboot,
						    SHUTDOWN_crash, SHUTDOWN_watchdog,
						    SHUTDOWN_soft_reset};
	unsigned quick;

	for (int end = 0; end < END_COUNT; end++) {
		struct domain_config config = {0};
		struct ending ending = {.reason = reasons[end], .lived = 100};

		config.action[end] = ACTION_PRESERVE;
		ck_assert_int_eq(policy_decide(&config, &ending, &quick), VERDICT_PRESERVE);
	}
}
END_TEST

static const struct node *node_of(const struct nodes *nodes, const char *path)
{
	for (size_t i = 0; i < nodes->count; i++)
		if (!strcmp(nodes->node[i].path, path))
			return &nodes->node[i];
	return NULL;
}

static const struct {
	const char *path;
	int owner, reader; /* -1: not set here */
	const char *value;
} layout_rows[] = {
	{"/local/domain/5", 0, 5, ""},
	{"/local/domain/5/name", -1, -1, "g"},
	{"/local/domain/5/domid", -1, -1, "5"},
	{"/local/domain/5/vm", -1, -1, "/vm/00000000-0000-0000-0000-000000000000"},
	{"/local/domain/5/data", 5, NODES_NO_READER, ""},
	{"/local/domain/5/control", 0, 5, ""},
	{"/local/domain/5/control/shutdown", 5, NODES_NO_READER, ""},
	{"/local/domain/5/memory/target", -1, -1, "65536"},
	{"/local/domain/5/store/ring-ref", -1, -1, "33"},
	{"/local/domain/5/store/port", -1, -1, "1"},
	{"/local/domain/5/cpu/0/availability", -1, -1, "online"},
	{"/local/domain/5/cpu/1/availability", -1, -1, "offline"},
	{"/libxl/5", 0, NODES_NO_READER, ""},
	{"/vm/00000000-0000-0000-0000-000000000000", 0, 5, ""},
	{"/tool/xsplit/name/g", -1, -1, "5"},
};

START_TEST(layout_nodes)
{
	struct domain_config config = {.name = (char *)"g",
				       .kernel = (char *)"/k",
				       .cmdline = (char *)"",
				       .memory_kib = 65536,
				       .maxmem_kib = 65536,
				       .vcpus = 1,
				       .maxvcpus = 2};
	struct layout layout = {.domid = 5,
				.xenstore_port = 1,
				.console_port = 2,
				.built = {.xenstore_frame = 33, .console_frame = 34}};
	struct nodes nodes = {0};
	const struct node *node;

	layout_domain(&nodes, &config, &layout);
	layout_record(&nodes, &config, 5, "text");
	ck_assert_int_eq(nodes.rc, 0);
	node = node_of(&nodes, layout_rows[_i].path);
	ck_assert_msg(node, "%s", layout_rows[_i].path);
	ck_assert_str_eq(node->value, layout_rows[_i].value);
	ck_assert_int_eq(node->permissions, layout_rows[_i].owner >= 0);
	if (node->permissions) {
		ck_assert_int_eq(node->owner, layout_rows[_i].owner);
		ck_assert_int_eq(node->reader, layout_rows[_i].reader);
	}
	nodes_free(&nodes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("toolstack_domain");
	TCase *t = tcase_create("domain");

	tcase_add_loop_test(t, name_paths, 0, TABLE_SIZE(names));
	tcase_add_test(t, name_path_longest);
	tcase_add_loop_test(t, nearest_words, 0, TABLE_SIZE(words));
	tcase_add_test(t, long_words_are_far);
	tcase_add_loop_test(t, list_rows_are_xls, 0, TABLE_SIZE(rows));
	tcase_add_test(t, list_row_verbose);
	tcase_add_test(t, lines_of_keys_and_items);
	tcase_add_loop_test(t, lines_of_broken_text, 0, TABLE_SIZE(broken));
	tcase_add_loop_test(t, changes_between_looks, 0, TABLE_SIZE(looks));
	tcase_add_loop_test(t, policy_verdicts, 0, TABLE_SIZE(endings));
	tcase_add_loop_test(t, policy_soft_reset, 0, DOMAIN_HVM + 1);
	tcase_add_loop_test(t, policy_dumps_what_is_there, 0, TABLE_SIZE(dumps));
	tcase_add_test(t, policy_asks_for_the_reason);
	tcase_add_loop_test(t, layout_nodes, 0, TABLE_SIZE(layout_rows));
	suite_add_tcase(suite, t);
	return check_main(suite);
}
