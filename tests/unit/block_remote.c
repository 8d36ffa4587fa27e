/* The NBD client against nbdkit, one process a connection. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/block_remote_bench.h"
#include "tests/unit/check.h"

START_TEST(round_trip)
{
	struct engine_io io = {.done = on_done};

	client_make(1);
	/* Handed over before there is a connection. */
	ck_assert_int_eq(engine_write(engine, &io, buffer, 512, 65536), 0);
	engine_submit(engine);
	serve(0, "--exit-with-parent", "fadvise=normal");
	ck_assert_int_eq(finish(0, 1), 0);
	ck_assert_int_eq(finish(engine_flush(engine, &io), 1), 0);
	memset(buffer, 0xff, SIZE);
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, SIZE), 1), 0);
	ck_assert_uint_eq(buffer[511], 0);
	ck_assert_uint_eq(buffer[512], 0x5a);
	ck_assert_uint_eq(buffer[512 + 65535], 0x5a);
	ck_assert_uint_eq(buffer[512 + 65536], 0);
	ck_assert_int_eq(finish(engine_discard(engine, &io, 0, SIZE), 1), 0);
	ck_assert_int_eq(pread(fd, buffer, SIZE, 0), SIZE);
	ck_assert_uint_eq(buffer[512], 0);
	ck_assert_uint_eq(wanted[0], 1);
}
END_TEST

START_TEST(many_on_four)
{
	struct engine_io io[64];

	client_make(4);
	for (unsigned n = 0; n < 4; n++)
		serve(n, "--exit-with-parent", "fadvise=normal");
	for (unsigned n = 0; n < 64; n++) {
		io[n].done = on_done;
		memset(buffer + n * 4096, (int)n, 4096);
		ck_assert_int_eq(engine_write(engine, &io[n], buffer + n * 4096, n * 4096ull, 4096),
				 0);
	}
	ck_assert_int_eq(engine_write(engine, &io[0], buffer, 0, 4096), -EAGAIN);
	ck_assert_int_eq(finish(0, 64), 0);
	memset(buffer, 0xff, SIZE);
	ck_assert_int_eq(pread(fd, buffer, SIZE, 0), SIZE);
	for (unsigned n = 0; n < 64; n++)
		ck_assert_uint_eq(buffer[n * 4096 + 100], n);
}
END_TEST

/* A server that takes no more than 64 KiB at a time. */
START_TEST(cut_to_size)
{
	struct engine_io io = {.done = on_done};
	const char *const words[] = {"nbdkit",
				     "-s",
				     "--filter=blocksize-policy",
				     "file",
				     path,
				     "blocksize-error-policy=error",
				     "blocksize-maximum=64K",
				     "blocksize-minimum=512",
				     "blocksize-preferred=4096",
				     NULL};

	client_make(1);
	connect_to(0, words);
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, 512), 1), 0);
	ck_assert_uint_eq(remote_length_max(remote), 65536);
	for (unsigned n = 0; n < SIZE; n++)
		buffer[n] = (uint8_t)(n / 4096 + n);
	ck_assert_int_eq(finish(engine_write(engine, &io, buffer, 0, SIZE), 1), 0);
	ck_assert_int_eq(pread(fd, buffer, SIZE, 0), SIZE);
	for (unsigned n = 0; n < SIZE; n += 511)
		ck_assert_uint_eq(buffer[n], (uint8_t)(n / 4096 + n));
}
END_TEST

static const struct {
	const char *what, *filter, *argument;
	int rc;
} errors[] = {
	{"the server's ENOSPC", "--filter=error", "error-pwrite=ENOSPC", -ENOSPC},
	{"the server's EIO", "--filter=error", "error-pwrite=EIO", -EIO},
};

START_TEST(server_errors)
{
	struct engine_io io = {.done = on_done};
	const char *const words[] = {"nbdkit",
				     "-s",
				     errors[_i].filter,
				     "file",
				     path,
				     errors[_i].argument,
				     "error-pwrite-rate=100%",
				     NULL};

	client_make(1);
	connect_to(0, words);
	ck_assert_msg(finish(engine_write(engine, &io, buffer, 0, 4096), 1) == errors[_i].rc,
		      "%s: %d", errors[_i].what, last_rc);
	ck_assert_int_eq(finish(engine_read(engine, &io, buffer, 0, 4096), 1), 0);
}
END_TEST

static const struct {
	const char *what;
	const char *words[8];
} unfits[] = {
	{"too small", {"nbdkit", "-s", "memory", "512K"}},
	{"read-only", {"nbdkit", "-s", "-r", "memory", "1M"}},
	{"no NBD server", {"echo", "this is a line and no NBD server at all"}},
	{"hangs up", {"true"}},
	{"another export only",
	 {"nbdkit", "-s", "--filter=exportname", "memory", "1M", "exportname-strict=true",
	  "exportname=other"}},
};

/* It is not the guest's disk: it gets no command, and another is asked for. */
START_TEST(unfit)
{
	struct engine_io io = {.done = on_done};

	client_make(1);
	ck_assert_int_eq(engine_write(engine, &io, buffer, 0, 4096), 0);
	engine_submit(engine);
	connect_to(0, unfits[_i].words);
	wait_wanted(0, 2);
	ck_assert_msg(done_calls == 0, "%s", unfits[_i].what);
	server_kill(0);
	serve(0, "--exit-with-parent", "fadvise=normal");
	ck_assert_int_eq(finish(0, 1), 0);
}
END_TEST

START_TEST(not_asked_for)
{
	client_make(1);
	serve(0, "--exit-with-parent", "fadvise=normal");
	ck_assert_int_eq(remote_connected(remote, 0, dup(fd)), -EINVAL);
	ck_assert_int_eq(remote_connected(remote, 1, dup(fd)), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_remote");
	TCase *tc = tcase_create("block_remote");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, many_on_four);
	tcase_add_test(tc, cut_to_size);
	tcase_add_loop_test(tc, server_errors, 0, TABLE_SIZE(errors));
	tcase_add_loop_test(tc, unfit, 0, TABLE_SIZE(unfits));
	tcase_add_test(tc, not_asked_for);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
