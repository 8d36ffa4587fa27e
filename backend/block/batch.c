#include "backend/block/batch.h"

#define PERIOD_FIRST 32
#define PERIOD_MIN   256
#define PERIOD_MAX   4096

void batch_init(struct batch *batch, unsigned entries)
{
	*batch = (struct batch){
		.entries = entries, .depth = 1, .left = PERIOD_FIRST, .period = PERIOD_MIN};
}

bool batch_waits(const struct batch *batch, unsigned finished)
{
	if (!finished || finished == batch->entries)
		return false;
	if (!batch->left)
		return true;
	return 2 * finished < batch->depth;
}

void batch_answered(struct batch *batch, unsigned finished, bool alone)
{
	unsigned before = batch->depth;

	if (batch->left) {
		batch->left -= finished < batch->left ? finished : batch->left;
		if (alone) {
			/* Perhaps it was only busy for a moment. */
			batch->depth = before / 2 > finished ? before / 2 : finished;
			if (batch->left > PERIOD_FIRST)
				batch->left = PERIOD_FIRST;
		}
		return;
	}
	if (!alone && finished < batch->entries)
		return; /* cut short, so nothing is known */
	batch->depth = finished;
	batch->period = batch->depth > before            ? PERIOD_MIN
			: 2 * batch->period < PERIOD_MAX ? 2 * batch->period
							 : PERIOD_MAX;
	batch->left = batch->period;
}
