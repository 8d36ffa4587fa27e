/*
 * sectors.h - storage with sectors larger than 512 bytes behind a disk with sectors of 512: 512e.
 *
 * A stacked engine. What is aligned in offset, length and memory goes through as it is; the rest
 * goes through memory of its own, and a write reads what it does not write of its first and last
 * sector before. Writes whose sectors overlap are done one after the other, those of all the disk's
 * queues: else one would put back what another has just changed.
 */
#pragma once

#include <stdint.h>
#include <sys/queue.h>

#include "backend/block/engine.h"

/** The largest sector that storage may have. */
#define SECTORS_ALIGNMENT_MAX 65536u

/** Operations of a disk that go through memory of their own at a time: 1 MiB and two sectors. */
#define SECTORS_BOUNCES_MAX 4u

struct span;

/** What the queues of one disk share. */
struct sectors {
	uint32_t alignment; /* bytes: a power of two */
	unsigned bounces;
	LIST_HEAD(spans_active, span) active;    /* writes and discards under way */
	TAILQ_HEAD(spans_waiting, span) waiting; /* for those, or for memory */
};

/** sectors_init - nothing under way. */
void sectors_init(struct sectors *sectors, uint32_t alignment);

/**
 * engine_open_sectors - stack it.
 * @sectors: the disk's, outlives the engine
 * @inner:   opened with the same options; taken over, in case of an error too
 */
int engine_open_sectors(struct engine **engine, struct sectors *sectors, struct engine *inner,
			const struct engine_options *options);
