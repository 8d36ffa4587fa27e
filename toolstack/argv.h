/*
 * argv.h - the words of a command line, put together one by one.
 */
#pragma once

#include <stddef.h>

struct argv {
	char **word; /* @count of them and a NULL */
	size_t count;
	int rc; /* of the first that failed; the others are then missing */
};

/** argv_add - one word, from a format. */
void argv_add(struct argv *argv, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** argv_pair - an option and its value as it stands. */
void argv_pair(struct argv *argv, const char *option, const char *value);

void argv_free(struct argv *argv);
