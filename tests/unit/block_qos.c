/* A disk's settings as text; its limits: the buckets, the line of queues before them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/block/bucket.h"
#include "backend/block/line.h"
#include "backend/block/settings.h"
#include "tests/unit/check.h"

#define SECOND 1000000000ull

/* ---- text ---- */

static const struct {
	const char *text;
	const char *printed; /* NULL: refused, with these words */
	const char *why;
} texts[] = {
	{"", "", NULL},
	{"iops=100", "iops=100", NULL},
	{"iops=0", "", NULL},
	{"write-bytes=10M,read-iops=5", "read-iops=5,write-bytes=10485760", NULL},
	{"bytes=1k,bytes-burst=1g,bytes-burst-seconds=60",
	 "bytes=1024,bytes-burst=1073741824,bytes-burst-seconds=60", NULL},
	{"iops=100,iops=200", "iops=200", NULL},
	{"iops=100,", "iops=100", NULL},
	{"iops", NULL, "qos: iops is not [read-|write-]"},
	{"speed=3", NULL, "qos: speed=3 is not"},
	{"iops=-1", NULL, "qos: iops=-1 is not a number up to 281474976710656"},
	{"iops=1x", NULL, "qos: iops=1x is not a number"},
	{"iops=", NULL, "qos: iops= is not a number"},
	{"iops=281474976710657", NULL, "is not a number up to"},
	{"iops=999999999T", NULL, "is not a number up to"},
	{"iops=5,iops-burst=5", NULL, "iops-burst=5 is not above iops=5"},
	{"iops-burst=5", NULL, "iops-burst needs iops"},
	{"iops=5,iops-burst-seconds=5", NULL, "iops-burst-seconds needs iops-burst"},
	{"iops=5,iops-burst=9,iops-burst-seconds=86401", NULL, "up to 86400"},
	{"a-word-that-is-longer-than-any-key-with-its-value-could-ever-be-in-this=1", NULL,
	 "is too long"},
};

START_TEST(text)
{
	struct qos_limits limits = {.limit[0].rate = 7};
	char why[256] = "", printed[QOS_TEXT_SIZE];
	int rc = qos_parse(texts[_i].text, &limits, why, sizeof(why));

	ck_assert_msg(rc == (texts[_i].printed ? 0 : -EINVAL), "%s: %d %s", texts[_i].text, rc,
		      why);
	if (rc) {
		ck_assert_msg(strstr(why, texts[_i].why), "%s: %s", texts[_i].text, why);
		ck_assert_uint_eq(limits.limit[0].rate, 7);
	} else {
		qos_print(&limits, printed);
		ck_assert_str_eq(printed, texts[_i].printed);
	}
}
END_TEST

START_TEST(longest_text)
{
	struct qos_limits limits, again;
	char printed[QOS_TEXT_SIZE], why[256];

	for (int n = 0; n < QOS_LIMITS; n++)
		limits.limit[n] =
			(struct qos_limit){QOS_RATE_MAX - 1, QOS_RATE_MAX, QOS_SECONDS_MAX};
	qos_print(&limits, printed);
	ck_assert_int_eq(qos_parse(printed, &again, why, sizeof(why)), 0);
	ck_assert_mem_eq(&again, &limits, sizeof(limits));
}
END_TEST

static const struct {
	const char *value;
	int rc;
	bool paused;
} pauses[] = {
	{"0", 0, false},      {"1", 0, true},          {"2", -EINVAL, false},
	{"", -EINVAL, false}, {"yes", -EINVAL, false}, {"01", -EINVAL, false},
};

START_TEST(paused)
{
	struct settings settings;
	char why[100] = "";

	settings_default(&settings);
	ck_assert_int_eq(settings_table[SETTING_PAUSED].parse(pauses[_i].value, &settings, why,
							      sizeof(why)),
			 pauses[_i].rc);
	ck_assert(settings.paused == pauses[_i].paused);
	ck_assert(!pauses[_i].rc || strstr(why, "paused is "));
}
END_TEST

static const struct {
	const char *reply;
	uint32_t number;
} replies[] = {
	{"12 ok", 12},
	{"4294967295 ok", UINT32_MAX},
	{"3 error: 4 things", 3},
	{"", 0},
	{"ok", 0},
	{"4294967296 ok", 0},
	{"-1 ok", 0},
	{"99999999999999999 ok", 0},
};

START_TEST(reply)
{
	ck_assert_uint_eq(settings_replied(replies[_i].reply), replies[_i].number);
}
END_TEST

static const struct {
	const char *text;
	uint64_t size;
	int rc;
	bool force;
} sizes[] = {
	{"look", 0, 0, false},
	{"look force", 0, 0, true},
	{"1048576", 1048576, 0, false},
	{"512 force", 512, 0, true},
	{"9223372036854775296", 9223372036854775296u, 0, false},
	{"9223372036854775808", 0, -EINVAL, false},
	{"0", 0, -EINVAL, false},
	{"513", 0, -EINVAL, false},
	{"", 0, -EINVAL, false},
	{"force", 0, -EINVAL, false},
	{"512 ", 0, -EINVAL, false},
	{"512 forced", 0, -EINVAL, false},
	{"1M", 0, -EINVAL, false},
};

START_TEST(resize)
{
	struct resize parsed = {7, true};
	char why[200] = "";

	ck_assert_msg(resize_parse(sizes[_i].text, &parsed, why, sizeof(why)) == sizes[_i].rc, "%s",
		      sizes[_i].text);
	ck_assert_uint_eq(parsed.size, sizes[_i].rc ? 7 : sizes[_i].size);
	ck_assert(sizes[_i].rc ? strstr(why, "resize is ") != NULL
			       : parsed.force == sizes[_i].force);
}
END_TEST

/* ---- buckets ---- */

/* How many operations of @bytes start in @seconds when as many as may do. */
static unsigned moved(const char *limits, bool write, uint64_t bytes, unsigned seconds)
{
	struct buckets buckets = {0};
	struct qos_limits parsed;
	uint64_t now = 5 * SECOND, end = now + seconds * SECOND;
	unsigned count = 0;
	char why[100];

	ck_assert_int_eq(qos_parse(limits, &parsed, why, sizeof(why)), 0);
	buckets_set(&buckets, &parsed);
	while (now < end && count < 1000000) {
		uint64_t wait = buckets_take(&buckets, write, bytes, now);

		if (!wait)
			count++;
		now += wait;
	}
	return count;
}

static const struct {
	const char *what, *limits;
	bool write;
	unsigned bytes, seconds, least, most;
} rates[] = {
	{"operations", "iops=1000", false, 4096, 10, 10000, 10101},
	{"few operations", "iops=2", false, 4096, 10, 20, 21},
	{"one operation in two seconds would be a rate below 1: one a second", "iops=1", true, 512,
	 10, 10, 11},
	{"bytes", "bytes=1M", false, 65536, 10, 160, 162},
	{"larger than the bucket", "bytes=64K", false, 1 << 20, 64, 4, 5},
	{"a read is not a write", "write-iops=1", false, 4096, 1, 1000000, 1000000},
	{"nor a write a read", "read-bytes=1", true, 4096, 1, 1000000, 1000000},
	{"reads", "read-bytes=1M", false, 4096, 10, 2560, 2600},
	{"the stricter of two", "iops=100,bytes=4M", false, 4096, 10, 1000, 1012},
	{"the other one", "iops=100,bytes=4M", false, 1 << 20, 10, 40, 42},
	{"of one direction and both", "iops=100,write-iops=10", true, 4096, 10, 100, 103},
	{"no bytes, such as a discard", "bytes=1,write-bytes=1", true, 0, 1, 1000000, 1000000},
	{"but an operation", "write-iops=10,bytes=1", true, 0, 10, 100, 103},
	{"a burst of ten seconds at 1000, then 100",
	 "iops=100,iops-burst=1000,iops-burst-seconds=10", false, 4096, 10, 9900, 10110},
	{"no faster than its rate meanwhile", "iops=100,iops-burst=1000,iops-burst-seconds=10",
	 false, 4096, 1, 1000, 1102},
	{"and then 100", "iops=100,iops-burst=1000,iops-burst-seconds=10", false, 4096, 20, 10900,
	 11120},
	{"a burst of no length is one second", "iops=100,iops-burst=1000", false, 4096, 10, 1890,
	 2020},
};

START_TEST(rate)
{
	unsigned count =
		moved(rates[_i].limits, rates[_i].write, rates[_i].bytes, rates[_i].seconds);

	ck_assert_msg(count >= rates[_i].least && count <= rates[_i].most, "%s: %u, not %u to %u",
		      rates[_i].what, count, rates[_i].least, rates[_i].most);
}
END_TEST

static struct qos_limits iops(uint64_t count)
{
	return (struct qos_limits){.limit[QOS_IOPS].rate = count};
}

/* The debt of a slow limit must not be paid at a fast one. */
START_TEST(changed_limit_starts_anew)
{
	struct buckets buckets = {0};
	struct qos_limits limits = {.limit[QOS_BYTES].rate = 1};

	buckets_set(&buckets, &limits);
	ck_assert_uint_eq(buckets_take(&buckets, false, 1 << 20, SECOND), 0);
	ck_assert_uint_gt(buckets_take(&buckets, false, 512, SECOND), 1000000 * SECOND);
	limits.limit[QOS_IOPS].rate = 5; /* another one: the debt stays */
	buckets_set(&buckets, &limits);
	ck_assert_uint_gt(buckets_take(&buckets, false, 512, SECOND), 1000000 * SECOND);
	limits.limit[QOS_BYTES].rate = 1 << 20;
	buckets_set(&buckets, &limits);
	ck_assert_uint_eq(buckets_take(&buckets, false, 512, SECOND), 0);
	limits = (struct qos_limits){0};
	buckets_set(&buckets, &limits);
	ck_assert(!buckets.limited);
}
END_TEST

/* An idle disk saves up one bucket, not what it could have done. */
START_TEST(idle_saves_no_more_than_a_bucket)
{
	struct buckets buckets = {0};
	struct qos_limits limits = iops(1000);
	unsigned count = 0;

	buckets_set(&buckets, &limits);
	(void)buckets_take(&buckets, false, 512, SECOND);
	while (!buckets_take(&buckets, false, 512, 1000 * SECOND))
		count++;
	ck_assert_uint_le(count, 101);
	ck_assert_uint_ge(count, 99);
}
END_TEST

/* The largest numbers overflow nothing. */
START_TEST(extremes)
{
	struct buckets buckets = {0};
	struct qos_limits limits = {0};

	for (int n = 0; n < QOS_LIMITS; n++)
		limits.limit[n] = (struct qos_limit){1, QOS_RATE_MAX, QOS_SECONDS_MAX};
	buckets_set(&buckets, &limits);
	for (int n = 0; n < 1000; n++)
		ck_assert_uint_eq(buckets_take(&buckets, true, 1 << 20, UINT32_MAX * SECOND), 0);
}
END_TEST

/* ---- the line ---- */

static struct event_base *base;
static struct line line;

struct taker {
	struct waiter waiter;
	unsigned wants, got;
};

static void take(struct taker *taker)
{
	while (taker->got < taker->wants && line_take(&line, &taker->waiter, false, 4096))
		taker->got++;
	if (taker->got == taker->wants)
		line_leave(&line, &taker->waiter);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	take(arg);
}

static void taker_make(struct taker *taker, unsigned wants)
{
	*taker = (struct taker){.wants = wants};
	taker->waiter.again = event_new(base, -1, 0, on_again, taker);
}

START_TEST(even_between_queues)
{
	const struct qos_limits limits = iops(1000);
	struct taker deep, shallow;

	base = event_base_new();
	ck_assert_int_eq(line_open(&line, base), 0);
	line_limit(&line, &limits);
	taker_make(&deep, 10000);
	taker_make(&shallow, 10000);
	take(&deep); /* what the bucket holds */
	deep.got = 0;
	take(&shallow);
	ck_assert_uint_eq(shallow.got, 0);
	while (deep.got < 50) {
		take(&deep); /* asks all the time */
		event_base_loop(base, EVLOOP_ONCE);
	}
	ck_assert_uint_ge(shallow.got + 1, deep.got);
	ck_assert_uint_le(shallow.got, deep.got + 1);

	/* Who leaves makes room; without limits all may. */
	line_leave(&line, &deep.waiter);
	shallow.wants = shallow.got + 10;
	while (shallow.got < shallow.wants)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert(!line.first);
	take(&deep);
	line_limit(&line, &(struct qos_limits){0});
	event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_eq(deep.got, deep.wants);
	ck_assert(!line.first);
	event_free(deep.waiter.again);
	event_free(shallow.waiter.again);
	line_close(&line);
	event_base_free(base);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_qos");
	TCase *tcase = tcase_create("block_qos");

	tcase_add_loop_test(tcase, text, 0, TABLE_SIZE(texts));
	tcase_add_test(tcase, longest_text);
	tcase_add_loop_test(tcase, paused, 0, TABLE_SIZE(pauses));
	tcase_add_loop_test(tcase, reply, 0, TABLE_SIZE(replies));
	tcase_add_loop_test(tcase, resize, 0, TABLE_SIZE(sizes));
	tcase_add_loop_test(tcase, rate, 0, TABLE_SIZE(rates));
	tcase_add_test(tcase, changed_limit_starts_anew);
	tcase_add_test(tcase, idle_saves_no_more_than_a_bucket);
	tcase_add_test(tcase, extremes);
	tcase_add_test(tcase, even_between_queues);
	suite_add_tcase(suite, tcase);
	return check_main(suite);
}
