/*
 * What a device model can no longer do, and what it still must. Each is tried in a child that is in
 * the sandbox; the child's exit status is the answer, as Check itself makes system calls that are
 * denied there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "toolstack/device/sandbox.h"

static int sandboxed(int (*child)(int), int arg)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid)
		_exit(sandbox_enter() ? 99 : child(arg));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static const struct {
	const char *what;
	long call, arg[4];
	int refused;
} denied[] = {
	{"make a process", SYS_clone, {SIGCHLD}, EPERM},
	{"make a process, anew", SYS_clone3, {0}, ENOSYS},
	{"make a process, of old", SYS_fork, {0}, EPERM},
	{"trace", SYS_ptrace, {PTRACE_TRACEME}, EPERM},
	{"read another's memory", SYS_process_vm_readv, {1}, EPERM},
	{"load a module", SYS_finit_module, {-1}, EPERM},
	{"mount", SYS_mount, {0}, EPERM},
	{"open a mount tree", SYS_open_tree, {-1}, EPERM},
	{"make a namespace", SYS_unshare, {CLONE_NEWUSER}, EPERM},
	{"enter a namespace", SYS_setns, {-1}, EPERM},
	{"use a key ring", SYS_keyctl, {0}, EPERM},
	{"set the clock", SYS_clock_settime, {0}, EPERM},
	{"adjust the clock", SYS_adjtimex, {0}, EPERM},
	{"make a program for the kernel", SYS_bpf, {-1}, EPERM},
	{"count events", SYS_perf_event_open, {0}, EPERM},
	{"read the kernel's log", SYS_syslog, {0}, EPERM},
	{"make an io_uring", SYS_io_uring_setup, {0}, EPERM},
	{"open a file by its handle", SYS_open_by_handle_at, {-1}, EPERM},
};

static int denied_child(int n)
{
	const long *arg = denied[n].arg;

	for (int twice = 0; twice < 2; twice++) {
		long rc = syscall(denied[n].call, arg[0], arg[1], arg[2], arg[3]);

		if (!rc && denied[n].call == SYS_clone)
			_exit(0); /* that process should not be */
		if (rc != -1 || errno != denied[n].refused)
			return 1;
	}
	return 0;
}

START_TEST(cannot)
{
	if (!geteuid())
		ck_assert_msg(!sandboxed(denied_child, _i), "%s", denied[_i].what);
}
END_TEST

static void *thread(void *arg)
{
	*(int *)arg = 1;
	return NULL;
}

static int threads_child(int none)
{
	pthread_t id;
	int ran = 0;

	return pthread_create(&id, NULL, thread, &ran) || pthread_join(id, NULL) || !ran;
}

START_TEST(still_has_threads)
{
	if (!geteuid())
		ck_assert(!sandboxed(threads_child, 0));
}
END_TEST

static int limits_child(int none)
{
	struct rlimit core;

	return getrlimit(RLIMIT_CORE, &core) || core.rlim_max ||
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}

START_TEST(dumps_no_core_and_gains_nothing)
{
	if (!geteuid())
		ck_assert(!sandboxed(limits_child, 0));
}
END_TEST

static struct stat before[2];
static const char *const own[] = {"/proc/self/ns/mnt", "/proc/self/ns/ipc"};

static int namespaces_child(int none)
{
	struct stat now;

	for (int i = 0; i < 2; i++)
		if (stat(own[i], &now) || now.st_ino == before[i].st_ino)
			return 1;
	return 0;
}

START_TEST(has_namespaces_of_its_own)
{
	for (int i = 0; i < 2; i++)
		ck_assert(!stat(own[i], &before[i]));
	if (!geteuid())
		ck_assert(!sandboxed(namespaces_child, 0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("toolstack_sandbox");
	TCase *tc = tcase_create("sandbox");

	tcase_add_loop_test(tc, cannot, 0, TABLE_SIZE(denied));
	tcase_add_test(tc, still_has_threads);
	tcase_add_test(tc, dumps_no_core_and_gains_nothing);
	tcase_add_test(tc, has_namespaces_of_its_own);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
