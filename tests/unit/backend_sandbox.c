/*
 * What a worker can no longer do, and what it still must.
 *
 * Each is tried in a child that is in the sandbox; the child's exit status is the answer, as Check
 * itself makes system calls that are denied there.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/block/engine.h"
#include "backend/worker/sandbox.h"
#include "tests/unit/check.h"

/* A sanitizer needs more than the sandbox leaves: see sandbox.c. */
#ifdef XSPLIT_SANITIZED
#define FILTERED false
#else
#define FILTERED true
#endif

static int null;

/* That of the next sandbox. */
static int network = -1;

/* Runs @child in the sandbox. Return: its exit status; what it wrote to standard error in @log. */
static int sandboxed(int (*child)(int), int arg, char *log, size_t size)
{
	int ends[2], status;
	ssize_t length;
	char run[64];
	pid_t pid;

	ck_assert(!pipe(ends));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		scratch(run, sizeof(run), "run");
		setenv("XSPLIT_RUNDIR", mkdtemp(run), 1);
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		sandbox_limits();
		dup2(ends[1], STDERR_FILENO);
		_exit(sandbox_enter("65534", network) ? 99 : child(arg));
	}
	close(ends[1]);
	length = read(ends[0], log, size - 1);
	log[length > 0 ? length : 0] = '\0';
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static long denied_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long denied_exec(void)
{
	char *none[] = {NULL};

	return execve("/bin/true", none, none);
}

static long denied_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long denied_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long denied_ptrace(void)
{
	return syscall(SYS_ptrace, 0, 0, 0, 0);
}

static long denied_terminal(void)
{
	return ioctl(null, 0x5412 /* TIOCSTI */, "x");
}

static long denied_bind(void)
{
	return syscall(SYS_bind, 0, NULL, 0);
}

static const struct {
	const char *what;
	long (*call)(void);
} denied[] = {
	{"open a file", denied_open},       {"execute a program", denied_exec},
	{"make a process", denied_fork},    {"make a socket", denied_socket},
	{"trace a process", denied_ptrace}, {"type into a terminal", denied_terminal},
	{"bind a socket", denied_bind},
};

static int denied_child(int n)
{
	for (int twice = 0; twice < 2; twice++)
		if (denied[n].call() != -1 || errno != EPERM)
			return 1;
	return 0;
}

/* Every time; in the log once for each system call. */
START_TEST(denies)
{
	char log[512];

	if (!FILTERED)
		return;
	ck_assert_msg(!sandboxed(denied_child, _i, log, sizeof(log)), "%s", denied[_i].what);
	ck_assert_msg(strstr(log, " is denied\n") != NULL, "%s: %s", denied[_i].what, log);
	ck_assert_uint_eq(strcspn(log, "\n") + 1, strlen(log));
}
END_TEST

/* ---- past the filter: by io_uring ---- */

static struct io_uring ring;

/* Return: how the operation ended. */
static int ring_do(struct io_uring_sqe *sqe)
{
	struct io_uring_cqe *cqe;
	int rc = io_uring_submit_and_wait(&ring, 1);

	if (rc < 0 || io_uring_wait_cqe(&ring, &cqe))
		_exit(90);
	rc = cqe->res;
	io_uring_cqe_seen(&ring, cqe);
	return rc;
}

static int ring_connect(const void *address, socklen_t size)
{
	const struct sockaddr *to = address;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
	int fd;

	io_uring_prep_socket(sqe, to->sa_family, SOCK_STREAM, 0, 0);
	fd = ring_do(sqe);
	if (fd < 0)
		return fd;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_connect(sqe, fd, to, size);
	return ring_do(sqe);
}

static struct sockaddr_in loopback = {.sin_family = AF_INET};
static struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0xsplit-sandbox"};

static int ring_loopback(void)
{
	return ring_connect(&loopback, sizeof(loopback));
}

static int ring_abstract(void)
{
	return ring_connect(&abstract, sizeof(abstract));
}

static int ring_open(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	io_uring_prep_openat(sqe, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
	return ring_do(sqe);
}

static const struct {
	const char *what;
	int (*call)(void);
} past[] = {
	{"connect to this machine", ring_loopback},
	{"connect to an abstract socket", ring_abstract},
	{"open a file", ring_open},
};

static int past_child(int n)
{
	if (io_uring_queue_init(4, &ring, 0))
		return 0; /* none here */
	return past[n].call() < 0 ? 0 : 1;
}

static int listening(struct sockaddr *address, socklen_t size)
{
	int fd = socket(address->sa_family, SOCK_STREAM, 0);

	ck_assert(!bind(fd, address, size) && !listen(fd, 1));
	getsockname(fd, address, &size);
	return fd;
}

START_TEST(reaches_nothing_past_the_filter)
{
	int tcp = listening((struct sockaddr *)&loopback, sizeof(loopback));
	int local = listening((struct sockaddr *)&abstract, sizeof(abstract));
	char log[512];

	if (!geteuid() && FILTERED)
		ck_assert_msg(!sandboxed(past_child, _i, log, sizeof(log)), "%s", past[_i].what);
	close(tcp);
	close(local);
}
END_TEST

/* One for many; we stay where we are. */
START_TEST(reaches_nothing_in_a_given_network)
{
	int tcp = listening((struct sockaddr *)&loopback, sizeof(loopback));
	int local = listening((struct sockaddr *)&abstract, sizeof(abstract));
	struct stat before, after;
	char log[512];

	ck_assert(!stat("/proc/self/ns/net", &before));
	network = sandbox_network();
	ck_assert(!stat("/proc/self/ns/net", &after) && before.st_ino == after.st_ino);
	if (geteuid()) {
		ck_assert_int_eq(network, -EPERM);
	} else {
		ck_assert(!fstat(network, &after) && before.st_ino != after.st_ino);
		ck_assert_int_eq(fcntl(network, F_GETFD), FD_CLOEXEC);
		if (FILTERED)
			for (size_t n = 0; n < sizeof(past) / sizeof(past[0]); n++)
				ck_assert_msg(!sandboxed(past_child, (int)n, log, sizeof(log)),
					      "%s", past[n].what);
		close(network);
	}
	network = -1;
	close(tcp);
	close(local);
}
END_TEST

/* Those that are opened already, by number: the first is asked. */
static int ring_find(void)
{
	for (int fd = 3; fd < 64; fd++) {
		char path[32], target[32];
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		length = readlink(path, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = '\0';
		if (!strcmp(target, "anon_inode:[io_uring]"))
			return fd;
	}
	return -1;
}

static struct io_uring_sqe *prepared(uint8_t operation, uint8_t flags)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	io_uring_prep_rw(operation, sqe, 0, NULL, 0, 0);
	sqe->flags = flags;
	return sqe;
}

/* An engine's ring does for its file what engines do, and nothing else for nobody. */
START_TEST(an_engines_ring_is_for_its_file)
{
	struct event_base *base = event_base_new();
	const struct engine_options options = {.base = base, .depth = 4};
	struct io_uring_params params = {.flags = IORING_SETUP_CLAMP};
	struct engine *engine;
	int file = memfd_create("disk", MFD_CLOEXEC), fd;

	ck_assert(!ftruncate(file, 4096));
	if (engine_open_uring(&engine, file, &options))
		return; /* no io_uring here */
	fd = ring_find();
	ck_assert_int_ge(fd, 0);
	/* One made alike has its memory laid out alike. */
	ck_assert(!io_uring_queue_init_params(4, &ring, &params));
	io_uring_queue_exit(&ring);
	ck_assert(!io_uring_queue_mmap(fd, &params, &ring));

	ck_assert_int_eq(ring_do(prepared(IORING_OP_FSYNC, IOSQE_FIXED_FILE)), 0);
	ck_assert_int_eq(ring_do(prepared(IORING_OP_FSYNC, 0)), -EACCES);
	ck_assert_int_eq(ring_do(prepared(IORING_OP_NOP, IOSQE_FIXED_FILE)), -EACCES);
	ck_assert_int_eq(ring_do(prepared(IORING_OP_SOCKET, IOSQE_FIXED_FILE)), -EACCES);
	ck_assert_int_eq(ring_do(prepared(IORING_OP_OPENAT, IOSQE_FIXED_FILE)), -EACCES);
	ck_assert_int_eq(io_uring_register_files_update(&ring, 0, &file, 1), -EACCES);
	engine_close(engine);
	event_base_free(base);
	close(file);
}
END_TEST

static int root_child(int n)
{
	struct stat st;

	if (geteuid() != 65534 || getegid() != 65534)
		return 1;
	return FILTERED && !fstatat(AT_FDCWD, "/etc", &st, 0) ? 2 : 0;
}

START_TEST(gives_up_root)
{
	char log[512];

	if (!geteuid())
		ck_assert_int_eq(sandboxed(root_child, 0, log, sizeof(log)), 0);
}
END_TEST

static void on_done(struct engine_io *io, int rc)
{
	*(int *)(io + 1) = rc; /* see engine_child */
}

static void on_batch(void *base)
{
	event_base_loopbreak(base);
}

static int engine_child(int n)
{
	static int (*const open_engine[])(struct engine **, int, const struct engine_options *) = {
		engine_open_uring, engine_open_threads};
	struct {
		struct engine_io io;
		int rc;
	} read = {{.done = on_done}, 1};
	struct event_base *base = event_base_new();
	struct engine_options options = {.base = base, .depth = 8, .batch = on_batch, .arg = base};
	struct engine *engine;
	char *buffer = malloc(1 << 20); /* so large that it is mapped */
	int rc = open_engine[n](&engine, null, &options);

	if (rc)
		_exit(n == 0 && (rc == -ENOSYS || rc == -EPERM) ? 0 : 1);
	if (engine_write(engine, &read.io, buffer, 0, 4096))
		_exit(1);
	engine_submit(engine);
	event_base_dispatch(base);
	engine_close(engine);
	event_base_free(base);
	free(buffer);
	return read.rc ? 2 : 0;
}

/* Disks are opened after the door is shut: io_uring, and threads in its place. */
START_TEST(engines_work)
{
	char log[512];

	ck_assert_int_eq(sandboxed(engine_child, _i, log, sizeof(log)), 0);
	ck_assert_str_eq(log, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("backend_sandbox");
	TCase *tc = tcase_create("backend_sandbox");

	tcase_add_loop_test(tc, denies, 0, TABLE_SIZE(denied));
	tcase_add_loop_test(tc, reaches_nothing_past_the_filter, 0, TABLE_SIZE(past));
	tcase_add_test(tc, reaches_nothing_in_a_given_network);
	tcase_add_test(tc, an_engines_ring_is_for_its_file);
	tcase_add_test(tc, gives_up_root);
	tcase_add_loop_test(tc, engines_work, 0, 2);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
