/*
 * engine_inject.h - a stacked engine that has the faults of inject.h.
 *
 * It sees the guest's requests, one operation each: nothing is merged while there are rules. What
 * no rule is for goes through at the cost of a call. Counts are the worker's: another begins anew.
 */
#pragma once

#include <stdint.h>
#include <sys/queue.h>

#include "backend/block/engine.h"
#include "backend/block/inject.h"

struct fault;

/** What the queues of one disk share; zeros are no rules. */
struct inject {
	struct inject_rules rules;
	uint64_t seen[INJECT_RULES_MAX];
	uint64_t random;
	LIST_HEAD(faults, fault) held;
};

/** inject_set - other rules, or the same (nothing happens); others let go what is held. */
void inject_set(struct inject *inject, const struct inject_rules *rules);

/** inject_release - what is held goes to the storage now, whole. */
void inject_release(struct inject *inject);

/**
 * engine_open_inject - stack it.
 * @inject: the disk's, outlives the engine
 * @inner:  opened with the same options; taken over, in case of an error too
 */
int engine_open_inject(struct engine **engine, struct inject *inject, struct engine *inner,
		       const struct engine_options *options);
