#include "backend/block/poll.h"

/* What a sleep is worth, in cheap system calls: it takes a dozen dearer ones, and a wakening. */
#define CALLS_A_SLEEP 100
#define FAILED_MAX    8
#define TRY           16
#define PAUSE_MIN     10000000u
#define PAUSE_MAX     1000000000u

void poll_init(struct poll *poll, uint64_t call)
{
	uint64_t limit = call * CALLS_A_SLEEP;

	*poll = (struct poll){.enabled = true, .pause = PAUSE_MIN};
	poll->limit = limit < POLL_LIMIT_MIN   ? POLL_LIMIT_MIN
		      : limit > POLL_LIMIT_MAX ? POLL_LIMIT_MAX
					       : limit;
	poll->gap = 4 * poll->limit; /* work has to come often first */
}

uint64_t poll_window(const struct poll *poll, uint64_t now)
{
	if (!poll->enabled || now < poll->until)
		return 0;
	if (poll->gap > poll->limit)
		return poll->gap < 3 * poll->limit && poll->sleeps % TRY == 0 ? poll->limit : 0;
	return 2 * poll->gap < poll->limit ? 2 * poll->gap + POLL_LIMIT_MIN / 10 : poll->limit;
}

/* One long gap must not be remembered for long. */
static void gap_add(struct poll *poll, uint64_t gap)
{
	uint64_t most = 4 * poll->limit;

	poll->gap = poll->gap - poll->gap / 4 + (gap < most ? gap : most) / 4;
}

void poll_found(struct poll *poll, uint64_t gap)
{
	if (poll->gap > poll->limit)
		poll->gap = gap;
	else
		gap_add(poll, gap);
	poll->failed = 0;
	if (poll->pause > PAUSE_MIN)
		poll->pause -= poll->pause / 16;
}

void poll_woken(struct poll *poll, uint64_t gap)
{
	gap_add(poll, gap);
	poll->sleeps++;
}

static void pause_begin(struct poll *poll, uint64_t now)
{
	poll->until = now + poll->pause;
	poll->failed = 0;
	poll->pause = 2 * poll->pause < PAUSE_MAX ? 2 * poll->pause : PAUSE_MAX;
}

void poll_failed(struct poll *poll, uint64_t now)
{
	if (++poll->failed >= FAILED_MAX)
		pause_begin(poll, now);
}

void poll_wanted(struct poll *poll, uint64_t now)
{
	pause_begin(poll, now);
}
