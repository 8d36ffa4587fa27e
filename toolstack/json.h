/*
 * json.h - JSON on standard output, or another stream.
 */
#pragma once

#include <stdio.h>
#include <yajl/yajl_tree.h>

#include "lib/json.h"

/** json_open - a generator that indents with four blanks, or NULL without memory. */
yajl_gen json_open(void);

/** json_copy - what was read of another text, as it is. */
void json_copy(yajl_gen json, yajl_val value);

/** json_close - write what was generated to standard output, with a newline, and end it. */
void json_close(yajl_gen json);

/** json_close_on - the same to another stream. */
void json_close_on(yajl_gen json, FILE *out);
