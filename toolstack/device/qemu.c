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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/rundir.h"
#include "lib/xs.h"
#include "toolstack/program.h"

#define QEMU_DEBIAN "/usr/libexec/xen-qemu-system-i386"
#define QEMU_NAME   "xen-qemu-system-i386"

#define STOP_MS 5000

#define PID_NODE "/local/domain/%u/image/device-model-pid"

bool qemu_wanted(const struct domain_config *config)
{
	for (size_t i = 0; i < config->disks; i++)
		if (config->disk[i].backend == DISK_QDISK)
			return true;
	return false;
}

static int log_open_for(uint16_t domid)
{
	char path[PATH_MAX];
	int fd, rc = rundir_make(NULL);

	if (!rc)
		rc = rundir_path(path, sizeof(path), "qemu-%u.log", domid);
	if (rc)
		return rc;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* Between fork and exec. */
static void become_qemu(const struct toolstack *ts, const char *path, const char *const *argv,
			int log)
{
	int null = open("/dev/null", O_RDONLY);

	setsid();
	if (ts->interrupt.fd >= 0)
		sigprocmask(SIG_SETMASK, &ts->interrupt.before, NULL);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
	    dup2(log, STDERR_FILENO) >= 0)
		execv(path, (char *const *)argv);
	_exit(127);
}

static int spawn(const struct toolstack *ts, uint16_t domid, const char *name, const char *path,
		 pid_t *pid)
{
	char id[8], label[DOMAIN_NAME_MAX + 32];
	const char *const argv[] = {
		path,         "-xen-domid", id,          "-xen-attach", "-M",
		"xenpv",      "-name",      label,       "-nodefaults", "-no-user-config",
		"-nographic", "-display",   "none",      "-monitor",    "none",
		"-serial",    "none",       "-parallel", "none",        "-vga",
		"none",       NULL};
	int log = log_open_for(domid);

	if (log < 0)
		return log;
	snprintf(id, sizeof(id), "%u", domid);
	/* A comma ends -name's value; written twice it stands for itself. */
	for (size_t at = 0; at + 2 < sizeof(label); name++) {
		if (*name == ',')
			label[at++] = ',';
		label[at++] = *name;
		label[at] = '\0';
		if (!*name)
			break;
	}
	*pid = fork();
	if (!*pid)
		become_qemu(ts, path, argv, log);
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

static pid_t recorded(struct toolstack *ts, uint16_t domid)
{
	uint64_t pid;

	return xs_read_number(ts->xs, XBT_NULL, INT_MAX, &pid, PID_NODE, domid) ? 0 : (pid_t)pid;
}

int qemu_start(struct toolstack *ts, uint16_t domid, const char *name, struct fault *fault)
{
	char log[PATH_MAX], *path = NULL;
	pid_t pid = recorded(ts, domid);
	int rc;

	if (pid && is_qemu_of(pid, domid)) {
		/* What it said of earlier devices does not concern the new one. */
		if (!rundir_path(log, sizeof(log), "qemu-%u.log", domid))
			(void)!truncate(log, 0);
		return 0;
	}
	if (program_find(QEMU_DEBIAN, &path) && program_find(QEMU_NAME, &path))
		return fault_set(
			fault, -ENOENT,
			"domain %u: no %s for its qdisk; install the package qemu-system-xen",
			domid, QEMU_NAME);
	rc = spawn(ts, domid, name, path, &pid);
	free(path);
	if (rc)
		return fault_set(fault, rc, "domain %u: cannot start %s: %s", domid, QEMU_NAME,
				 strerror(-rc));
	rc = xs_write_number(ts->xs, XBT_NULL, (uint64_t)pid, PID_NODE, domid);
	if (rc) {
		kill(pid, SIGKILL);
		fault_set(fault, rc, "domain %u: cannot record QEMU's process: %s", domid,
			  strerror(-rc));
	}
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
	pid_t pid = recorded(ts, domid);
	char path[PATH_MAX], *words = NULL;
	FILE *log = NULL;

	if (!rundir_path(path, sizeof(path), "qemu-%u.log", domid))
		log = fopen(path, "re");
	if (log) {
		words = log_find(log, id);
		fclose(log);
	}
	/* Before its exec it is our child with another command line, but alive. */
	if (!words && pid && waitpid(pid, NULL, WNOHANG) != 0 && !is_qemu_of(pid, domid))
		words = strdup("it has ended");
	return words;
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

void qemu_stop(struct toolstack *ts, uint16_t domid)
{
	pid_t pid = recorded(ts, domid);
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
	if (!rundir_path(path, sizeof(path), "qemu-%u.log", domid))
		unlink(path);
}
