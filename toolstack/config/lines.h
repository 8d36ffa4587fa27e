/*
 * lines.h - where each key of an xl.cfg(5) text stands.
 *
 * Pure. libxlutil reads the values but tells neither which keys there are nor their lines, so
 * this walks the same grammar beside it: KEY = VALUE or KEY += VALUE, values strings, numbers
 * or lists, statements ended by a line or a semicolon, comments from '#'. It is meant for text that
 * libxlutil has accepted; in other text it may find too little, never beyond the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct key_place {
	char *key;
	unsigned line;
	bool adds;           /* by += */
	unsigned *item_line; /* of each item of a list, NULL for another value */
	size_t items;
};

struct key_places {
	struct key_place *place;
	size_t count;
};

/**
 * lines_find - list the assignments of a text in their order.
 * @places: filled on success; end with lines_free()
 * Return: 0 or -ENOMEM.
 */
int lines_find(const char *text, struct key_places *places);

void lines_free(struct key_places *places);

/** lines_last - the last assignment of a key, which is the one that counts, or NULL. */
const struct key_place *lines_last(const struct key_places *places, const char *key);

/** lines_item - the line of item @index of a key's list, with what += added; 0 if unknown. */
unsigned lines_item(const struct key_places *places, const char *key, size_t index);
