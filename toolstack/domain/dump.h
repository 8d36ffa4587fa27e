/*
 * dump.h - a guest's memory in a file, for crash(8), gdb(1) and the like.
 */
#pragma once

#include "toolstack/toolstack.h"

/**
 * dump_file - write it (docs/misc/dump-core-format.txt of Xen), with progress on a terminal. The
 * guest stands still meanwhile. On failure, or when a signal came, there is no file.
 */
int dump_file(struct toolstack *ts, uint16_t domid, const char *path, struct fault *fault);
