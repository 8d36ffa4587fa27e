/*
 * batch.h - how many finished requests to answer at once. Pure.
 *
 * An answer interrupts the guest, which costs it more than the request itself. A guest that has
 * several requests under way does not wait for the first of them, so that can be answered with the
 * others. How many such a guest keeps under way is found by trying: now and then answers are held
 * until nothing more comes. From then on they are held until half of that many have finished: the
 * guest has the other half to go on with.
 */
#pragma once

#include <stdbool.h>

struct batch {
	unsigned entries;      /* of the ring */
	unsigned depth;        /* finished together when nothing more came, the last time */
	unsigned left, period; /* answers until it is tried again, and from one try to the next */
};

/** batch_init - answer at once, and try soon. */
void batch_init(struct batch *batch, unsigned entries);

/** batch_waits - should @finished requests wait for more before they are answered? */
bool batch_waits(const struct batch *batch, unsigned finished);

/**
 * batch_answered - @finished requests have been answered together.
 * @alone: they waited, and nothing more came
 */
void batch_answered(struct batch *batch, unsigned finished, bool alone);
