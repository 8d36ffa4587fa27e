#include "backend/worker/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/worker/sandbox.h"
#include "lib/log.h"

#ifndef LANDLOCK_ACCESS_FS_REFER /* Linux 5.19 */
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE /* Linux 6.2 */
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

/* Everything that the first version knows: bits 0 to 12. */
#define ACCESS_FIRST ((1ULL << 13) - 1)

/* What makes sense for something that is no folder. */
#define ACCESS_FILE                                                  \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
	 LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

/* ---- files ---- */

static uint64_t access_known(void)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (version <= 0)
		return 0;
	return ACCESS_FIRST | (version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) |
	       (version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
}

static uint64_t access_of(enum confine_access access)
{
	uint64_t bits = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

	if (access == CONFINE_WRITE)
		bits |= LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
	if (access == CONFINE_EXECUTE)
		bits |= LANDLOCK_ACCESS_FS_EXECUTE;
	return bits;
}

static int rule_add(int ruleset, const struct confine_rule *rule, uint64_t known)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = access_of(rule->access) & known,
		.parent_fd = open(rule->path, O_PATH | O_CLOEXEC),
	};
	struct stat st;
	int rc = 0;

	if (beneath.parent_fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!fstat(beneath.parent_fd, &st) && !S_ISDIR(st.st_mode))
		beneath.allowed_access &= ACCESS_FILE;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0))
		rc = -errno;
	close(beneath.parent_fd);
	return rc;
}

/* Return: a descriptor, -EOPNOTSUPP where the kernel has no Landlock, or another errno. */
static int ruleset_make(const struct confine_options *options)
{
	uint64_t known = access_known();
	struct landlock_ruleset_attr attributes = {.handled_access_fs = known};
	int ruleset, rc = 0;

	if (!known)
		return -EOPNOTSUPP;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (ruleset < 0)
		return -errno;
	for (size_t n = 0; !rc && n < options->count; n++)
		rc = rule_add(ruleset, &options->rules[n], known);
	if (!rc)
		return ruleset;
	close(ruleset);
	return rc;
}

/* ---- user and capabilities ---- */

static int capabilities_set(uint32_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = kept, .permitted = kept, .inheritable = kept}};

	for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (capability >= 32 || !(kept & 1u << capability))
			prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	if (syscall(SYS_capset, &header, data))
		return -errno;
	for (int capability = 0; capability < 32; capability++)
		if (kept & 1u << capability &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))
			return -errno;
	return 0;
}

static int user_change(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) && errno != EPERM)
		return -errno;
	if (!setresgid(gid, gid, gid) && !setresuid(uid, uid, uid))
		return 0;
	return errno == EINVAL || errno == EPERM ? 0
						 : -errno; /* this user namespace has no other */
}

static int privileges_drop(const struct confine_options *options, bool landlocked)
{
	struct stat st;
	uid_t uid;
	gid_t gid;
	int rc;

	if (geteuid())
		return 0;
	if (landlocked) {
		rc = sandbox_user(options->user, &uid, &gid);
		if (rc)
			return rc;
	} else if (options->owned && !stat(options->owned, &st)) {
		uid = st.st_uid;
		gid = st.st_gid;
	} else {
		uid = gid = 0;
	}
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	rc = user_change(uid, gid);
	return rc ? rc : capabilities_set(landlocked ? 1u << CAP_DAC_OVERRIDE : 0);
}

/* ---- system calls ---- */

static const char *const denied[] = {
	"acct", "add_key", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module",
	"fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "init_module",
	"ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie",
	"mount", "mount_setattr", "move_mount", "name_to_handle_at", "open_by_handle_at",
	"open_tree", "perf_event_open", "pidfd_getfd", "pidfd_send_signal", "pivot_root",
	"process_madvise", "process_vm_readv", "process_vm_writev", "ptrace", "quotactl", "reboot",
	"request_key", "setdomainname", "sethostname", "setns", "settimeofday", "swapoff", "swapon",
	"syslog", "umount2", "unshare", "userfaultfd", "vhangup",
	/* signals to others of the same user: its own threads go by tgkill */
	"kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"};

static int calls_restrict(bool network)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = filter ? 0 : -ENOMEM;

	for (size_t n = 0; !rc && n < sizeof(denied) / sizeof(denied[0]); n++) {
		int number = seccomp_syscall_resolve_name(denied[n]);

		if (number != __NR_SCMP_ERROR && number >= 0)
			rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
	}
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill), 1,
				      SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid()));
	if (!rc && !network)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 0);
	if (!rc)
		rc = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return rc;
}

/* ---- all of it ---- */

static int confine(const struct confine_options *options)
{
	const struct rlimit no_core = {0, 0};
	pid_t parent = getppid();
	int rc, ruleset = ruleset_make(options);

	if (ruleset < 0 && ruleset != -EOPNOTSUPP)
		return ruleset;
	if (ruleset < 0)
		log_warn("this kernel has no Landlock (CONFIG_SECURITY_LANDLOCK, lsm=), so %s runs "
			 "with all the files of its image's owner",
			 options->name);
	setrlimit(RLIMIT_CORE, &no_core);
	if (unshare(CLONE_NEWIPC | CLONE_NEWUTS | (options->network ? 0 : CLONE_NEWNET)))
		log_debug("%s keeps this namespace's network: %s", options->name, strerror(errno));
	rc = privileges_drop(options, ruleset >= 0);
	if (!rc && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		rc = -errno;
	if (!rc && ruleset >= 0 && syscall(SYS_landlock_restrict_self, ruleset, 0))
		rc = -errno;
	if (!rc)
		rc = calls_restrict(options->network);
	/* A change of the user has cleared it, so it comes last. */
	if (!rc && prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0))
		rc = -errno;
	if (!rc && getppid() != parent)
		rc = -ESRCH;
	if (ruleset >= 0)
		close(ruleset);
	return rc;
}

int confine_enter(const struct confine_options *options)
{
	int rc = confine(options);

	if (rc)
		log_error("%s cannot be confined: %s", options->name, strerror(-rc));
	return rc;
}
