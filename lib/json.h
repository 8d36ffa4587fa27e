/*
 * json.h - members of a JSON object, with yajl.
 */
#pragma once

#include <stdbool.h>
#include <yajl/yajl_gen.h>

/** json_text - a string by itself; one that is not UTF-8 becomes "?". NULL becomes null. */
void json_text(yajl_gen json, const char *text);

/** json_key - a key alone; an array or object comes next. */
void json_key(yajl_gen json, const char *key);

/** A member each: its key and its value. */
void json_string(yajl_gen json, const char *key, const char *value);
void json_number(yajl_gen json, const char *key, long long value);
void json_bool(yajl_gen json, const char *key, bool value);
