#include "embedded/launcher/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embedded/environment.h"
#include "lib/log.h"
#include "lib/number.h"

/* $XSPLIT_EMBEDDED of dom0 is DIR/dom0/host. */
static int host_directory(char *dir, size_t size)
{
	static const char end[] = "/dom0/host";
	const char *path = getenv("XSPLIT_EMBEDDED");
	size_t length = path ? strlen(path) : 0;

	if (length < sizeof(end) || length >= size ||
	    strcmp(path + length - (sizeof(end) - 1), end) != 0) {
		log_error("exec: not in dom0 of an embedded host; start one with "
			  "\"xsplit-embedded shell\"");
		return -ENOENT;
	}
	memcpy(dir, path, length - (sizeof(end) - 1));
	dir[length - (sizeof(end) - 1)] = '\0';
	return 0;
}

/* A descriptor of the guest's init. */
static int guest_open(const char *dir, unsigned int domid)
{
	char path[PATH_MAX + 32], text[16] = "";
	uint64_t pid;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/dom%u/pid", dir, domid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		goto absent;
	if (read(fd, text, sizeof(text) - 1) < 0)
		*text = '\0';
	close(fd);
	if (number_parse(text, INT_MAX, &pid))
		goto absent;
	fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (fd >= 0)
		return fd;
absent:
	log_error("exec: domain %u does not run; \"xsplit list\" shows which do", domid);
	return -ESRCH;
}

static void child_run(const struct options *options, const char *dir, const char *folder)
{
	int rc = environment_guest(dir, options->domid);

	if (rc)
		errno = -rc;
	else if (chdir(folder) == 0)
		execvp(options->command[0], options->command);
	log_error("exec: %s: %s", options->command[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int child_wait(pid_t pid)
{
	int status;

	/* The command hears the terminal's signals; we wait for what it makes of them. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Who enters a process namespace has only its children there: the command is one. */
static int guest_run(const struct options *options, const char *dir, int guest)
{
	static const int namespaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS |
				      CLONE_NEWIPC;
	char folder[PATH_MAX];
	pid_t pid = -1;

	if (getcwd(folder, sizeof(folder)) && !setns(guest, namespaces))
		pid = fork();
	if (!pid)
		child_run(options, dir, folder);
	if (pid > 0)
		return child_wait(pid);
	log_error("exec: cannot enter domain %u: %s", options->domid, strerror(errno));
	return LAUNCHER_FAILED;
}

int exec_run(const struct options *options)
{
	char dir[PATH_MAX];
	int guest;
	pid_t pid;

	if (host_directory(dir, sizeof(dir)))
		return LAUNCHER_FAILED;
	guest = guest_open(dir, options->domid);
	if (guest < 0)
		return LAUNCHER_FAILED;
	/* We stay where we are: a sanitizer, for one, looks at /proc when we end. */
	pid = fork();
	if (!pid)
		_exit(guest_run(options, dir, guest));
	close(guest);
	if (pid > 0)
		return child_wait(pid);
	log_error("exec: %s", strerror(errno));
	return LAUNCHER_FAILED;
}
