#include "embedded/host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embedded/environment.h"
#include "lib/log.h"

struct process {
	struct domain *domain;
	pid_t pid; /* its init; 0: it does not run */
	int pidfd;
	struct event *end;
	bool stopped;
	char *text;       /* the strings, one after the other */
	char **arguments; /* of the init: four of ours, those of the text, NULL */
	char domid[8];
};

/* xsplit-embedded-init DIR DOMID PROGRAM ARGUMENT... */
#define INIT_ARGUMENTS 3

static int arguments_make(struct process *process, const char *text, size_t length, size_t count)
{
	char *next;

	process->text = malloc(length);
	process->arguments = calloc(INIT_ARGUMENTS + count + 1, sizeof(char *));
	if (!process->text || !process->arguments)
		return -ENOMEM;
	memcpy(process->text, text, length);
	next = process->text;
	for (size_t i = 0; i < count; i++) {
		char *end = memchr(next, '\0', (size_t)(process->text + length - next));

		if (!end)
			return -EINVAL;
		process->arguments[INIT_ARGUMENTS + i] = next;
		next = end + 1;
	}
	return next == process->text + length && *process->text == '/' ? 0 : -EINVAL;
}

int process_create(struct domain *domain, const char *text, size_t length, size_t count)
{
	struct process *process;
	int rc;

	if (process_runs(domain->process))
		return -EBUSY;
	if (!count || !length || count > length)
		return -EINVAL;
	process = calloc(1, sizeof(*process));
	if (!process)
		return -ENOMEM;
	process->domain = domain;
	(void)snprintf(process->domid, sizeof(process->domid), "%u", domain->domid);
	rc = arguments_make(process, text, length, count);
	if (rc) {
		process_free(process);
		return rc;
	}
	process_free(domain->process);
	domain->process = process;
	return 0;
}

static void path_make(const struct process *process, char *path, const char *name)
{
	(void)snprintf(path, PATH_MAX, "%s/dom%s/%s", process->domain->host->dir, process->domid,
		       name);
}

/* "xsplit-embedded exec" finds the guest's namespaces by it. */
static int pid_write(const struct process *process)
{
	char path[PATH_MAX];
	FILE *file;

	path_make(process, path, "pid");
	file = fopen(path, "we");
	if (!file)
		return -errno;
	(void)fprintf(file, "%d", process->pid);
	return fclose(file) ? -errno : 0;
}

static void process_forget(struct process *process)
{
	char path[PATH_MAX];

	path_make(process, path, "pid");
	(void)unlink(path);
	path_make(process, path, "xenbus");
	(void)unlink(path);
	if (process->end)
		event_free(process->end);
	process->end = NULL;
	if (process->pidfd >= 0)
		close(process->pidfd);
	process->pid = 0;
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	struct process *process = arg;
	int status = 0;

	if (waitpid(process->pid, &status, WNOHANG) != process->pid)
		return;
	process_forget(process);
	domain_ended(process->domain, status);
}

/* The child has nothing to do but to become another program, so it needs nothing of fork(3). */
__attribute__((noreturn)) static void child_run(char *const *arguments, int null, int console)
{
	setsid();
	if (dup2(null, STDIN_FILENO) >= 0 && dup2(console, STDOUT_FILENO) >= 0 &&
	    dup2(console, STDERR_FILENO) >= 0)
		execv(arguments[0], arguments);
	_exit(127);
}

static int init_spawn(struct process *process, int console)
{
	static const unsigned long namespaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS |
						CLONE_NEWIPC | CLONE_NEWUTS;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	long pid;

	if (null < 0)
		return -errno;
	pid = syscall(SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, 0);
	if (!pid)
		child_run(process->arguments, null, console);
	if (pid < 0)
		pid = -errno;
	close(null);
	return (int)pid;
}

/* From here on its end is noticed. */
static int end_watch(struct process *process)
{
	process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	if (process->pidfd < 0)
		return -errno;
	process->end =
		event_new(process->domain->host->base, process->pidfd, EV_READ, on_end, process);
	return process->end && !event_add(process->end, NULL) ? 0 : -ENOMEM;
}

static int process_start(struct process *process)
{
	char init[PATH_MAX + NAME_MAX], path[PATH_MAX];
	struct places places;
	int console, rc;

	rc = places_find(&places);
	if (rc)
		return rc;
	(void)snprintf(init, sizeof(init), "%s/xsplit-embedded-init", places.bin);
	process->arguments[0] = init;
	process->arguments[1] = (char *)process->domain->host->dir;
	process->arguments[2] = process->domid;
	path_make(process, path, "run");
	(void)mkdir(path, 0755);
	path_make(process, path, "console");
	console = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (console < 0)
		return -errno;
	process->pidfd = -1;
	rc = init_spawn(process, console);
	process->arguments[0] = NULL;
	close(console);
	if (rc < 0)
		goto out;
	process->pid = rc;
	rc = end_watch(process) ?: pid_write(process);
	if (rc) {
		kill(process->pid, SIGKILL);
		(void)waitpid(process->pid, NULL, 0);
		process_forget(process);
	}
out:
	if (rc)
		log_error("dom%s: cannot start %s: %s", process->domid,
			  process->arguments[INIT_ARGUMENTS], strerror(-rc));
	return rc;
}

/*
 * A signal to all processes of the guest but its init, whether or not any of them forks just now:
 * only kill(-1) of one inside does that. It is there for no longer than the call.
 */
static void inside_signal(const struct process *process, int signal)
{
	int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	pid_t pid = -1;

	if (own >= 0 && !setns(process->pidfd, CLONE_NEWPID)) {
		pid = fork();
		if (!pid) {
			kill(-1, signal);
			_exit(0);
		}
		(void)setns(own, CLONE_NEWPID);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	else
		log_warn("dom%s: cannot signal its processes: %s", process->domid, strerror(errno));
	if (own >= 0)
		close(own);
}

int process_run(struct process *process)
{
	if (!process || (process->pid && !process->stopped))
		return 0;
	if (!process->pid)
		return process_start(process);
	kill(process->pid, SIGCONT);
	inside_signal(process, SIGCONT);
	process->stopped = false;
	return 0;
}

void process_pause(struct process *process)
{
	if (!process_runs(process) || process->stopped)
		return;
	kill(process->pid, SIGSTOP);
	inside_signal(process, SIGSTOP);
	process->stopped = true;
}

void process_kill(struct process *process)
{
	if (process_runs(process))
		kill(process->pid, SIGKILL);
}

bool process_runs(const struct process *process)
{
	return process && process->pid;
}

void process_free(struct process *process)
{
	if (!process)
		return;
	if (process->pid) {
		process_kill(process);
		process_forget(process);
	}
	free(process->arguments);
	free(process->text);
	free(process);
}
