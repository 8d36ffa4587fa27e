/* Faults for a disk: rules as text, which operation they are for, and the engine that has them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/block/engine_inject.h"
#include "tests/unit/check.h"

/* ---- text ---- */

static const struct {
	const char *text;
	int count; /* of rules, or -1: refused with these words */
	const char *why;
} texts[] = {
	{"", 0, NULL},
	{"   ", 0, NULL},
	{"error=EIO", 1, NULL},
	{"op=read/discard,error=ENOSPC,count=3  delay=200ms", 2, NULL},
	{"op=write,torn=512", 1, NULL},
	{"torn=0,error=none", 1, NULL},
	{"delay=forever", 1, NULL},
	{"range=0-4096,after=2,count=1,chance=50,error=ETIMEDOUT", 1, NULL},
	{"op=flush,error=EOPNOTSUPP", 1, NULL},
	{"op=write", -1, "the rule op=write says no error, delay or torn"},
	{"error=none", -1, "says no error, delay or torn"},
	{"op=erase,error=EIO", -1, "op=erase is not read, write"},
	{"op=,error=EIO", -1, "op= is not read"},
	{"op=read/,error=EIO", -1, "op=read/ is not"},
	{"error=EPERM", -1, "error=EPERM is not EIO, ENOSPC"},
	{"error", -1, "error is not op=, range="},
	{"errors=EIO", -1, "errors=EIO is not op="},
	{"error=EIO,", -1, "is not op="},
	{"range=5,error=EIO", -1, "range=5 is not FROM-TO"},
	{"range=5-5,error=EIO", -1, "range=5-5 is not"},
	{"range=-5,error=EIO", -1, "range=-5 is not"},
	{"range=0-99999999999999999999999,error=EIO", -1, "is not FROM-TO"},
	{"op=flush,range=0-512,error=EIO", -1, "has a range, which a flush has not"},
	{"op=read,torn=512", -1, "is torn, which only op=write can be"},
	{"torn=100", -1, "torn=100 is not bytes, a multiple of 512"},
	{"count=0,error=EIO", -1, "count=0 is not a number above 0"},
	{"chance=0,error=EIO", -1, "chance=0 is not 1 to 100"},
	{"chance=101,error=EIO", -1, "chance=101 is not"},
	{"delay=5", -1, "delay=5 is not Nms or Ns"},
	{"delay=0s", -1, "delay=0s is not"},
	{"delay=86401s", -1, "delay=86401s is not"},
	{"delay=99999999999999999999s", -1, "is not Nms"},
	{"error=EIO error=EIO error=EIO error=EIO error=EIO error=EIO error=EIO error=EIO error=EIO "
	 "error=EIO error=EIO error=EIO error=EIO error=EIO error=EIO error=EIO error=EIO",
	 -1, "more than 16 rules"},
	{"op=read/read/read/read/read/read/read/read/read/read/read/read/read/read/read/read/read/"
	 "read/read/read/read/read/read/read/read/read/read/read/read/read/read/read/read/read/read/"
	 "read/read/read/read/read,error=EIO",
	 -1, "more than 199 characters"},
};

START_TEST(text)
{
	struct inject_rules rules = {.count = 7};
	char why[256] = "";
	int rc = inject_parse(texts[_i].text, &rules, why, sizeof(why));

	ck_assert_msg(rc == (texts[_i].count < 0 ? -EINVAL : 0), "%s: %d %s", texts[_i].text, rc,
		      why);
	ck_assert_uint_eq(rules.count, rc ? 7 : (unsigned)texts[_i].count);
	if (rc)
		ck_assert_msg(strstr(why, texts[_i].why), "%s: %s", texts[_i].text, why);
}
END_TEST

/* ---- which operation ---- */

static const struct {
	const char *name, *text, *hits; /* of the operations below, one after the other */
} judgements[] = {
	{"all", "error=EIO", "11111111"},
	{"one operation", "op=write,error=EIO", "01010000"},
	{"two operations", "op=read/flush,error=EIO", "10101010"},
	{"range", "range=4096-8192,error=EIO", "00110001"},
	{"range to the byte before", "range=8192-12288,error=EIO", "00000101"},
	{"after", "op=read,after=1,error=EIO", "00101000"},
	{"count", "op=read,count=1,error=EIO", "10000000"},
	{"after and count", "after=2,count=3,error=EIO", "00111000"},
	{"the first that fits", "op=write,count=1,error=EIO op=write,delay=1s", "01020000"},
	{"chance that is too small", "chance=50,error=EIO", "00000000"},
	{"chance that is enough", "chance=51,error=EIO", "11111111"},
};

static const struct {
	enum engine_op op;
	uint64_t offset, length;
} operations[] = {
	{ENGINE_READ, 0, 4096},    {ENGINE_WRITE, 0, 4096},    {ENGINE_READ, 4096, 4096},
	{ENGINE_WRITE, 7680, 512}, {ENGINE_READ, 12288, 512},  {ENGINE_DISCARD, 8192, 512},
	{ENGINE_FLUSH, 0, 0},      {ENGINE_DISCARD, 0, 65536},
};

START_TEST(judgement)
{
	uint64_t seen[INJECT_RULES_MAX] = {0};
	struct inject_rules rules;
	char why[256] = "";

	ck_assert_int_eq(inject_parse(judgements[_i].text, &rules, why, sizeof(why)), 0);
	for (size_t n = 0; n < sizeof(operations) / sizeof(operations[0]); n++) {
		const struct inject_rule *rule = inject_judge(&rules, seen, operations[n].op,
							      operations[n].offset,
							      operations[n].length, 50);
		char hit = rule ? (char)('1' + (rule - rules.rule)) : '0';

		ck_assert_msg(hit == judgements[_i].hits[n], "%s, operation %zu: %c",
			      judgements[_i].name, n, hit);
	}
}
END_TEST

/* What chance lets by is none of the count. */
START_TEST(chance_and_count)
{
	uint64_t seen[INJECT_RULES_MAX] = {0};
	struct inject_rules rules;
	char why[256] = "";
	char hits[6] = "";
	static const unsigned percents[] = {99, 0, 99, 49, 0};

	ck_assert_int_eq(
		inject_parse("chance=50,after=1,count=1,error=EIO", &rules, why, sizeof(why)), 0);
	for (int n = 0; n < TABLE_SIZE(percents); n++)
		hits[n] = inject_judge(&rules, seen, ENGINE_READ, 0, 512, percents[n]) ? '1' : '0';
	ck_assert_str_eq(hits, "00010");
}
END_TEST

/* ---- the engine, over storage that is memory and answers at the next turn of the loop ---- */

#define SIZE 16384u

struct storage {
	struct engine engine;
	struct event *turn;
	struct engine_io *first;
	uint8_t bytes[SIZE];
	unsigned started;
	uint64_t length; /* of the last one */
	int rc;
};

static int storage_start(struct engine *engine, struct engine_io *io)
{
	struct storage *storage = (struct storage *)engine;

	io->next = storage->first;
	storage->first = io;
	storage->started++;
	storage->length = io->length;
	event_active(storage->turn, EV_TIMEOUT, 0);
	return 0;
}

static void on_storage(evutil_socket_t fd, short what, void *arg)
{
	struct storage *storage = arg;
	struct engine_io *io;

	while ((io = storage->first)) {
		storage->first = io->next;
		if (io->op == ENGINE_WRITE)
			memcpy(storage->bytes + io->offset, io->buffer, io->length);
		if (io->op == ENGINE_READ)
			memcpy(io->buffer, storage->bytes + io->offset, io->length);
		io->done(io, storage->rc);
	}
}

static void storage_submit(struct engine *engine)
{
}

static void storage_close(struct engine *engine)
{
	event_free(((struct storage *)engine)->turn);
}

static const struct engine_class storage_class = {
	.name = "storage",
	.start = storage_start,
	.submit = storage_submit,
	.close = storage_close,
};

struct operation {
	struct engine_io io;
	int rc, done;
};

static void on_done(struct engine_io *io, int rc)
{
	struct operation *operation = (struct operation *)io;

	operation->rc = rc;
	operation->done++;
}

static void on_batch(void *arg)
{
}

static struct event_base *base;
static struct storage storage;
static struct inject inject;
static struct engine *engine;

static void set(const char *words)
{
	struct inject_rules rules;
	char why[256];

	ck_assert_int_eq(inject_parse(words, &rules, why, sizeof(why)), 0);
	inject_set(&inject, &rules);
}

static void begin(const char *words)
{
	struct engine_options options = {.depth = 4, .batch = on_batch};

	base = options.base = event_base_new();
	memset(&inject, 0, sizeof(inject));
	memset(&storage, 0, sizeof(storage));
	storage.engine = (struct engine){&storage_class, on_batch, NULL};
	storage.turn = event_new(base, -1, 0, on_storage, &storage);
	ck_assert_int_eq(engine_open_inject(&engine, &inject, &storage.engine, &options), 0);
	set(words);
}

static void end(void)
{
	engine_close(engine);
	event_base_free(base);
}

static void write_ones(struct operation *operation, uint8_t *data)
{
	memset(data, 1, 2048);
	operation->io.done = on_done;
	ck_assert_int_eq(engine_write(engine, &operation->io, data, 1024, 2048), 0);
	ck_assert_int_eq(operation->done, 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static const struct {
	const char *text;
	int rc;
	unsigned written; /* bytes */
} outcomes[] = {
	{"", 0, 2048},
	{"op=read,error=EIO", 0, 2048},
	{"error=ENOSPC", -ENOSPC, 0},
	{"torn=512", -EIO, 512},
	{"torn=512,error=none", 0, 512},
	{"torn=0", -EIO, 0},
	{"torn=0,error=none", 0, 0},
	{"torn=2048", -EIO, 2048},
	{"torn=4096,error=ENOSPC", -ENOSPC, 2048},
};

START_TEST(outcome)
{
	struct operation operation = {0};
	uint8_t data[2048];
	unsigned written = 0;

	begin(outcomes[_i].text);
	write_ones(&operation, data);
	ck_assert_msg(operation.done == 1 && operation.rc == outcomes[_i].rc, "%s: %d times, %d",
		      outcomes[_i].text, operation.done, operation.rc);
	while (written < SIZE - 1024 && storage.bytes[1024 + written])
		written++;
	ck_assert_msg(written == outcomes[_i].written, "%s: %u bytes", outcomes[_i].text, written);
	ck_assert_uint_eq(storage.length, outcomes[_i].written);
	end();
}
END_TEST

/* What the storage has to say comes first. */
START_TEST(storage_fails)
{
	struct operation operation = {0};
	uint8_t data[2048];

	begin("torn=512,error=none");
	storage.rc = -ENOSPC;
	write_ones(&operation, data);
	ck_assert_int_eq(operation.done, 1);
	ck_assert_int_eq(operation.rc, -ENOSPC);
	end();
}
END_TEST

START_TEST(delayed)
{
	struct operation operation = {0};
	uint8_t data[2048];

	begin("delay=20ms,error=EIO");
	write_ones(&operation, data);
	ck_assert_int_eq(operation.done, 0);
	event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_eq(operation.done, 1);
	ck_assert_int_eq(operation.rc, -EIO);
	ck_assert_uint_eq(storage.started, 0);
	end();
}
END_TEST

/* Other rules, or none, let go what is held, whole; the same ones do not. */
START_TEST(let_go)
{
	struct operation operation = {0};
	uint8_t data[2048];

	begin("delay=forever,torn=512");
	write_ones(&operation, data);
	set("delay=forever,torn=512");
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(operation.done, 0);
	set("");
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(operation.done, 1);
	ck_assert_int_eq(operation.rc, 0);
	ck_assert_uint_eq(storage.bytes[1024 + 2047], 1);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_inject");
	TCase *tcase = tcase_create("inject");

	tcase_add_loop_test(tcase, text, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_loop_test(tcase, judgement, 0, sizeof(judgements) / sizeof(judgements[0]));
	tcase_add_test(tcase, chance_and_count);
	tcase_add_loop_test(tcase, outcome, 0, sizeof(outcomes) / sizeof(outcomes[0]));
	tcase_add_test(tcase, storage_fails);
	tcase_add_test(tcase, delayed);
	tcase_add_test(tcase, let_go);
	suite_add_tcase(suite, tcase);
	return check_main(suite);
}
