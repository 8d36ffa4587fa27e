#include "toolstack/command/console.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/number.h"
#include "lib/xs.h"
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

/* A whole machine speaks on its serial port first, as libxl sees it. */
static const char *type_of(struct toolstack *ts, uint16_t domid)
{
	return xs_exists(ts->xs, XBT_NULL, "/local/domain/%u/serial/0/tty", domid) ? "serial"
										   : "pv";
}

static int console_become(uint16_t domid, const char *type, const char *number, struct fault *fault)
{
	char id[8];

	snprintf(id, sizeof(id), "%u", domid);
	signal(SIGPIPE, SIG_DFL);
	execl(XENCONSOLE, XENCONSOLE, id, "--type", type, "--num", number, (char *)NULL);
	return no_client(domid, -errno, fault);
}

static int spawn(uint16_t domid, const char *type, int notify, pid_t *pid)
{
	char id[8];
	const char *const argv[] = {"xenconsole",        id,  "--type", type,
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

static int console_start(struct toolstack *ts, uint16_t domid, pid_t *pid, struct fault *fault)
{
	int pipe_fd[2], rc;
	char byte;

	if (pipe2(pipe_fd, O_CLOEXEC)) {
		rc = -errno;
		return fault_set(fault, rc, "domain %u: no console: %s", domid, strerror(-rc));
	}
	rc = spawn(domid, type_of(ts, domid), pipe_fd[1], pid);
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

/* The guest stands still until the console is attached, so that none of its words is lost. */
int console_follow(struct toolstack *ts, uint16_t domid, bool paused, struct fault *fault)
{
	struct fault unpause_fault = {0};
	pid_t pid = 0;
	int rc;

	fflush(stdout);
	rc = console_start(ts, domid, &pid, fault);
	if (!paused && xen_domain_unpause(ts->xen, domid, &unpause_fault) && !rc) {
		*fault = unpause_fault;
		rc = -EIO;
	}
	if (pid)
		waitpid(pid, NULL, 0);
	return rc;
}

/* Which console: the one asked for, or the one that says the most. */
static int console_find(struct toolstack *ts, const char *word, uint16_t *domid, const char **type,
			struct fault *fault)
{
	int rc = name_find(ts, word, domid, fault);

	if (!rc && *domid == BACKEND_DOMID)
		rc = fault_set(fault, -EPERM, "domain 0 is this host; it has no console");
	if (!rc && !*type)
		*type = type_of(ts, *domid);
	return rc;
}

int command_console(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{"type", required_argument, NULL, 't'}, {"num", required_argument, NULL, 'n'}, {0}};
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	const char *type, *number;
	uint16_t domid, parsed;
	int rc, status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	type = given_value(&given, 't');
	number = given_value(&given, 'n');
	if (argc - optind != 1)
		return command_usage(self, "give one DOMAIN");
	if (type && strcmp(type, "pv") != 0 && strcmp(type, "serial") != 0)
		return command_usage(self, "the type of a console is pv or serial");
	if (number && number_parse_u16(number, &parsed))
		return command_usage(self, "%s is no number of a console", number);
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = console_find(&ts, argv[optind], &domid, &type, &fault);
		toolstack_close(&ts);
	}
	if (!rc)
		rc = console_become(domid, type, number ? number : "0", &fault);
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}
