/* The NBD client against nbdkit, one process a connection; the connections break. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/block/engine.h"
#include "backend/block/remote.h"
#include "tests/unit/check.h"

#define SIZE (1u << 20)

static struct event_base *base;
static struct remote *remote;
static struct engine *engine;
static char path[64];
static int fd;
static unsigned done_calls, wanted[REMOTE_CONNECTIONS_MAX];
static int last_rc;
static pid_t server[REMOTE_CONNECTIONS_MAX];
static uint8_t *buffer;

static void on_done(struct engine_io *io, int rc)
{
	done_calls++;
	last_rc = rc;
}

static void on_batch(void *arg)
{
	event_base_loopbreak(base);
}

static void on_want(void *arg, unsigned n, const char *why)
{
	wanted[n]++;
	event_base_loopbreak(base);
}

/* nbdkit on one end of a pair of sockets, the client on the other. */
static void connect_to(unsigned n, const char *const *words)
{
	int pair[2];
	pid_t pid;

	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	pid = fork();
	if (!pid) {
		dup2(pair[1], 0);
		dup2(pair[1], 1);
		close(pair[1]);
		execvp(words[0], (char *const *)words);
		_exit(127);
	}
	close(pair[1]);
	server[n] = pid;
	ck_assert_int_eq(remote_connected(remote, n, pair[0]), 0);
}

static void serve(unsigned n, const char *filter, const char *argument)
{
	const char *const words[] = {"nbdkit", "-s", filter, "file", path, argument, NULL};

	connect_to(n, words);
}

static void server_kill(unsigned n)
{
	kill(server[n], SIGKILL);
	waitpid(server[n], NULL, 0);
	server[n] = 0;
}

static void client_make(unsigned connections)
{
	const struct remote_options options = {.base = base,
					       .name = "vbd 5/51712",
					       .export = "",
					       .size = SIZE,
					       .volatile_cache = true,
					       .connections = connections,
					       .want = on_want};
	const struct engine_options engine_options = {.base = base, .depth = 64, .batch = on_batch};

	ck_assert_int_eq(remote_open(&remote, &options), 0);
	ck_assert_int_eq(engine_open_nbd(&engine, remote, &engine_options), 0);
	for (unsigned n = 0; n < connections; n++)
		ck_assert_uint_eq(wanted[n], 1);
}

static int finish(int rc, unsigned operations)
{
	unsigned before = done_calls;

	ck_assert_int_eq(rc, 0);
	engine_submit(engine);
	while (done_calls < before + operations)
		event_base_dispatch(base);
	return last_rc;
}

static void wait_wanted(unsigned n, unsigned times)
{
	while (wanted[n] < times)
		event_base_dispatch(base);
}

static void wait_ready(unsigned connections)
{
	while (remote_ready(remote) < connections)
		event_base_loop(base, EVLOOP_ONCE);
}

static void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	snprintf(path, sizeof(path), "/tmp/xsplit-remote-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert(!ftruncate(fd, SIZE));
	buffer = aligned_alloc(4096, SIZE);
	memset(buffer, 0x5a, SIZE);
	done_calls = 0;
	memset(wanted, 0, sizeof(wanted));
	memset(server, 0, sizeof(server));
}

static void tear_down(void)
{
	engine_close(engine);
	remote_close(remote);
	for (unsigned n = 0; n < REMOTE_CONNECTIONS_MAX; n++)
		if (server[n])
			server_kill(n);
	event_base_free(base);
	close(fd);
	unlink(path);
	free(buffer);
}

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
				     "get_size=echo 64M",
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
	tcase_add_loop_test(tc, dropped, 1, 3);
	tcase_add_test(tc, one_of_two);
	tcase_add_test(tc, forgotten);
	tcase_add_test(tc, much_forgotten);
	tcase_add_test(tc, flush_failed);
	tcase_add_loop_test(tc, server_errors, 0, TABLE_SIZE(errors));
	tcase_add_loop_test(tc, unfit, 0, TABLE_SIZE(unfits));
	tcase_add_loop_test(tc, abandoned, 0, 2);
	tcase_add_test(tc, not_asked_for);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
