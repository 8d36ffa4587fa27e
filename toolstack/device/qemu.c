#include "toolstack/device/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/rundir.h"
#include "lib/xs.h"
#include "toolstack/argv.h"
#include "toolstack/program.h"

#define QEMU_DEBIAN "/usr/libexec/xen-qemu-system-i386"
#define QEMU_NAME   "xen-qemu-system-i386"

#define STOP_MS 5000

/* A log that is longer than this keeps so much of its end. */
#define LOG_MAX  (1 << 20)
#define LOG_KEPT (1 << 16)

/* Where xl finds it, and kills it when it destroys the domain. */
#define XL_PID_NODE "/local/domain/%u/image/device-model-pid"

/* What libxl needs not, for the domain may have a device model there. */
#define QDISK_PID_NODE "/tool/xsplit/domain/%u/qdisk-pid"

bool qemu_wanted(const struct domain_config *config)
{
	for (size_t i = 0; i < config->disks; i++)
		if (config->disk[i].backend == DISK_QDISK)
			return true;
	return false;
}

static int log_path(uint16_t domid, enum qemu_role role, char path[PATH_MAX])
{
	return rundir_path(path, PATH_MAX, role == QEMU_MODEL ? "model-%u.log" : "qemu-%u.log",
			   domid);
}

static int log_open_for(uint16_t domid, enum qemu_role role)
{
	char path[PATH_MAX];
	int fd, rc = rundir_make(NULL);

	if (!rc)
		rc = log_path(domid, role, path);
	if (rc)
		return rc;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* Between fork and exec. */
static void become_qemu(const struct toolstack *ts, const struct qemu_process *process, int log)
{
	int null = open("/dev/null", O_RDONLY);

	setsid();
	if (ts->interrupt.fd >= 0)
		sigprocmask(SIG_SETMASK, &ts->interrupt.before, NULL);
	signal(SIGPIPE, SIG_DFL);
	for (size_t i = 0; i < process->fds; i++)
		if (fcntl(process->fd[i], F_SETFD, 0))
			_exit(127);
	if (process->prepare && process->prepare())
		_exit(127);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
	    dup2(log, STDERR_FILENO) >= 0)
		execv(process->argv->word[0], process->argv->word);
	_exit(127);
}

static int spawn(const struct toolstack *ts, uint16_t domid, enum qemu_role role,
		 const struct qemu_process *process, pid_t *pid)
{
	int log = log_open_for(domid, role);

	if (log < 0)
		return log;
	*pid = fork();
	if (!*pid)
		become_qemu(ts, process, log);
	close(log);
	return *pid < 0 ? -errno : 0;
}

/* Is the process the domain's QEMU, and not another that got its id since? */
static bool is_qemu_of(pid_t pid, uint16_t domid)
{
	static const char option[] = "-xen-domid";
	char path[32], line[4096], id[8];
	size_t n, length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	snprintf(id, sizeof(id), "%u", domid);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	line[n] = '\0';
	for (const char *word = line; word < line + n; word += length + 1) {
		length = strlen(word);
		if (!strcmp(word, option) && word + length + 1 < line + n)
			return !strcmp(word + length + 1, id);
	}
	return false;
}

static pid_t recorded(struct toolstack *ts, uint16_t domid, enum qemu_role role)
{
	uint64_t pid;
	int rc = role == QEMU_MODEL
			 ? xs_read_number(ts->xs, XBT_NULL, INT_MAX, &pid, XL_PID_NODE, domid)
			 : xs_read_number(ts->xs, XBT_NULL, INT_MAX, &pid, QDISK_PID_NODE, domid);

	return rc ? 0 : (pid_t)pid;
}

static int record(struct toolstack *ts, uint16_t domid, enum qemu_role role, pid_t pid)
{
	int rc = 0;

	if (role == QEMU_QDISK)
		rc = xs_write_number(ts->xs, XBT_NULL, (uint64_t)pid, QDISK_PID_NODE, domid);
	/* xl kills one process a domain: the device model when there is one. */
	if (!rc && (role == QEMU_MODEL || !recorded(ts, domid, QEMU_MODEL)))
		rc = xs_write_number(ts->xs, XBT_NULL, (uint64_t)pid, XL_PID_NODE, domid);
	return rc;
}

int qemu_find(const struct domain_config *config, char **path)
{
	const char *own = config ? config_text(config, OPTION_DEVICE_MODEL_OVERRIDE) : NULL;

	if (own)
		return program_find(own, path);
	return program_find(QEMU_DEBIAN, path) ? program_find(QEMU_NAME, path) : 0;
}

int qemu_missing(uint16_t domid, const char *what, struct fault *fault)
{
	return fault_set(fault, -ENOENT,
			 "domain %u: no %s for its %s; install the package qemu-system-xen", domid,
			 QEMU_NAME, what);
}

int qemu_run(struct toolstack *ts, uint16_t domid, enum qemu_role role,
	     const struct qemu_process *process, struct fault *fault)
{
	pid_t pid = 0;
	int rc = spawn(ts, domid, role, process, &pid);

	if (rc)
		return fault_set(fault, rc, "domain %u: cannot start %s: %s", domid,
				 process->argv->word[0], strerror(-rc));
	rc = record(ts, domid, role, pid);
	if (rc) {
		kill(pid, SIGKILL);
		fault_set(fault, rc, "domain %u: cannot record QEMU's process: %s", domid,
			  strerror(-rc));
	}
	return rc;
}

static void qdisk_args(struct argv *argv, const char *path, uint16_t domid, const char *name)
{
	static const char *const nothing[][2] = {
		{"-display", "none"},  {"-monitor", "none"}, {"-serial", "none"},
		{"-parallel", "none"}, {"-vga", "none"},
	};
	char label[2 * DOMAIN_NAME_MAX + 2];

	argv_add(argv, "%s", path);
	argv_add(argv, "-xen-domid");
	argv_add(argv, "%u", domid);
	argv_add(argv, "-xen-attach");
	argv_pair(argv, "-M", "xenpv");
	qemu_escape(name, label, sizeof(label));
	argv_pair(argv, "-name", label);
	argv_add(argv, "-nodefaults");
	argv_add(argv, "-no-user-config");
	argv_add(argv, "-nographic");
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		argv_pair(argv, nothing[i][0], nothing[i][1]);
}

/* A device model without sandbox is the backend as well: two would take the same device. */
static bool model_serves(struct toolstack *ts, uint16_t domid)
{
	pid_t pid = recorded(ts, domid, QEMU_MODEL);

	return xs_exists(ts->xs, XBT_NULL, QEMU_MODEL_FREE, domid) && pid && is_qemu_of(pid, domid);
}

int qemu_start(struct toolstack *ts, uint16_t domid, const char *name, struct fault *fault)
{
	char log[PATH_MAX], *path = NULL;
	struct argv argv = {0};
	struct qemu_process process = {.argv = &argv};
	pid_t pid = recorded(ts, domid, QEMU_QDISK);
	int rc;

	if (model_serves(ts, domid))
		return 0;
	if (pid && is_qemu_of(pid, domid)) {
		/* What it said of earlier devices does not concern the new one. */
		if (!log_path(domid, QEMU_QDISK, log))
			(void)!truncate(log, 0);
		return 0;
	}
	if (qemu_find(NULL, &path))
		return qemu_missing(domid, "qdisk", fault);
	qdisk_args(&argv, path, domid, name);
	rc = argv.rc ? fault_memory(fault) : qemu_run(ts, domid, QEMU_QDISK, &process, fault);
	argv_free(&argv);
	free(path);
	return rc;
}

/* "PROGRAM: failed to create 'qdisk' device 'ID': WHY" */
static char *log_find(FILE *log, uint32_t id)
{
	char line[512], device[32], *words;

	snprintf(device, sizeof(device), " device '%" PRIu32 "'", id);
	while (fgets(line, sizeof(line), log)) {
		line[strcspn(line, "\n")] = '\0';
		words = strstr(line, "failed to create");
		if (words && strstr(words, device))
			return strdup(words);
	}
	return NULL;
}

char *qemu_complaint(struct toolstack *ts, uint16_t domid, uint32_t id)
{
	enum qemu_role role = model_serves(ts, domid) ? QEMU_MODEL : QEMU_QDISK;
	char path[PATH_MAX], *words = NULL;
	FILE *log = NULL;

	if (!log_path(domid, role, path))
		log = fopen(path, "re");
	if (log) {
		words = log_find(log, id);
		fclose(log);
	}
	if (!words && qemu_ended(ts, domid, role))
		words = strdup("it has ended");
	return words;
}

bool qemu_ended(struct toolstack *ts, uint16_t domid, enum qemu_role role)
{
	pid_t pid = recorded(ts, domid, role);

	/* Before its exec it is our child with another command line, but alive. */
	return pid && waitpid(pid, NULL, WNOHANG) != 0 && !is_qemu_of(pid, domid);
}

char *qemu_last_words(uint16_t domid, enum qemu_role role)
{
	char path[PATH_MAX], line[256], *words = NULL;
	FILE *log = log_path(domid, role, path) ? NULL : fopen(path, "re");

	while (log && fgets(line, sizeof(line), log)) {
		line[strcspn(line, "\n")] = '\0';
		if (!*line)
			continue;
		free(words);
		words = strdup(line);
	}
	if (log)
		fclose(log);
	return words;
}

/* QEMU appends, so it goes on behind what is left. */
static void log_trim(int fd)
{
	char kept[LOG_KEPT];
	struct stat stat_of;
	const char *begin;
	ssize_t n;

	if (fstat(fd, &stat_of) || !S_ISREG(stat_of.st_mode) || stat_of.st_size <= LOG_MAX)
		return;
	n = pread(fd, kept, sizeof(kept), stat_of.st_size - LOG_KEPT);
	if (ftruncate(fd, 0) || n <= 0)
		return;
	/* From the first whole line. */
	begin = memchr(kept, '\n', (size_t)n);
	begin = begin ? begin + 1 : kept;
	(void)!write(fd, begin, (size_t)(kept + n - begin));
}

void qemu_logs_trim(uint16_t domid)
{
	static const enum qemu_role roles[] = {QEMU_QDISK, QEMU_MODEL};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		int fd = log_path(domid, roles[i], path)
				 ? -1
				 : open(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			continue;
		log_trim(fd);
		close(fd);
	}
}

void qemu_escape(const char *text, char *out, size_t size)
{
	size_t at = 0;

	for (; *text && at + 2 < size; text++) {
		if (*text == ',')
			out[at++] = ',';
		out[at++] = *text;
	}
	out[at] = '\0';
}

static void end_process(int pidfd)
{
	struct pollfd polled = {.fd = pidfd, .events = POLLIN};

	syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0);
	if (poll(&polled, 1, STOP_MS) > 0)
		return;
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	poll(&polled, 1, STOP_MS);
}

void qemu_stop(struct toolstack *ts, uint16_t domid, enum qemu_role role)
{
	pid_t pid = recorded(ts, domid, role);
	char path[PATH_MAX];
	int pidfd;

	if (!pid)
		return;
	/* Open first, then look: what is looked at cannot become another process. */
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	/* A child of ours that has not ended is it, even before its exec. */
	if (pidfd >= 0 && (!waitpid(pid, NULL, WNOHANG) || is_qemu_of(pid, domid)))
		end_process(pidfd);
	if (pidfd >= 0)
		close(pidfd);
	waitpid(pid, NULL, WNOHANG);
	if (!log_path(domid, role, path))
		unlink(path);
}
