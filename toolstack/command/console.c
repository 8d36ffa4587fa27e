#include "toolstack/command/console.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "toolstack/command/command.h"
#include "toolstack/domain/name.h"

/* Of Xen's private programs, as xl finds it; the version is that of our libxenctrl. */
#define XENCONSOLE "/usr/lib/xen-4.17/bin/xenconsole"

/* Where the client is given the pipe on which it says that it is attached. */
#define NOTIFY_FD 3

extern char **environ;

static int no_client(uint16_t domid, int rc, struct fault *fault)
{
	return fault_set(fault, rc,
			 "domain %u: no console: " XENCONSOLE ": %s; install the package "
			 "xen-utils-4.17",
			 domid, strerror(-rc));
}

int console_become(uint16_t domid, struct fault *fault)
{
	char id[8];

	snprintf(id, sizeof(id), "%u", domid);
	signal(SIGPIPE, SIG_DFL);
	execl(XENCONSOLE, XENCONSOLE, id, "--type", "pv", (char *)NULL);
	return no_client(domid, -errno, fault);
}

static int spawn(uint16_t domid, int notify, pid_t *pid)
{
	char id[8];
	const char *const argv[] = {"xenconsole",        id,  "--type", "pv",
				    "--start-notify-fd", "3", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t set;
	int rc;

	snprintf(id, sizeof(id), "%u", domid);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, notify, NOTIFY_FD);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(pid, XENCONSOLE, &actions, &attr, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

int console_start(uint16_t domid, pid_t *pid, struct fault *fault)
{
	int pipe_fd[2], rc;
	char byte;

	if (pipe2(pipe_fd, O_CLOEXEC)) {
		rc = -errno;
		return fault_set(fault, rc, "domain %u: no console: %s", domid, strerror(-rc));
	}
	rc = spawn(domid, pipe_fd[1], pid);
	close(pipe_fd[1]);
	if (rc) {
		no_client(domid, rc, fault);
	} else if (read(pipe_fd[0], &byte, 1) != 1) {
		waitpid(*pid, NULL, 0);
		rc = fault_set(fault, -ENXIO, "domain %u: no console; is xenconsoled running?",
			       domid);
	}
	close(pipe_fd[0]);
	return rc;
}

int command_console(const struct command *self, int argc, char **argv)
{
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	uint16_t domid;
	int rc, status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 1)
		return command_usage(self, "give one DOMAIN");
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = name_find(&ts, argv[optind], &domid, &fault);
		if (!rc && domid == BACKEND_DOMID)
			rc = fault_set(&fault, -EPERM, "domain 0 is this host; it has no console");
		toolstack_close(&ts);
	}
	if (!rc)
		rc = console_become(domid, &fault);
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}
