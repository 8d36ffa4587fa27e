/*
 * check.h - the main() that every unit test shares: one suite, each START_TEST added by name.
 */
#pragma once

#include <check.h>
#include <stdlib.h>

/** Run @suite's checks, each in a process of its own, and say how they went. */
static inline int check_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define TABLE_SIZE(table) ((int)(sizeof(table) / sizeof((table)[0])))
