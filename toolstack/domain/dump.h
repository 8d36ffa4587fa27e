/*
 * dump.h - a guest's memory in a file, for crash(8), gdb(1) and the like.
 */
#pragma once

#include "toolstack/toolstack.h"

/** What record_busy() says while the guest is paused for it. */
#define DUMP_BUSY "dump"

/**
 * dump_file - write it (docs/misc/dump-core-format.txt of Xen), with progress on a terminal. The
 * guest stands still meanwhile. On failure, or when a signal came, there is no file.
 */
int dump_file(struct toolstack *ts, uint16_t domid, const char *path, struct fault *fault);

/** dump_recover - whoever dumped it died: the guest goes on. */
int dump_recover(struct toolstack *ts, uint16_t domid, struct fault *fault);
