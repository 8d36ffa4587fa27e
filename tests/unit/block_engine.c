/* The engines against real files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backend/block/engine.h"
#include "tests/unit/check.h"

#define SIZE (1u << 20)

static struct event_base *base;
static struct engine *engine;
static char path[64];
static int fd;
static unsigned done_calls, batches;
static int last_rc;
static uint8_t *buffer;

static void on_done(struct engine_io *io, int rc)
{
	done_calls++;
	last_rc = rc;
}

static void on_batch(void *arg)
{
	batches++;
	event_base_loopbreak(base);
}

static const struct {
	const char *name;
	int (*open)(struct engine **, int, const struct engine_options *);
} engines[] = {
	{"io_uring", engine_open_uring},
	{"threads", engine_open_threads},
};

/* false: this machine has no io_uring, which is said. */
static bool engine_make_in(int kind, int file, uint8_t *memory, size_t size)
{
	struct engine_options options = {.base = base,
					 .depth = 32,
					 .batch = on_batch,
					 .memory = memory,
					 .memory_size = size};
	int rc = engines[kind].open(&engine, file, &options);

	if (kind == 0 && (rc == -ENOSYS || rc == -EPERM)) {
		printf("no io_uring here: %s\n", strerror(-rc));
		return false;
	}
	ck_assert_int_eq(rc, 0);
	return true;
}

static bool engine_make(int kind, int file)
{
	return engine_make_in(kind, file, NULL, 0);
}

static int finish(int rc, unsigned operations)
{
	unsigned before = done_calls;

	ck_assert_int_eq(rc, 0);
	ck_assert_uint_eq(done_calls, before); /* never from within the call */
	engine_submit(engine);
	while (done_calls < before + operations)
		event_base_dispatch(base);
	return last_rc;
}

static void set_up(void)
{
	base = event_base_new();
	scratch(path, sizeof(path), "engine");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert(!ftruncate(fd, SIZE));
	buffer = aligned_alloc(4096, SIZE);
	memset(buffer, 0x5a, SIZE);
	done_calls = batches = 0;
	engine = NULL;
}

static void tear_down(void)
{
	engine_close(engine);
	event_base_free(base);
	close(fd);
	unlink(path);
	free(buffer);
}

START_TEST(round_trip)
{
	struct engine_io io = {.done = on_done};

	if (!engine_make(_i, fd))
		return;
	ck_assert_int_eq(finish(engine_write(engine, &io, buffer, 512, 65536), 1), 0);
	ck_assert_int_eq(finish(engine_flush(engine, &io), 1), 0);
	memset(buffer, 0, SIZE);
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, SIZE), 1), 0);
	ck_assert_uint_eq(buffer[511], 0);
	ck_assert_uint_eq(buffer[512], 0x5a);
	ck_assert_uint_eq(buffer[512 + 65535], 0x5a);
	ck_assert_uint_eq(buffer[512 + 65536], 0);
}
END_TEST

/* What io_uring has registered of our memory, KiB. */
static unsigned pinned(void)
{
	unsigned kib = 0;
	char line[128];
	FILE *status = fopen("/proc/self/status", "r");

	ck_assert_ptr_nonnull(status);
	while (fgets(line, sizeof(line), status))
		sscanf(line, "VmPin: %u kB", &kib);
	fclose(status);
	return kib;
}

/* Memory that is registered when it has been used often, across its pieces, and other memory. */
START_TEST(memory_used_again)
{
	size_t size = 4u << 20;
	uint8_t *memory = aligned_alloc(4096, size);
	struct engine_io io = {.done = on_done};

	if (!engine_make_in(_i, fd, memory, size))
		return;
	for (unsigned n = 0; n < 10; n++)
		ck_assert_int_eq(finish(engine_read(engine, &io, memory, 0, 4096), 1), 0);
	ck_assert_uint_eq(pinned(), 0);
	for (unsigned n = 0; n < 100; n++)
		ck_assert_int_eq(finish(engine_read(engine, &io, memory, 0, 4096), 1), 0);
	ck_assert_uint_eq(pinned(), _i == 0 ? 256 : 0);
	for (unsigned n = 0; n < 1000; n++) {
		size_t length = 512 * (1 + n % 64);
		uint8_t *at = n % 16 ? memory + (size_t)n * 7 * 4096 % (size - length) : buffer;
		uint64_t offset = n % 8 * 512ull;

		memset(at, (int)n, length);
		ck_assert_int_eq(finish(engine_write(engine, &io, at, offset, length), 1), 0);
		memset(at, 0, length);
		ck_assert_int_eq(finish(engine_read(engine, &io, at, offset, length), 1), 0);
		ck_assert_uint_eq(at[0], (uint8_t)n);
		ck_assert_uint_eq(at[length - 1], (uint8_t)n);
	}
	ck_assert_uint_ge(pinned(), _i == 0 ? 4096 : 0);
	free(memory);
}
END_TEST

START_TEST(many_at_once)
{
	struct engine_io io[32];

	if (!engine_make(_i, fd))
		return;
	for (int n = 0; n < 32; n++) {
		io[n].done = on_done;
		memset(buffer + n * 4096, n, 4096);
		ck_assert_int_eq(engine_write(engine, &io[n], buffer + n * 4096, n * 4096ull, 4096),
				 0);
	}
	ck_assert_int_eq(finish(0, 32), 0);
	ck_assert_uint_le(batches, 32);
	memset(buffer, 0xff, SIZE);
	ck_assert_int_eq(pread(fd, buffer, SIZE, 0), SIZE);
	for (int n = 0; n < 32; n++)
		ck_assert_uint_eq(buffer[n * 4096 + 100], n);
}
END_TEST

/* Somebody truncated the file: an error, not zeros, not an endless loop. */
static void write_blocks(struct engine_io *io, unsigned from, unsigned to)
{
	for (unsigned n = from; n < to; n++) {
		io[n].done = on_done;
		ck_assert_int_eq(engine_write(engine, &io[n], buffer, n * 4096ull, 4096), 0);
	}
}

/* Idle storage begins with the eighth while the rest is prepared, and not before. */
START_TEST(early)
{
	static const struct timespec enough = {.tv_nsec = 20000000};
	struct engine_io io[9];

	if (!engine_make(0, fd))
		return;
	write_blocks(io, 0, 7);
	nanosleep(&enough, NULL);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(done_calls, 0);
	write_blocks(io, 7, 8);
	while (done_calls < 8)
		event_base_dispatch(base);
	write_blocks(io, 8, 9);
	engine_submit(engine);
	while (done_calls < 9)
		event_base_dispatch(base);
}
END_TEST

START_TEST(short_file)
{
	struct engine_io io = {.done = on_done};

	if (!engine_make(_i, fd))
		return;
	ck_assert(!ftruncate(fd, 4096));
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, 8192), 1), -EIO);
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 65536, 4096), 1), -EIO);
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, 4096), 1), 0);
}
END_TEST

START_TEST(no_space)
{
	struct engine_io io = {.done = on_done};
	int full = open("/dev/full", O_RDWR | O_CLOEXEC);

	if (full < 0 || !engine_make(_i, full))
		return;
	ck_assert_int_eq(finish(engine_write(engine, &io, buffer, 0, 4096), 1), -ENOSPC);
	close(full);
}
END_TEST

START_TEST(discard)
{
	struct engine_io io = {.done = on_done};
	struct stat before, after;

	if (!engine_make(_i, fd))
		return;
	ck_assert_int_eq(finish(engine_write(engine, &io, buffer, 0, SIZE), 1), 0);
	ck_assert_int_eq(finish(engine_flush(engine, &io), 1), 0);
	ck_assert(!fstat(fd, &before));
	if (finish(engine_discard(engine, &io, 4096, 8192), 1) == -EOPNOTSUPP)
		return;
	ck_assert_int_eq(last_rc, 0);
	ck_assert(!fstat(fd, &after));
	ck_assert_int_eq(after.st_size, SIZE);
	ck_assert_int_lt(after.st_blocks, before.st_blocks);
	ck_assert_int_eq(pread(fd, buffer, 16384, 0), 16384);
	ck_assert_uint_eq(buffer[4095], 0x5a);
	ck_assert_uint_eq(buffer[4096], 0);
	ck_assert_uint_eq(buffer[12288], 0x5a);
}
END_TEST

/* What only some devices can; here is none. */
START_TEST(erase)
{
	struct engine_io io = {.done = on_done};

	if (!engine_make(_i, fd))
		return;
	ck_assert_int_eq(finish(engine_write(engine, &io, buffer, 0, SIZE), 1), 0);
	ck_assert_int_eq(finish(engine_erase(engine, &io, 0, SIZE), 1), -EOPNOTSUPP);
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, SIZE), 1), 0);
	ck_assert_uint_eq(buffer[SIZE - 1], 0x5a);
}
END_TEST

START_TEST(read_only_file)
{
	struct engine_io io = {.done = on_done};
	int only = open(path, O_RDONLY | O_CLOEXEC);

	if (!engine_make(_i, only))
		return;
	ck_assert_int_eq(finish(engine_write(engine, &io, buffer, 0, 4096), 1), -EBADF);
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, 4096), 1), 0);
	close(only);
}
END_TEST

START_TEST(null)
{
	struct engine_options options = {.base = base, .depth = 32, .batch = on_batch};
	struct engine_io io = {.done = on_done};

	ck_assert_int_eq(engine_open_null(&engine, &options), 0);
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, 4096), 1), 0);
	ck_assert_uint_eq(buffer[4095], 0);
	ck_assert_uint_eq(buffer[4096], 0x5a);
	ck_assert_int_eq(finish(engine_write(engine, &io, buffer, 0, 4096), 1), 0);
	ck_assert_int_eq(finish(engine_flush(engine, &io), 1), 0);
	ck_assert_int_eq(finish(engine_discard(engine, &io, 0, 4096), 1), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_engine");
	TCase *tc = tcase_create("block_engine");
	int kinds = TABLE_SIZE(engines);

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, round_trip, 0, kinds);
	tcase_add_loop_test(tc, memory_used_again, 0, TABLE_SIZE(engines));
	tcase_add_loop_test(tc, many_at_once, 0, kinds);
	tcase_add_test(tc, early);
	tcase_add_loop_test(tc, short_file, 0, kinds);
	tcase_add_loop_test(tc, no_space, 0, kinds);
	tcase_add_loop_test(tc, discard, 0, kinds);
	tcase_add_loop_test(tc, erase, 0, kinds);
	tcase_add_loop_test(tc, read_only_file, 0, kinds);
	tcase_add_test(tc, null);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
