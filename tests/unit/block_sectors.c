/* 512-byte sectors on larger ones: what comes out, and that nothing is lost between two writers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/block/sectors.h"
#include "tests/unit/check.h"

#define SIZE   (1u << 20)
#define SECTOR 4096u
#define DEPTH  32u

/* ---- memory that is not there: the linker sends these calls here (--wrap) ---- */

static unsigned refusals; /* of the next calls */

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool refuse(void)
{
	if (!refusals)
		return false;
	refusals--;
	return true;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return refuse() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return refuse() ? NULL : __real_calloc(count, size);
}

/* Storage in memory that refuses what is not aligned, and finishes the last first. */
struct storage {
	struct engine engine;
	struct engine_io *first;
	unsigned reads, writes;
	unsigned fails; /* the read of this number, from 1 on */
};

static struct event_base *base;
static struct storage *storage[2];
static struct engine *engine[2];
static struct sectors sectors;
static uint8_t *disk, *expected, *buffer;
static unsigned done_calls, closed;
static int last_rc;

static int storage_start(struct engine *inner, struct engine_io *io)
{
	struct storage *self = (struct storage *)inner;

	ck_assert_uint_eq((io->offset | io->length | (uintptr_t)io->buffer) % SECTOR, 0);
	io->next = self->first;
	self->first = io;
	return 0;
}

static void storage_submit(struct engine *inner)
{
}

static void storage_close(struct engine *inner)
{
	closed++;
	free(inner);
}

static const struct engine_class storage_class = {"storage", storage_start, storage_submit,
						  storage_close, NULL};

static bool storage_finish(struct storage *self)
{
	struct engine_io *io = self->first;
	int rc = 0;

	if (!io)
		return false;
	self->first = io->next;
	if (io->op == ENGINE_READ) {
		memcpy(io->buffer, disk + io->offset, io->length);
		rc = ++self->reads == self->fails ? -EIO : 0;
	} else if (io->op == ENGINE_WRITE) {
		memcpy(disk + io->offset, io->buffer, io->length);
		self->writes++;
	} else if (io->op == ENGINE_DISCARD) {
		memset(disk + io->offset, 0, io->length);
	}
	io->done(io, rc);
	return true;
}

static void on_done(struct engine_io *io, int rc)
{
	done_calls++;
	last_rc = rc;
}

static void on_batch(void *arg)
{
}

static void run_to(unsigned operations, int rc)
{
	while (done_calls < operations) {
		bool moved = storage_finish(storage[0]);

		moved |= storage_finish(storage[1]);
		event_base_loop(base, EVLOOP_NONBLOCK);
		ck_assert_msg(moved || done_calls >= operations, "nothing moves");
	}
	ck_assert_int_eq(last_rc, rc);
	ck_assert_uint_eq(sectors.bounces, 0);
	ck_assert(LIST_EMPTY(&sectors.active));
}

static void run(unsigned operations)
{
	run_to(operations, 0);
}

static void set_up(void)
{
	const struct engine_options options = {.depth = DEPTH, .batch = on_batch};

	base = event_base_new();
	disk = aligned_alloc(SECTOR, SIZE);
	expected = aligned_alloc(SECTOR, SIZE);
	buffer = aligned_alloc(SECTOR, SIZE);
	for (unsigned n = 0; n < SIZE; n++)
		disk[n] = (uint8_t)(n * 7 + n / 4096);
	memcpy(expected, disk, SIZE);
	done_calls = 0;
	sectors_init(&sectors, SECTOR);
	for (int n = 0; n < 2; n++) {
		struct engine_options with = options;

		with.base = base;
		storage[n] = calloc(1, sizeof(*storage[n]));
		storage[n]->engine.class = &storage_class;
		ck_assert(!engine_open_sectors(&engine[n], &sectors, &storage[n]->engine, &with));
	}
}

static void tear_down(void)
{
	engine_close(engine[0]);
	engine_close(engine[1]);
	event_base_free(base);
	free(disk);
	free(expected);
	free(buffer);
}

static const struct {
	const char *what;
	unsigned offset, length, memory;
	unsigned reads; /* of the storage, for a write */
} rows[] = {
	{"one whole sector", 4096, 4096, 0, 0},
	{"many whole sectors", 8192, 65536, 0, 0},
	{"the first 512 bytes", 4096, 512, 0, 1},
	{"the last 512 bytes", 7680, 512, 3584, 1},
	{"the middle of one", 5120, 1024, 1024, 1},
	{"across two", 3584, 1024, 3584, 2},
	{"a head and whole ones", 3584, 8704, 3584, 1},
	{"whole ones and a tail", 4096, 8704, 0, 1},
	{"a head, whole ones, a tail", 7680, 17408, 512, 2},
	{"whole sectors, memory in between", 4096, 8192, 512, 0},
	{"the very end", SIZE - 512, 512, 3584, 1},
	{"1 MiB less 512 bytes", 512, SIZE - 512, 512, 1},
};

START_TEST(writes)
{
	struct engine_io io = {.done = on_done};

	memset(buffer, 0xee, SIZE);
	memset(expected + rows[_i].offset, 0xee, rows[_i].length);
	ck_assert(!engine_write(engine[0], &io, buffer + rows[_i].memory, rows[_i].offset,
				rows[_i].length));
	run(1);
	ck_assert_msg(!memcmp(disk, expected, SIZE), "%s", rows[_i].what);
	ck_assert_msg(storage[0]->reads == rows[_i].reads, "%s: %u reads", rows[_i].what,
		      storage[0]->reads);
	ck_assert_uint_eq(storage[0]->writes, 1);
}
END_TEST

START_TEST(reads)
{
	struct engine_io io = {.done = on_done};

	memset(buffer, 0xee, SIZE);
	ck_assert(!engine_read(engine[0], &io, buffer + rows[_i].memory, rows[_i].offset,
			       rows[_i].length));
	run(1);
	ck_assert_msg(!memcmp(buffer + rows[_i].memory, disk + rows[_i].offset, rows[_i].length),
		      "%s", rows[_i].what);
	for (unsigned n = 0; n < rows[_i].memory; n++)
		ck_assert_uint_eq(buffer[n], 0xee);
	ck_assert_uint_eq(storage[0]->reads, 1);
}
END_TEST

/* Eight writers of one sector, on two queues: each finds what the others wrote. */
START_TEST(one_sector)
{
	struct engine_io io[8];

	for (unsigned n = 0; n < 8; n++) {
		io[n].done = on_done;
		memset(buffer + n * 512, (int)n + 1, 512);
		memset(expected + 4096 + n * 512, (int)n + 1, 512);
		ck_assert(!engine_write(engine[n % 2], &io[n], buffer + n * 512, 4096 + n * 512,
					512));
	}
	run(8);
	ck_assert(!memcmp(disk, expected, SIZE));
}
END_TEST

/* A whole sector and a part of it: one after the other, in their order. */
START_TEST(whole_and_part)
{
	struct engine_io io[2] = {{.done = on_done}, {.done = on_done}};

	memset(buffer, 1, 4096);
	memset(buffer + 4096, 2, 512);
	memset(expected, 1, 4096);
	memset(expected + 512, 2, 512);
	ck_assert(!engine_write(engine[0], &io[0], buffer, 0, 4096));
	ck_assert(!engine_write(engine[1], &io[1], buffer + 4096, 512, 512));
	run(2);
	ck_assert(!memcmp(disk, expected, SIZE));
}
END_TEST

/* A hundred rounds of overlapping writes of random place and length. */
START_TEST(random_writes)
{
	struct engine_io io[DEPTH];

	srandom(1);
	for (unsigned round = 1; round <= 100; round++) {
		done_calls = 0;
		for (unsigned n = 0; n < DEPTH; n++) {
			/* Each has its 512-byte sectors to itself, but shares those of 4096. */
			unsigned at = (unsigned)random() % 64 * 512 * DEPTH + n * 512;

			io[n].done = on_done;
			memset(buffer + n * 512, (int)(round + n), 512);
			memset(expected + at, (int)(round + n), 512);
			ck_assert(!engine_write(engine[random() % 2], &io[n], buffer + n * 512, at,
						512));
		}
		run(DEPTH);
		ck_assert(!memcmp(disk, expected, SIZE));
	}
}
END_TEST

START_TEST(discards)
{
	struct engine_io io = {.done = on_done};

	ck_assert(!engine_discard(engine[0], &io, 512, 8192)); /* one whole sector in it */
	run(1);
	memset(expected + 4096, 0, 4096);
	ck_assert(!memcmp(disk, expected, SIZE));
	ck_assert(!engine_discard(engine[0], &io, 512, 4096)); /* none */
	run(2);
	ck_assert(!memcmp(disk, expected, SIZE));
	ck_assert(!engine_flush(engine[0], &io));
	run(3);
}
END_TEST

/* What cannot be read cannot be put back: nothing is written, and the disk goes on. */
START_TEST(unreadable)
{
	struct engine_io io = {.done = on_done};

	storage[0]->fails = (unsigned)_i;
	memset(buffer, 0xee, SIZE);
	ck_assert(!engine_write(engine[0], &io, buffer, 7680, 17408)); /* a head and a tail */
	run_to(1, -EIO);
	ck_assert_uint_eq(storage[0]->writes, 0);
	ck_assert(!memcmp(disk, expected, SIZE));
	memset(expected + 7680, 0xee, 17408);
	ck_assert(!engine_write(engine[0], &io, buffer, 7680, 17408));
	run(2);
	ck_assert(!memcmp(disk, expected, SIZE));
}
END_TEST

START_TEST(unreadable_read)
{
	struct engine_io io = {.done = on_done};

	storage[0]->fails = 1;
	ck_assert(!engine_read(engine[0], &io, buffer, 512, 512));
	run_to(1, -EIO);
}
END_TEST

/* However many want memory of their own. */
START_TEST(memory_is_bounded)
{
	struct engine_io io[DEPTH];

	for (unsigned n = 0; n < DEPTH; n++) {
		io[n].done = on_done;
		ck_assert(!engine_read(engine[n % 2], &io[n], buffer + n * 4096, n * 4096ull, 512));
	}
	ck_assert_uint_eq(sectors.bounces, SECTORS_BOUNCES_MAX);
	run(DEPTH);
}
END_TEST

/* Without memory for the only one it fails alone, nothing is written, and the disk goes on. */
START_TEST(no_memory)
{
	struct engine_io io = {.done = on_done};

	memset(buffer, 0xee, SIZE);
	refusals = 1;
	ck_assert(!(_i ? engine_read : engine_write)(engine[0], &io, buffer, 512, 512));
	run_to(1, -ENOMEM);
	ck_assert_uint_eq(refusals, 0);
	ck_assert_uint_eq(storage[0]->writes, 0);
	ck_assert(!memcmp(disk, expected, SIZE));
	memset(expected + 512, 0xee, 512);
	ck_assert(!engine_write(engine[0], &io, buffer, 512, 512));
	run(2);
	ck_assert(!memcmp(disk, expected, SIZE));
}
END_TEST

/* While others have some it waits for theirs, and fails only when there is none even then. */
START_TEST(no_memory_yet)
{
	struct engine_io io[2] = {{.done = on_done}, {.done = on_done}};

	memset(buffer, 0xee, SIZE);
	ck_assert(!engine_write(engine[0], &io[0], buffer, 512, 512));
	refusals = 1 + (unsigned)_i;
	ck_assert(!engine_write(engine[1], &io[1], buffer, 8704, 512));
	ck_assert_uint_eq(sectors.bounces, 1);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(done_calls, 0);
	run_to(2, _i ? -ENOMEM : 0);
	ck_assert_uint_eq(refusals, 0);
	memset(expected + 512, 0xee, 512);
	if (!_i)
		memset(expected + 8704, 0xee, 512);
	ck_assert(!memcmp(disk, expected, SIZE));
}
END_TEST

/* What it was to stand on is closed. */
START_TEST(no_memory_to_open)
{
	const struct engine_options options = {.base = base, .depth = DEPTH, .batch = on_batch};
	struct storage *inner = calloc(1, sizeof(*inner));
	struct engine *result = NULL;

	inner->engine.class = &storage_class;
	refusals = 1;
	closed = 0;
	ck_assert_int_eq(engine_open_sectors(&result, &sectors, &inner->engine, &options), -ENOMEM);
	ck_assert_uint_eq(closed, 1);
	ck_assert_ptr_null(result);
}
END_TEST

/* Securely or not at all. */
START_TEST(erases_whole_sectors_only)
{
	struct engine_io io = {.done = on_done};

	ck_assert(!engine_erase(engine[0], &io, 512, 8192));
	run_to(1, -EINVAL);
	ck_assert(!engine_erase(engine[0], &io, 4096, 8192));
	run(2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_sectors");
	TCase *tc = tcase_create("block_sectors");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, writes, 0, TABLE_SIZE(rows));
	tcase_add_loop_test(tc, reads, 0, TABLE_SIZE(rows));
	tcase_add_test(tc, one_sector);
	tcase_add_test(tc, whole_and_part);
	tcase_add_test(tc, random_writes);
	tcase_add_test(tc, discards);
	tcase_add_loop_test(tc, unreadable, 1, 3);
	tcase_add_test(tc, unreadable_read);
	tcase_add_test(tc, memory_is_bounded);
	tcase_add_loop_test(tc, no_memory, 0, 2);
	tcase_add_loop_test(tc, no_memory_yet, 0, 2);
	tcase_add_test(tc, no_memory_to_open);
	tcase_add_test(tc, erases_whole_sectors_only);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
