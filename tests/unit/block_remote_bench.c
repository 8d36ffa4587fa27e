#include "tests/unit/block_remote_bench.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/check.h"

struct event_base *base;
struct remote *remote;
struct engine *engine;
char path[64];
int fd;
unsigned done_calls, wanted[REMOTE_CONNECTIONS_MAX];
int last_rc;
pid_t server[REMOTE_CONNECTIONS_MAX];
uint8_t *buffer;

void on_done(struct engine_io *io, int rc)
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

void connect_to(unsigned n, const char *const *words)
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

void serve(unsigned n, const char *filter, const char *argument)
{
	const char *const words[] = {"nbdkit", "-s", filter, "file", path, argument, NULL};

	connect_to(n, words);
}

void server_kill(unsigned n)
{
	kill(server[n], SIGKILL);
	waitpid(server[n], NULL, 0);
	server[n] = 0;
}

void client_make(unsigned connections)
{
	const struct remote_options options = {.base = base,
					       .name = "vbd 5/51712",
					       .export = "",
					       .size = SIZE,
					       .alignment = 512,
					       .connections = connections,
					       .want = on_want};
	const struct engine_options engine_options = {.base = base, .depth = 64, .batch = on_batch};

	ck_assert_int_eq(remote_open(&remote, &options), 0);
	ck_assert_int_eq(engine_open_nbd(&engine, remote, &engine_options), 0);
	for (unsigned n = 0; n < connections; n++)
		ck_assert_uint_eq(wanted[n], 1);
}

int finish(int rc, unsigned operations)
{
	unsigned before = done_calls;

	ck_assert_int_eq(rc, 0);
	engine_submit(engine);
	while (done_calls < before + operations)
		event_base_dispatch(base);
	return last_rc;
}

void wait_wanted(unsigned n, unsigned times)
{
	while (wanted[n] < times)
		event_base_dispatch(base);
}

void wait_ready(unsigned connections)
{
	while (remote_ready(remote) < connections)
		event_base_loop(base, EVLOOP_ONCE);
}

void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	scratch(path, sizeof(path), "remote");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert(!ftruncate(fd, SIZE));
	buffer = aligned_alloc(4096, SIZE);
	memset(buffer, 0x5a, SIZE);
	done_calls = 0;
	memset(wanted, 0, sizeof(wanted));
	memset(server, 0, sizeof(server));
}

void tear_down(void)
{
	engine_close(engine);
	remote_close(remote);
	for (unsigned n = 0; n < REMOTE_CONNECTIONS_MAX; n++)
		if (server[n])
			server_kill(n);
	ck_assert(
		!system("if cd $TMPDIR && test -e evals; then xargs rm -rf <evals; rm evals; fi"));
	event_base_free(base);
	close(fd);
	unlink(path);
	free(buffer);
}
