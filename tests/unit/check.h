/*
 * check.h - the main() that every unit test shares: one suite, each START_TEST added by name.
 */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/** scratch - a template for mkstemp(3) or mkdtemp(3): all that is made so is removed at the end, of
 * checks that fail too. So is what programs leave behind that ask for TMPDIR. */
static inline void scratch(char *template, size_t size, const char *name)
{
	snprintf(template, size, "%s/%s-XXXXXX", getenv("TMPDIR"), name);
}

/** Run @suite's checks, each in a process of its own, and say how they went. */
static inline int check_main(Suite *suite)
{
	char top[] = "/tmp/xsplit-unit-XXXXXX", command[64];
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!mkdtemp(top) || setenv("TMPDIR", top, 1))
		return EXIT_FAILURE;
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	snprintf(command, sizeof(command), "rm -rf %s", top);
	failed |= system(command) != 0;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define TABLE_SIZE(table) ((int)(sizeof(table) / sizeof((table)[0])))
