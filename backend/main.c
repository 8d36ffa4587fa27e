/* xsplit-backend: Xen's block and network backends in user space. See xsplit-backend(8). */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/block/connector.h"
#include "backend/block/exporter.h"
#include "backend/supervisor/child.h"
#include "backend/supervisor/guest.h"
#include "backend/supervisor/supervisor.h"
#include "backend/worker/worker.h"
#include "lib/log.h"
#include "lib/number.h"

/* What runs, even where nothing lies there any more. */
#define SELF "/proc/self/exe"

enum {
	OPTION_READY_FD = 256,
	OPTION_USER,
	OPTION_WITHOUT_SANDBOX,
	OPTION_WORKER,
	OPTION_NBD_CONNECT,
	OPTION_ASK,
	OPTION_QEMU_NBD,
	OPTION_READ_ONLY
};

static const struct option options[] = {
	{"ready-fd", required_argument, NULL, OPTION_READY_FD},
	{"user", required_argument, NULL, OPTION_USER},
	{"without-sandbox", no_argument, NULL, OPTION_WITHOUT_SANDBOX},
	{"worker", required_argument, NULL, OPTION_WORKER},
	{"nbd-connect", required_argument, NULL, OPTION_NBD_CONNECT},
	{"ask", no_argument, NULL, OPTION_ASK},
	{"qemu-nbd", required_argument, NULL, OPTION_QEMU_NBD},
	{"read-only", no_argument, NULL, OPTION_READ_ONLY},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static void usage(FILE *to)
{
	fputs("usage: xsplit-backend [--ready-fd FD] [--user USER] [--without-sandbox]\n"
	      "       xsplit-backend -h | -V\n"
	      "\n"
	      "Serve the disks (backend/vbd) and network cards (backend/vif) of this domain's guests.\n"
	      "  --ready-fd FD      write a newline to FD when ready, then close it\n"
	      "  --user USER        whom the workers become: a name or a number (nobody)\n"
	      "  --without-sandbox  leave the workers root and unrestricted, to debug them\n"
	      "  -h, --help         this text\n"
	      "  -V, --version      the version\n"
	      "The log goes to standard error; XSPLIT_LOG=error|warn|info|debug.\n",
	      to);
}

static void wrong(const char *option, const char *value, const char *expected)
{
	fprintf(stderr, "xsplit-backend: %s %s is not %s; see xsplit-backend -h\n", option, value,
		expected);
	exit(2);
}

/*
 * Where we lie, not what lies there: after an upgrade it is another program, perhaps by now.
 * A service manager says it in @name, and so do we.
 */
static const char *program_path(const char *name)
{
	static const char deleted[] = " (deleted)"; /* proc(5), of what was replaced */
	static char path[PATH_MAX];
	ssize_t length = readlink(SELF, path, sizeof(path) - 1), end;

	if (name && *name == '/')
		return name;
	path[length < 0 ? 0 : length] = '\0';
	end = length - (ssize_t)strlen(deleted);
	if (end > 0 && !strcmp(path + end, deleted) && access(path, F_OK))
		path[end] = '\0';
	return path;
}

/* Become the program at @path, or again what we are; only the process id stays. */
static int reload(const char *path, const struct supervisor_options *as)
{
	const char *argv[5] = {path};
	int argc = 1;

	if (as->user) {
		argv[argc++] = "--user";
		argv[argc++] = as->user;
	}
	if (!as->sandboxed)
		argv[argc++] = "--without-sandbox";
	close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	execv(path, (char *const *)argv);
	log_error("%s cannot be executed: %s; the program before goes on, mend it and reload again",
		  path, strerror(errno));
	execv(SELF, (char *const *)argv);
	log_error("nor can that: %s; start it by hand, the guests wait for it", strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	const char *path = program_path(argv[0]);
	struct supervisor_options supervisor = {.ready_fd = -1, .sandboxed = true};
	const char *nbd = NULL, *image = NULL;
	bool worker = false, ask = false, read_only = false;
	uint16_t domid = 0, fd;
	int option, rc;

	while ((option = getopt_long(argc, argv, "hV", options, NULL)) >= 0) {
		switch (option) {
		case OPTION_READY_FD:
			if (number_parse_u16(optarg, &fd))
				wrong("--ready-fd", optarg, "a descriptor's number");
			supervisor.ready_fd = fd;
			break;
		case OPTION_USER:
			supervisor.user = optarg;
			break;
		case OPTION_WITHOUT_SANDBOX:
			supervisor.sandboxed = false;
			break;
		case OPTION_WORKER:
			if (number_parse_u16(optarg, &domid))
				wrong("--worker", optarg, "a domain's number");
			worker = true;
			break;
		case OPTION_NBD_CONNECT:
			nbd = optarg;
			break;
		case OPTION_ASK:
			ask = true;
			break;
		case OPTION_QEMU_NBD:
			image = optarg;
			break;
		case OPTION_READ_ONLY:
			read_only = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'V':
			puts("xsplit-backend " XSPLIT_VERSION);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc)
		wrong("argument", argv[optind], "expected");

	log_open("xsplit-backend", LOG_LEVEL_INFO);
	signal(SIGPIPE, SIG_IGN);
	if (worker)
		return worker_main(GUEST_WORKER_SOCKET, GUEST_WORKER_NETWORK, domid,
				   supervisor.user, supervisor.sandboxed);
	if (nbd)
		return connector_main(CHILD_FD, nbd, ask, supervisor.user, supervisor.sandboxed);
	if (image)
		return exporter_main(CHILD_FD, image, read_only, supervisor.user,
				     supervisor.sandboxed);
	rc = supervisor_main(&supervisor);
	return rc == SUPERVISOR_RELOAD ? reload(path, &supervisor) : rc;
}
