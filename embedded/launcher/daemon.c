#include "embedded/launcher/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embedded/environment.h"
#include "lib/clock.h"
#include "lib/log.h"

/* A daemon that dies more often than this is not started again. */
#define STARTS_MAX    8
#define STARTS_PERIOD 30000 /* milliseconds */
#define LOG_SHOWN     2048  /* bytes */
#define READY_FD      3

static bool starts_too_often(struct daemon *daemon)
{
	uint64_t now = clock_ms();

	if (!daemon->starts || now - daemon->first_ms > STARTS_PERIOD) {
		daemon->first_ms = now;
		daemon->starts = 0;
	}
	return ++daemon->starts > STARTS_MAX;
}

static int log_open_file(const struct daemon *daemon, const char *dir, int flags)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/log/%s", dir, daemon->name);
	return open(path, flags | O_CLOEXEC, 0644);
}

/* In the child. */
__attribute__((noreturn)) static void run(const char *program, const char *dir, int ready, int log,
					  const sigset_t *unblocked)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setsid();
	sigprocmask(SIG_SETMASK, unblocked, NULL);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
	    dup2(log, STDERR_FILENO) < 0)
		_exit(LAUNCHER_FAILED);
	/* dup2 of a descriptor to itself would leave it close-on-exec. */
	if (ready == READY_FD ? fcntl(ready, F_SETFD, 0) < 0 : dup2(ready, READY_FD) < 0)
		_exit(LAUNCHER_FAILED);
	/* Without a directory the list ends in front of it. */
	execl(program, program, "--ready-fd", "3", dir ? "--dir" : NULL, dir, NULL);
	_exit(LAUNCHER_FAILED);
}

int daemon_spawn(struct daemon *daemon, const char *dir, bool told_dir, const sigset_t *unblocked)
{
	struct places places;
	char program[PATH_MAX + NAME_MAX];
	int ready[2], log, rc;

	rc = places_find(&places);
	if (rc)
		return rc;
	(void)snprintf(program, sizeof(program), "%s/%s", places.bin, daemon->name);
	if (access(program, X_OK)) {
		rc = -errno;
		log_error("%s: %s; build it, or do without it (--without %s)", program,
			  strerror(errno), daemon->name);
		return rc;
	}
	if (starts_too_often(daemon)) {
		log_error("%s keeps dying", daemon->name);
		return -EAGAIN;
	}
	log = log_open_file(daemon, dir, O_WRONLY | O_CREAT | O_APPEND);
	if (log < 0 || pipe2(ready, O_CLOEXEC)) {
		rc = -errno;
		goto out;
	}
	daemon->pid = fork();
	if (!daemon->pid)
		run(program, told_dir ? dir : NULL, ready[1], log, unblocked);
	rc = daemon->pid < 0 ? -errno : 0;
	close(ready[1]);
	daemon->ready = ready[0];
out:
	if (rc) {
		log_error("%s: cannot start it: %s", daemon->name, strerror(-rc));
		daemon->pid = 0;
	}
	if (log >= 0)
		close(log);
	return rc;
}

void daemon_ended(struct daemon *daemon, int status)
{
	daemon->pid = 0;
	daemon->status = status;
}

const char *daemon_died(const struct daemon *daemon, char *text, size_t size)
{
	if (WIFSIGNALED(daemon->status))
		(void)snprintf(text, size, "signal %d", WTERMSIG(daemon->status));
	else
		(void)snprintf(text, size, "status %d", WEXITSTATUS(daemon->status));
	return text;
}

void daemon_log_show(const struct daemon *daemon, const char *dir)
{
	char text[LOG_SHOWN + 1];
	int log = log_open_file(daemon, dir, O_RDONLY);
	ssize_t n = 0;
	char *line = text;

	if (log >= 0) {
		off_t end = lseek(log, 0, SEEK_END);

		n = pread(log, text, LOG_SHOWN, end > LOG_SHOWN ? end - LOG_SHOWN : 0);
		close(log);
	}
	if (n <= 0)
		return;
	text[n] = '\0';
	if (n == LOG_SHOWN && strchr(text, '\n'))
		line = strchr(text, '\n') + 1;
	(void)fputs(line, stderr);
}
