/* The NBD client when its connections break: nothing is lost, and nobody waits for ever. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/block_remote_bench.h"
#include "tests/unit/check.h"

/* Killed with writes under way; they are sent again to the next, and all arrive. */
START_TEST(dropped)
{
	struct engine_io io[32];

	client_make((unsigned)_i);
	for (unsigned n = 0; n < (unsigned)_i; n++)
		serve(n, "--filter=delay", "wdelay=5");
	for (unsigned n = 0; n < 32; n++) {
		io[n].done = on_done;
		memset(buffer + n * 4096, (int)n + 1, 4096);
		ck_assert_int_eq(engine_write(engine, &io[n], buffer + n * 4096, n * 4096ull, 4096),
				 0);
	}
	engine_submit(engine);
	wait_ready((unsigned)_i);
	for (unsigned n = 0; n < (unsigned)_i; n++) {
		server_kill(n);
		wait_wanted(n, 2);
	}
	ck_assert_uint_eq(done_calls, 0);
	serve(0, "--exit-with-parent", "fadvise=normal");
	ck_assert_int_eq(finish(0, 32), 0);
	ck_assert_int_eq(pread(fd, buffer, SIZE, 0), SIZE);
	for (unsigned n = 0; n < 32; n++)
		ck_assert_uint_eq(buffer[n * 4096 + 100], n + 1);
}
END_TEST

/* One of two goes: what was on it goes over the other at once. */
START_TEST(one_of_two)
{
	struct engine_io io[2] = {{.done = on_done}, {.done = on_done}};

	client_make(2);
	serve(0, "--filter=delay", "rdelay=5");
	ck_assert_int_eq(engine_read(engine, &io[0], buffer, 0, 4096), 0);
	engine_submit(engine);
	wait_ready(1);
	serve(1, "--exit-with-parent", "fadvise=normal");
	wait_ready(2);
	ck_assert_int_eq(finish(engine_read(engine, &io[1], buffer + 4096, 4096, 4096), 1), 0);
	ck_assert_uint_eq(done_calls, 1);
	server_kill(0);
	ck_assert_int_eq(finish(0, 1), 0);
	ck_assert_uint_eq(buffer[0], 0);
	ck_assert_uint_eq(wanted[0], 2);
}
END_TEST

/* The server loses all it had not flushed: here, everything. What it had answered is there again.
 */
START_TEST(forgotten)
{
	const char *const words[] = {"nbdkit", "-s", "memory", "1M", NULL};
	struct engine_io io[2] = {{.done = on_done}, {.done = on_done}};

	client_make(1);
	connect_to(0, words);
	/* The later of two that overlap wins, before and after. */
	memset(buffer, 1, 8192);
	ck_assert_int_eq(finish(engine_write(engine, &io[0], buffer, 0, 8192), 1), 0);
	memset(buffer, 2, 4096);
	ck_assert_int_eq(finish(engine_write(engine, &io[0], buffer, 4096, 4096), 1), 0);
	server_kill(0);
	wait_wanted(0, 2);
	memset(buffer, 0xff, 8192);
	ck_assert_int_eq(engine_read(engine, &io[1], buffer, 0, 12288), 0);
	engine_submit(engine);
	connect_to(0, words);
	ck_assert_int_eq(finish(0, 1), 0);
	ck_assert_uint_eq(buffer[0], 1);
	ck_assert_uint_eq(buffer[4095], 1);
	ck_assert_uint_eq(buffer[4096], 2);
	ck_assert_uint_eq(buffer[8191], 2);
	ck_assert_uint_eq(buffer[8192], 0);
	/* After a flush it is the server's. */
	ck_assert_int_eq(finish(engine_flush(engine, &io[0]), 1), 0);
	server_kill(0);
	wait_wanted(0, 3);
	connect_to(0, words);
	ck_assert_int_eq(finish(engine_read(engine, &io[0], buffer, 0, 8192), 1), 0);
	ck_assert_uint_eq(buffer[4096], 0);
}
END_TEST

/* More than is kept: it is flushed in between, and the last part is there after a loss. */
START_TEST(much_forgotten)
{
	const char *const words[] = {"nbdkit", "-s", "memory", "64M", NULL};
	struct engine_io io[16];
	unsigned n;

	client_make(1);
	connect_to(0, words);
	for (unsigned round = 0; round < 64; round++) {
		for (n = 0; n < 16; n++) {
			io[n].done = on_done;
			memset(buffer + n * 60928, (int)(round + n + 1), 60928);
			ck_assert_int_eq(engine_write(engine, &io[n], buffer + n * 60928,
						      (round * 16 + n) * 60928ull, 60928),
					 0);
		}
		ck_assert_int_eq(finish(0, 16), 0);
	}
	server_kill(0);
	wait_wanted(0, 2);
	connect_to(0, words);
	ck_assert_int_eq(
		finish(engine_read(engine, &io[0], buffer, 63 * 16 * 60928ull, 16 * 60928), 1), 0);
	for (n = 0; n < 16; n++) {
		ck_assert_uint_eq(buffer[n * 60928], 64 + n);
		ck_assert_uint_eq(buffer[n * 60928 + 60927], 64 + n);
	}
}
END_TEST

/* A flush that nobody asked for fails: the guest's next one tells it, the one after does not. */
START_TEST(flush_failed)
{
	const char *const words[] = {"nbdkit",
				     "-s",
				     "eval",
				     EVAL_SIZE("64M"),
				     "pread=dd if=/dev/zero bs=$3 count=1 2>/dev/null",
				     "pwrite=cat >/dev/null",
				     "can_write=true",
				     "can_flush=true",
				     "flush=test -e $XSPLIT_TEST_FLAG || { echo EIO >&2; exit 1; }",
				     NULL};
	struct engine_io io = {.done = on_done};
	int flag;

	unlink(path);
	setenv("XSPLIT_TEST_FLAG", path, 1);
	client_make(1);
	connect_to(0, words);
	for (unsigned n = 0; n < 4; n++)
		ck_assert_int_eq(finish(engine_write(engine, &io, buffer, 0, SIZE), 1), 0);
	flag = open(path, O_CREAT | O_RDWR, 0600);
	ck_assert_int_ge(flag, 0);
	close(flag);
	ck_assert_int_eq(finish(engine_flush(engine, &io), 1), -EIO);
	ck_assert_int_eq(finish(engine_flush(engine, &io), 1), 0);
}
END_TEST

/* What comes back in the server's place is another: the disk waits for its own. */
static const struct {
	const char *what, *filter, *words[3];
} strangers[] = {
	{"smaller", "truncate", {"truncate=524288"}},
	{"read-only", "nofilter", {"--readonly"}},
	{"larger blocks", "blocksize-policy", {"blocksize-minimum=4096"}},
	{"smaller requests",
	 "blocksize-policy",
	 {"blocksize-minimum=1", "blocksize-preferred=2048", "blocksize-maximum=2048"}},
	{"no multi-conn", "multi-conn", {"multi-conn-mode=disable"}},
};

START_TEST(another_came)
{
	char filter[64];
	const char *const words[] = {"nbdkit",
				     "-s",
				     filter,
				     "file",
				     path,
				     strangers[_i].words[0],
				     strangers[_i].words[1],
				     strangers[_i].words[2],
				     NULL};
	const char *const right[] = {"nbdkit", "-s", "file", path, NULL};
	struct engine_io io = {.done = on_done};

	snprintf(filter, sizeof(filter), "--filter=%s", strangers[_i].filter);
	client_make(2);
	connect_to(0, right);
	connect_to(1, right);
	wait_ready(2);
	for (unsigned n = 0; n < 2; n++) {
		server_kill(n);
		wait_wanted(n, 2);
	}
	ck_assert_int_eq(engine_write(engine, &io, buffer, 512, 512), 0);
	engine_submit(engine);
	connect_to(0, words);
	wait_wanted(0, 3);
	ck_assert_msg(!done_calls, "%s", strangers[_i].what);
	connect_to(0, right);
	ck_assert_msg(!finish(0, 1), "%s", strangers[_i].what);
}
END_TEST

/* It takes less at a time by then: what was under way is cut anew, and so is what it may have
 * lost. */
START_TEST(less_at_a_time)
{
	const char *const right[] = {"nbdkit", "-s", "memory", "1M", NULL};
	const char *const less[] = {"nbdkit",
				    "-s",
				    "--filter=blocksize-policy",
				    "memory",
				    "1M",
				    "blocksize-minimum=1",
				    "blocksize-maximum=64K",
				    "blocksize-error-policy=error",
				    NULL};
	struct engine_io io[2] = {{.done = on_done}, {.done = on_done}};

	client_make(1);
	connect_to(0, right);
	ck_assert_int_eq(finish(engine_write(engine, &io[0], buffer, 0, SIZE / 2), 1), 0);
	server_kill(0);
	wait_wanted(0, 2);
	memset(buffer, 0xa5, SIZE / 2);
	ck_assert_int_eq(engine_write(engine, &io[1], buffer, SIZE / 2, SIZE / 2), 0);
	engine_submit(engine);
	connect_to(0, less);
	ck_assert_int_eq(finish(0, 1), 0);
	ck_assert_int_eq(finish(engine_read(engine, &io[0], buffer, 0, SIZE), 1), 0);
	ck_assert_uint_eq(buffer[0], 0x5a);
	ck_assert_uint_eq(buffer[SIZE / 2 - 1], 0x5a);
	ck_assert_uint_eq(buffer[SIZE / 2], 0xa5);
	ck_assert_uint_eq(buffer[SIZE - 1], 0xa5);
}
END_TEST

/* It had nothing to lose at first, and has now. */
START_TEST(forgetful_by_now)
{
	const char *const sure[] = {"nbdkit",
				    "-s",
				    "eval",
				    EVAL_SIZE("1M"),
				    "pread=dd if=/dev/zero bs=$3 count=1 2>/dev/null",
				    "pwrite=cat >/dev/null",
				    "can_write=true",
				    NULL};
	const char *const forgetful[] = {"nbdkit", "-s", "memory", "1M", NULL};
	struct engine_io io = {.done = on_done};

	client_make(1);
	connect_to(0, sure);
	ck_assert_int_eq(finish(engine_write(engine, &io, buffer, 0, 4096), 1), 0);
	for (unsigned n = 2; n < 4; n++) {
		server_kill(0);
		wait_wanted(0, n);
		connect_to(0, forgetful);
		if (n == 2)
			ck_assert_int_eq(finish(engine_write(engine, &io, buffer, 4096, 4096), 1),
					 0);
	}
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, 8192), 1), 0);
	ck_assert_uint_eq(buffer[0], 0);
	ck_assert_uint_eq(buffer[4096], 0x5a);
}
END_TEST

/* Nobody has copies of what a worker before us was answered, so the server puts it to rest first.
 */
START_TEST(flushed_at_first)
{
	const char *const words[] = {
		"nbdkit",
		"-s",
		"eval",
		EVAL_SIZE("1M"),
		"pread=dd if=/dev/zero bs=$3 count=1 2>/dev/null; echo read >>$XSPLIT_TEST_FLAG",
		"pwrite=cat >/dev/null",
		"can_write=true",
		"can_flush=true",
		"flush=echo flush >>$XSPLIT_TEST_FLAG",
		NULL};
	struct engine_io io = {.done = on_done};

	ck_assert(!ftruncate(fd, 0));
	setenv("XSPLIT_TEST_FLAG", path, 1);
	client_make(1);
	connect_to(0, words);
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, 4096), 1), 0);
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, 4096), 1), 0);
	memset(buffer, 0, 32);
	ck_assert_int_gt(pread(fd, buffer, 32, 0), 0);
	ck_assert_str_eq((char *)buffer, "flush\nread\nread\n");
}
END_TEST

/* What was overwritten does not come back on the way, or it would stay should nobody live to put
 * the later data over it. */
START_TEST(only_the_newest_again)
{
	const char *const words[] = {"nbdkit",
				     "-s",
				     "eval",
				     EVAL_SIZE("1M"),
				     "pread=dd if=/dev/zero bs=$3 count=1 2>/dev/null",
				     "pwrite=cat >/dev/null; echo $3 $4 >>$XSPLIT_TEST_FLAG",
				     "can_write=true",
				     "can_flush=true",
				     "flush=true",
				     NULL};
	static const uint16_t writes[][2] = {{0, 8192},  {4096, 4096}, {2048, 512},
					     {512, 512}, {2048, 512},  {16384, 512}};
	struct engine_io io = {.done = on_done};
	ssize_t size;

	setenv("XSPLIT_TEST_FLAG", path, 1);
	client_make(1);
	connect_to(0, words);
	for (unsigned n = 0; n < sizeof(writes) / sizeof(writes[0]); n++)
		ck_assert_int_eq(
			finish(engine_write(engine, &io, buffer, writes[n][0], writes[n][1]), 1),
			0);
	ck_assert(!ftruncate(fd, 0));
	server_kill(0);
	wait_wanted(0, 2);
	connect_to(0, words);
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, 512), 1), 0);
	size = pread(fd, buffer, SIZE - 1, 0);
	ck_assert_int_gt(size, 0);
	buffer[size] = '\0';
	ck_assert_str_eq((char *)buffer,
			 "512 0\n1024 1024\n1536 2560\n4096 4096\n512 512\n512 2048\n512 16384\n");
}
END_TEST

/* The disk is closed while its server is away: nobody waits any more. */
START_TEST(abandoned)
{
	struct engine_io io[2] = {{.done = on_done}, {.done = on_done}};

	client_make(1);
	if (_i) {
		serve(0, "--filter=delay", "rdelay=5");
		wait_ready(1);
	}
	ck_assert_int_eq(engine_read(engine, &io[0], buffer, 0, 4096), 0);
	engine_submit(engine);
	remote_abandon(remote);
	if (_i)
		server_kill(0);
	ck_assert_int_eq(finish(0, 1), -ENOTCONN);
	ck_assert_int_eq(finish(engine_read(engine, &io[1], buffer, 0, 4096), 1), -ENOTCONN);
	ck_assert_int_eq(remote_connected(remote, 0, dup(fd)), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_remote_lost");
	TCase *tc = tcase_create("block_remote_lost");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, dropped, 1, 3);
	tcase_add_test(tc, one_of_two);
	tcase_add_test(tc, forgotten);
	tcase_add_test(tc, much_forgotten);
	tcase_add_test(tc, flush_failed);
	tcase_add_loop_test(tc, another_came, 0, sizeof(strangers) / sizeof(strangers[0]));
	tcase_add_test(tc, less_at_a_time);
	tcase_add_test(tc, forgetful_by_now);
	tcase_add_test(tc, flushed_at_first);
	tcase_add_test(tc, only_the_newest_again);
	tcase_add_loop_test(tc, abandoned, 0, 2);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
