/*
 * text.h - short texts put together without a C library: paths, messages, numbers.
 *
 * A text that does not fit is cut and says so in .cut; it always ends with a NUL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *data;
	size_t size, length;
	bool cut;
};

/** Room for any unsigned number of 64 bits and its NUL. */
#define TEXT_NUMBER_SIZE 21

/** text_on - an empty text in @data of @size bytes, at least 1. */
struct text text_on(char *data, size_t size);

/** text_add - append a string. */
void text_add(struct text *text, const char *more);

/** text_add_number - append a decimal number. */
void text_add_number(struct text *text, uint64_t number);

/** text_path - "DIRECTORY/NAME" into @path. Return: 0 or -ENAMETOOLONG. */
int text_path(char *path, size_t size, const char *directory, const char *name);
