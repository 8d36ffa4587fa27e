#include "backend/worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/number.h"
#include "lib/rundir.h"

#define DESCRIPTORS_MAX 4096

/* Above those that a child finds its own at: it is given this one after another. */
#define NETWORK_FD_MIN 16

void sandbox_limits(void)
{
	const struct rlimit no_core = {0, 0}, descriptors = {DESCRIPTORS_MAX, DESCRIPTORS_MAX};
	/* For io_uring, of all workers of a user together; what a disk has is bounded anyway. */
	const struct rlimit locked = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_CORE, &no_core);
	setrlimit(RLIMIT_NOFILE, &descriptors);
	setrlimit(RLIMIT_MEMLOCK, &locked);
}

/* ---- user and root directory ---- */

int sandbox_user(const char *user, uid_t *uid, gid_t *gid)
{
	const struct passwd *entry;
	uint32_t number;

	user = user ? user : "nobody";
	if (!number_parse_u32(user, &number)) {
		*uid = number;
		*gid = number;
		return 0;
	}
	entry = getpwnam(user);
	if (!entry) {
		log_error("worker: there is no user %s; give another with --user", user);
		return -ENOENT;
	}
	*uid = entry->pw_uid;
	*gid = entry->pw_gid;
	return 0;
}

#ifndef XSPLIT_SANITIZED

static int root_change(void)
{
	char path[256];
	int rc = rundir_path(path, sizeof(path), "empty");

	if (!rc)
		rc = rundir_make("empty");
	if (!rc && (chroot(path) || chdir("/")))
		rc = -errno;
	return rc;
}

#else

/* A leak is found by reading /proc. */
static int root_change(void)
{
	return 0;
}

#endif

static int user_change(uid_t uid, gid_t gid)
{
	/* Denied in a user namespace that an ordinary user made; then there are no groups to lose.
	 */
	if (setgroups(0, NULL) && errno != EPERM)
		return -errno;
	return setresgid(gid, gid, gid) || setresuid(uid, uid, uid) ? -errno : 0;
}

static int capabilities_drop(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	return syscall(SYS_capset, &header, none) ? -errno : 0;
}

static void *network_make(void *arg)
{
	int *network = arg;

	*network = unshare(CLONE_NEWNET) ? -1
					 : open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (*network < 0)
		*network = -errno;
	return NULL;
}

int sandbox_network(void)
{
	int network = -1, high;
	pthread_t thread;
	/* In a thread of its own, so that nothing can keep us there. */
	int rc = -pthread_create(&thread, NULL, network_make, &network);

	if (rc)
		return rc;
	pthread_join(thread, NULL);
	if (network < 0)
		return network;
	high = fcntl(network, F_DUPFD_CLOEXEC, NETWORK_FD_MIN);
	rc = high < 0 ? -errno : high;
	close(network);
	return rc;
}

/*
 * The filter of system calls does not see the sockets that io_uring makes. What is open stays
 * connected to where it is.
 */
static void network_leave(int network)
{
	if (network >= 0 ? setns(network, CLONE_NEWNET) : unshare(CLONE_NEWNET))
		log_warn("worker: keeps this network: %s", strerror(errno));
}

static int privileges_drop(const char *user, int network)
{
	uid_t uid;
	gid_t gid;
	int rc;

	if (geteuid()) {
		log_debug("worker: not root, so its user and root directory stay");
		return 0;
	}
	rc = sandbox_user(user, &uid, &gid);
	if (rc)
		return rc;
	network_leave(network);
	rc = root_change();
	if (rc)
		log_warn("worker: its root directory stays: %s", strerror(-rc));
	rc = user_change(uid, gid);
	if (rc == -EINVAL || rc == -EPERM) /* only root exists in this user namespace */
		log_debug("worker: its user stays, this user namespace has no other");
	else if (rc)
		return rc;
	return capabilities_drop();
}

/* ---- system calls ---- */

#ifndef XSPLIT_SANITIZED /* a sanitizer's runtime makes calls of its own */

/* What libevent, liburing, glibc's threads and memory, and Xen's libraries do once all is open. */
static const char *const calls[] = {
	"read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
	"pwritev2", "close", "fstat", "newfstatat", "lseek", "fcntl", "dup", "dup3", "fallocate",
	"fdatasync", "fsync", "ftruncate",
	/* memory and threads */
	"brk", "mmap", "munmap", "mprotect", "mremap", "madvise", "memfd_create", "futex",
	"set_robust_list", "rseq", "membarrier", "sched_yield", "sched_getaffinity", "exit",
	"exit_group", "restart_syscall",
	/* signals */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "getpid", "getuid",
	"geteuid", "getgid", "getegid", "gettid", "tgkill", "getrusage",
	/* waiting */
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll",
	"eventfd2", "pipe", "pipe2", "timerfd_create", "timerfd_settime", "timerfd_gettime",
	"clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
	"getrandom",
	/* disks */
	"io_uring_setup", "io_uring_enter", "io_uring_register",
	/* the supervisor's socket, and those that the embedded platform's libraries have open */
	"sendmsg", "recvmsg", "sendto", "recvfrom", "sendmmsg", "recvmmsg", "getsockopt",
	"setsockopt", "getsockname", "shutdown"};

/* Which ioctl(2): by the type byte, and of TUN's the only one that a running vif makes; another one
 * would keep the TAP after us. */
static const struct {
	uint64_t mask, value;
} ioctls[] = {
	{0xff00, 'G' << 8},          /* /dev/xen/gntdev */
	{0xff00, 'E' << 8},          /* /dev/xen/evtchn */
	{0xffffffff, TUNSETOFFLOAD}, /* a TAP */
	{0xffffffff, BLKDISCARD},    /* a block device */
	{0xffffffff, BLKSECDISCARD}, /* a block device */
};

/* Denied calls return EPERM; the first of each number is logged. */
static void on_denied(int signal, siginfo_t *info, void *context)
{
	static uint8_t told[64];
	unsigned number = (unsigned)info->si_syscall;
	ucontext_t *registers = context;

	if (number < sizeof(told) * 8 && !(told[number / 8] & 1u << number % 8)) {
		char text[80];
		int length;

		told[number / 8] |= (uint8_t)(1u << number % 8);
		length = snprintf(text, sizeof(text),
				  "xsplit-backend: worker: system call %u is denied\n", number);
		(void)!write(STDERR_FILENO, text, (size_t)length);
	}
#if defined(__x86_64__)
	registers->uc_mcontext.gregs[REG_RAX] = -EPERM;
#else /* arm64 */
	registers->uc_mcontext.regs[0] = (unsigned long)-EPERM;
#endif
}

static int rules_add(scmp_filter_ctx filter)
{
	int rc = 0;

	for (size_t n = 0; !rc && n < sizeof(calls) / sizeof(calls[0]); n++) {
		int number = seccomp_syscall_resolve_name(calls[n]);

		/* Those that this architecture or libseccomp does not have cannot be called. */
		if (number != __NR_SCMP_ERROR && number >= 0)
			rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	for (size_t n = 0; !rc && n < sizeof(ioctls) / sizeof(ioctls[0]); n++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, ioctls[n].mask, ioctls[n].value));
	/* Looked at with its arguments each time, and the one made most often. */
	if (!rc)
		rc = seccomp_syscall_priority(filter, SCMP_SYS(ioctl), UINT8_MAX);
	/* Threads, not processes; clone3 hides its flags, and glibc knows how to do without. */
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return rc;
}

static int calls_restrict(void)
{
	const struct sigaction action = {.sa_sigaction = on_denied,
					 .sa_flags = SA_SIGINFO | SA_NODEFER};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int rc = -ENOMEM;

	if (!filter)
		return rc;
	if (sigaction(SIGSYS, &action, NULL))
		rc = -errno;
	else
		rc = rules_add(filter);
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

#else

static int calls_restrict(void)
{
	return 0;
}

#endif

int sandbox_enter(const char *user, int network)
{
	int rc = privileges_drop(user, network);

	if (rc) {
		log_error("worker: cannot give up root: %s", strerror(-rc));
		return rc;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
#ifdef XSPLIT_SANITIZED
	prctl(PR_SET_DUMPABLE, 1); /* and by stopping our threads */
#endif
	rc = calls_restrict();
	if (rc)
		log_error("worker: its system calls cannot be restricted: %s; "
			  "does this kernel have seccomp filters?",
			  strerror(-rc));
	return rc;
}
