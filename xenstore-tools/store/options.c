#include "xenstore-tools/store/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/number.h"

enum { OPTION_READY_FD = 256, OPTION_SOCKET, OPTION_PID_FILE };

static const struct option words[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"quota", required_argument, NULL, 'Q'},
	{"ready-fd", required_argument, NULL, OPTION_READY_FD},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"pid-file", required_argument, NULL, OPTION_PID_FILE},
	{0},
};

static const char usage[] =
	"usage: xsplit-xenstored [OPTION...]\n"
	"Serve the XenStore: a socket for dom0, rings for guests.\n"
	"  --socket PATH        listen there ($XENSTORED_PATH, $XENSTORED_RUNDIR/socket or\n"
	"                       /run/xenstored/socket)\n"
	"  --pid-file PATH      write the process id there\n"
	"  --ready-fd FD        write a newline to FD when ready\n"
	"  -Q, --quota NAME=N   change a quota of guests (0: none); the names are in the manual\n"
	"  -h, --help           this text\n"
	"  -V, --version        the version\n";

static int parse_quota(struct options *options, const char *text)
{
	const char *value = strchr(text, '=');
	char name[32];
	int rc;

	if (!value || (size_t)(value - text) >= sizeof(name)) {
		log_error("--quota %s: must be NAME=NUMBER, for example nodes=2000", text);
		return -EINVAL;
	}
	memcpy(name, text, value - text);
	name[value - text] = '\0';
	rc = quota_set(&options->quota, name, value + 1);
	if (rc == -ENOENT)
		log_error("--quota %s: there is no quota %s; the manual lists them", text, name);
	else if (rc)
		log_error("--quota %s: %s is not a number this quota can have", text, value + 1);
	return rc ? -EINVAL : 0;
}

static int parse_fd(struct options *options, const char *text)
{
	uint16_t fd;

	if (number_parse_u16(text, &fd)) {
		log_error("--ready-fd %s: not the number of a descriptor", text);
		return -EINVAL;
	}
	options->ready_fd = fd;
	return 0;
}

static int parse_one(struct options *options, int option)
{
	switch (option) {
	case 'h':
		fputs(usage, stdout);
		return 1;
	case 'V':
		puts("xsplit-xenstored " XSPLIT_VERSION);
		return 1;
	case 'Q':
		return parse_quota(options, optarg);
	case OPTION_READY_FD:
		return parse_fd(options, optarg);
	case OPTION_SOCKET:
		options->socket = optarg;
		return 0;
	case OPTION_PID_FILE:
		options->pid_file = optarg;
		return 0;
	default:
		fputs("Try xsplit-xenstored --help.\n", stderr);
		return -EINVAL;
	}
}

/* Where libxenstore will look for us. */
static int default_socket(struct options *options)
{
	const char *path = getenv("XENSTORED_PATH"), *rundir = getenv("XENSTORED_RUNDIR");
	int n;

	if (options->socket)
		return 0;
	options->socket = path;
	if (path)
		return 0;
	n = snprintf(options->path, sizeof(options->path), "%s/socket",
		     rundir ? rundir : "/run/xenstored");
	if (n < 0 || (size_t)n >= sizeof(options->path)) {
		log_error("XENSTORED_RUNDIR: the path is too long for a socket; use --socket");
		return -EINVAL;
	}
	options->socket = options->path;
	return 0;
}

int options_parse(struct options *options, int argc, char *argv[])
{
	int option, rc;

	*options = (struct options){.ready_fd = -1, .quota = quota_default()};
	while ((option = getopt_long(argc, argv, "hVQ:", words, NULL)) != -1) {
		rc = parse_one(options, option);
		if (rc)
			return rc;
	}
	if (optind < argc) {
		log_error("%s: there are no arguments besides options; try --help", argv[optind]);
		return -EINVAL;
	}
	return default_socket(options);
}
