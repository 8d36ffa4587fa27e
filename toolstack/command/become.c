/* Commands that are other programs: top is Xen's xentop, devd our backend. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "toolstack/command/command.h"
#include "toolstack/program.h"

static int become(const char *program, char *const *argv, const char *remedy, bool json)
{
	struct fault fault = {0};
	char *path = NULL;
	int rc = program_find(program, &path);

	if (!rc) {
		signal(SIGPIPE, SIG_DFL);
		execv(path, argv);
		rc = -errno;
	}
	free(path);
	fault_set(&fault, rc, "%s: %s; %s", program, strerror(-rc), remedy);
	return command_failed(&fault, json);
}

int command_top(const struct command *self, int argc, char **argv)
{
	char *const words[] = {(char *)"xentop", NULL};
	struct given given;
	int status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	return become("xentop", words, "install the package xen-utils-common",
		      given_has(&given, 'j'));
}

static int pid_write(const char *path)
{
	FILE *file = fopen(path, "we");
	int rc = file ? 0 : -errno;

	if (file && fprintf(file, "%d\n", (int)getpid()) < 0)
		rc = -EIO;
	if (file && fclose(file))
		rc = -errno;
	return rc;
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
	char *const words[] = {(char *)"xsplit-backend", NULL};
	struct fault fault = {0};
	struct given given;
	int rc, status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (!given_has(&given, 'F') && daemon(0, 0)) {
		fault_set(&fault, -errno, "devd: cannot go into the background: %s",
			  strerror(errno));
		return command_failed(&fault, given_has(&given, 'j'));
	}
	rc = given_has(&given, 'p') ? pid_write(given_value(&given, 'p')) : 0;
	if (rc) {
		fault_set(&fault, rc, "devd: %s: cannot write it: %s", given_value(&given, 'p'),
			  strerror(-rc));
		return command_failed(&fault, given_has(&given, 'j'));
	}
	return become("xsplit-backend", words, "it belongs beside xsplit", given_has(&given, 'j'));
}
