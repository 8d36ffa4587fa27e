/* Storage that does not answer: what is said of it, when, and when it is taken back. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "backend/block/meter.h"
#include "backend/block/queue.h"
#include "backend/block/stall.h"
#include "tests/unit/check.h"

static struct worker worker;
static struct worker_device dev;
static struct blk_disk disk;
static struct stall stall;
static struct event_base *base;
static uint64_t running_s; /* the oldest operation has run for so long */
static unsigned troubles, recoveries;
static char words[256];

void worker_trouble(struct worker_device *device, int rc, const char *format, ...)
{
	va_list args;

	ck_assert_int_eq(rc, -ETIMEDOUT);
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	troubles++;
}

void worker_recovered(struct worker_device *device, const char *how)
{
	recoveries++;
}

void queue_oldest(const struct queue *queue, struct queue_oldest *oldest)
{
	struct meter clock;

	if (!disk.running)
		return;
	meter_look(&clock);
	*oldest = (struct queue_oldest){clock.now - running_s * 1000000000u, 4096, 512, "read"};
}

struct queue *queue_next(const struct queue *queue)
{
	return NULL;
}

static void set_up(void)
{
	base = event_base_new();
	worker = (struct worker){.base = base};
	dev = (struct worker_device){.worker = &worker};
	disk = (struct blk_disk){.queues = (struct queue *)&disk, .running = 1};
	troubles = recoveries = 0;
	ck_assert_int_eq(stall_open(&stall, &dev, &disk), 0);
}

static void tear_down(void)
{
	stall_close(&stall);
	event_base_free(base);
}

/* As often as something is armed and due. */
static void looks(unsigned count)
{
	while (count--)
		event_base_loop(base, EVLOOP_ONCE);
}

START_TEST(said_once_and_taken_back)
{
	stall_limit(&stall, 2);
	running_s = 1;
	looks(2);
	ck_assert_uint_eq(troubles, 0);
	running_s = 2;
	looks(3);
	ck_assert_uint_eq(troubles, 1);
	ck_assert_str_eq(words, "its storage has not answered for 2 s (read of 512 bytes at 4096); "
				"requests wait for it, look after the storage");
	ck_assert_uint_eq(recoveries, 0);
	running_s = 0;
	looks(2);
	ck_assert_uint_eq(recoveries, 1);
	/* And anew. */
	running_s = 2;
	looks(2);
	ck_assert_uint_eq(troubles, 2);
}
END_TEST

START_TEST(taken_back_with_the_limit)
{
	stall_limit(&stall, 1);
	running_s = 1;
	looks(1);
	ck_assert_uint_eq(troubles, 1);
	stall_limit(&stall, 1);
	ck_assert_uint_eq(recoveries, 0);
	stall_limit(&stall, 3600);
	ck_assert_uint_eq(recoveries, 1);
	ck_assert(stall.armed);
	stall_limit(&stall, 0);
	ck_assert(!stall.armed);
	stall_watch(&stall);
	ck_assert(!stall.armed);
}
END_TEST

START_TEST(no_timer_while_nothing_runs)
{
	disk.running = 0;
	stall_limit(&stall, 1);
	ck_assert(!stall.armed);
	disk.running = 1;
	stall_watch(&stall);
	ck_assert(stall.armed);
	disk.running = 0;
	looks(1);
	ck_assert(!stall.armed);
	ck_assert_uint_eq(troubles, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_stall");
	TCase *tc = tcase_create("block_stall");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, said_once_and_taken_back);
	tcase_add_test(tc, taken_back_with_the_limit);
	tcase_add_test(tc, no_timer_while_nothing_runs);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
