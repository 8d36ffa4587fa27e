/*
 * keys.h - the keys of xl.cfg(5), and what this version does with each.
 */
#pragma once

#include <stddef.h>

enum key_kind {
	KEY_STRING,
	KEY_LIST,
	KEY_OPTION,  /* in the table of options.h */
	KEY_REFUSED, /* xl has it, this version does not */
	KEY_UNKNOWN
};

/** key_name - the keys that are taken, one after the other from @n = 0 on; NULL behind the last. */
const char *key_name(size_t n);

/** key_kind - what a key is. */
enum key_kind key_kind(const char *key);

/** key_nearest - the known key that a mistyped one is most like, or NULL. */
const char *key_nearest(const char *key);
