/*
 * json.h - JSON on standard output.
 */
#pragma once

#include "lib/json.h"

/** json_open - a generator that indents with four blanks, or NULL without memory. */
yajl_gen json_open(void);

/** json_close - write what was generated to standard output, with a newline, and end it. */
void json_close(yajl_gen json);
