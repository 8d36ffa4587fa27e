/* Commands that are other programs: top is Xen's xentop, devd our backend. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/rundir.h"
#include "toolstack/command/command.h"
#include "toolstack/program.h"

/* @path: for free(3) */
static int find(const char *program, const char *remedy, char **path, struct fault *fault)
{
	int rc = program_find(program, path);

	return rc ? fault_set(fault, rc, "%s: %s; %s", program, strerror(-rc), remedy) : 0;
}

static int become(const char *path, char *const *argv, struct fault *fault)
{
	signal(SIGPIPE, SIG_DFL);
	execv(path, argv);
	return fault_set(fault, -errno, "%s: %s", path, strerror(errno));
}

int command_top(const struct command *self, int argc, char **argv)
{
	char *const words[] = {(char *)"xentop", NULL};
	struct fault fault = {0};
	struct given given;
	char *path = NULL;
	int status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (optind < argc)
		return command_usage(self, "too many words");
	if (given_has(&given, 'j'))
		return command_usage(self, "it draws on a terminal; xsplit list, vcpu-list and "
					   "block-stat have --json");
	if (!find("xentop", "install the package xen-utils-common", &path, &fault))
		become(path, words, &fault);
	free(path);
	return command_failed(&fault, false);
}

/* It would say so itself, but where nobody hears it. */
static int alone(struct fault *fault)
{
	pid_t holder = 0;
	int rc = rundir_hold("xsplit-backend.lock", &holder);

	return rc == -EBUSY
		       ? fault_set(
				 fault, rc,
				 "devd: another xsplit-backend runs here, process %d; end that first",
				 (int)holder)
		       : 0;
}

static int pid_open(const char *path, FILE **file, struct fault *fault)
{
	*file = path ? fopen(path, "we") : NULL;
	return path && !*file ? fault_set(fault, -errno, "devd: %s: cannot write it: %s", path,
					  strerror(errno))
			      : 0;
}

static int pid_write(FILE *file)
{
	int rc = fprintf(file, "%d\n", (int)getpid()) < 0 ? -EIO : 0;

	return fclose(file) && !rc ? -errno : rc;
}

/* Nobody hears of an error from the background, so what can fail has been done before. */
static int serve(const char *path, FILE *pid, const struct given *given, struct fault *fault)
{
	char *const words[] = {(char *)"xsplit-backend", NULL};
	int rc = 0;

	if (!given_has(given, 'F')) {
		command_done(given_has(given, 'j'));
		fflush(stdout);
		if (daemon(0, 0))
			return fault_set(fault, -errno, "devd: cannot go into the background: %s",
					 strerror(errno));
	}
	if (pid)
		rc = pid_write(pid);
	return rc ? fault_set(fault, rc, "devd: %s: cannot write it: %s", given_value(given, 'p'),
			      strerror(-rc))
		  : become(path, words, fault);
}

/*
 * In a driver domain xl devd runs the hotplug of its backends; ours do that themselves, so this is
 * the backend, in the background.
 */
int command_devd(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"foreground", no_argument, NULL, 'F'},
						{"pidfile", required_argument, NULL, 'p'},
						{0}};
	struct fault fault = {0};
	struct given given;
	char *path = NULL;
	FILE *pid;
	int status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (optind < argc)
		return command_usage(self, "too many words");
	if (!find("xsplit-backend", "it belongs beside xsplit", &path, &fault) && !alone(&fault) &&
	    !pid_open(given_value(&given, 'p'), &pid, &fault))
		serve(path, pid, &given, &fault);
	free(path);
	return command_failed(&fault, given_has(&given, 'j'));
}
