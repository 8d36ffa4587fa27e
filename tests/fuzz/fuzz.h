/*
 * fuzz.h - what the fuzzers share: bytes taken one after the other, and checks that abort.
 *
 * A fuzzer is LLVMFuzzerTestOneInput of one pure part of the house, linked alone under clang's
 * sanitizers. It checks what the part's header promises, not only that nothing crashes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)                                                                              \
	do {                                                                                     \
		if (!(what)) {                                                                   \
			(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                                 \
		}                                                                                \
	} while (0)

struct input {
	const uint8_t *data;
	size_t size;
};

/** input_take - the next @size bytes; zeroes when there are no more. */
static inline void input_take(struct input *from, void *to, size_t size)
{
	size_t there = size < from->size ? size : from->size;

	memset(to, 0, size);
	if (there)
		memcpy(to, from->data, there);
	from->data += there;
	from->size -= there;
}

/** input_text - all of them as a string, for free(3). */
static inline char *input_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	CHECK(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}
