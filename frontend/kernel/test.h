/*
 * test.h - cases, their verdicts, and who runs them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verdict { VERDICT_OK, VERDICT_SKIP, VERDICT_FAIL };

/** One case. @since: the Xen that first has what it is about. */
struct test {
	const char *name, *since;
	enum verdict (*run)(void);
};

/** What a case says besides its verdict: why it failed or was skipped, or what it saw. */
extern char test_words[160];

/** test_say - set the words and return the verdict: "return test_say(VERDICT_SKIP, ...)". */
enum verdict test_say(enum verdict verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** CHECK - fail the case, with what was expected, unless @condition. */
#define CHECK(condition, ...)                                       \
	do {                                                        \
		if (!(condition))                                   \
			return test_say(VERDICT_FAIL, __VA_ARGS__); \
	} while (0)

/** test_run - all that the command line asks for. Return: SUCCESS, FAILURE or SKIP. */
const char *test_run(void);

/** test_cases - run @count cases and print a line for each. */
void test_cases(const char *group, const struct test *tests, unsigned count);

/** test_case - one, named by its circumstances: "group/name". */
enum verdict test_case(const char *group, const struct test *test);

/* Groups of cases. */
void tests_base(void);    /* before anything is upgraded */
void tests_routes(void);  /* every way of delivery, with both ABIs */
void tests_events(void);  /* what depends on no way: FIFO, moves, limits */
void tests_time(void);    /* clocks, timers, runstate */
void tests_store(void);   /* XenStore, grants */
void tests_devices(void); /* the frontends of frontend/core */
void tests_unplug(void);
void tests_suspend(void); /* waits for the toolstack to save us */
void bench_run(void);
