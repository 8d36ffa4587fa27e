/*
 * stall.h - storage that does not answer: said after a while, and taken back when it does.
 *
 * The requests stay where they are; nobody is told that they failed. A look costs nothing while
 * nothing runs, and a timer every eighth of the limit while something does.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend/worker/worker.h"

struct blk_disk;

struct stall {
	struct worker_device *dev;
	struct blk_disk *disk;
	struct event *timer;
	uint32_t limit_s; /* 0: off */
	bool armed, told;
};

/** stall_open - off. Return: 0 or -ENOMEM. */
int stall_open(struct stall *stall, struct worker_device *dev, struct blk_disk *disk);

/** stall_limit - after so many seconds; 0 turns it off. */
void stall_limit(struct stall *stall, uint32_t seconds);

/** stall_watch - something runs. */
void stall_watch(struct stall *stall);

/** stall_close - idempotent. */
void stall_close(struct stall *stall);
