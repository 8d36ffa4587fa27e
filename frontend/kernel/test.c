#include "frontend/kernel/test.h"

#include "frontend/kernel/kernel.h"

char test_words[160];

static struct {
	unsigned ok, skipped, failed;
} tally;

enum verdict test_say(enum verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_text(test_words, sizeof(test_words), format, args);
	va_end(args);
	return verdict;
}

enum verdict test_case(const char *group, const struct test *test)
{
	static const char *const words[] = {
		[VERDICT_OK] = "ok", [VERDICT_SKIP] = "SKIP", [VERDICT_FAIL] = "FAIL"};
	uint64_t begin = clocks_ns();
	enum verdict verdict;

	test_words[0] = '\0';
	verdict = test->run();
	tally.ok += verdict == VERDICT_OK;
	tally.skipped += verdict == VERDICT_SKIP;
	tally.failed += verdict == VERDICT_FAIL;
	print("case %s/%s %s %lu us, since Xen %s%s%s\n", group, test->name, words[verdict],
	      (clocks_ns() - begin) / 1000, test->since, test_words[0] ? ": " : "", test_words);
	return verdict;
}

void test_cases(const char *group, const struct test *tests, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		test_case(group, &tests[i]);
}

/* Groups change what later ones find, so they come in this order. */
static const struct {
	const char *name;
	void (*run)(void);
	bool by_default;
} groups[] = {
	{"base", tests_base, true},        {"bench", bench_run, false},
	{"routes", tests_routes, true},    {"events", tests_events, true},
	{"time", tests_time, true},        {"store", tests_store, true},
	{"devices", tests_devices, true},  {"unplug", tests_unplug, true},
	{"suspend", tests_suspend, false},
};

static bool wanted(const char *name, bool by_default)
{
	const char *list = kernel_option("tests");
	size_t length = strlen(name);

	if (!list)
		return by_default;
	while (*list && *list != ' ') {
		if (string_begins(list, name) &&
		    (list[length] == ',' || list[length] == ' ' || !list[length]))
			return true;
		while (*list && *list != ' ' && *list++ != ',')
			;
	}
	return false;
}

const char *test_run(void)
{
	for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (wanted(groups[i].name, groups[i].by_default))
			groups[i].run();
	}
	print("cases: %u ok, %u skipped, %u failed, %lu stray interrupts, %lu lost sti shadows\n",
	      tally.ok, tally.skipped, tally.failed, kernel.stray_interrupts,
	      kernel.sleeps_skipped);
	if (tally.failed)
		return "FAILURE";
	return tally.ok ? "SUCCESS" : "SKIP";
}
