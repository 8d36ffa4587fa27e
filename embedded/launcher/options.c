#include "embedded/launcher/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"

const char *const daemon_names[DAEMON_COUNT] = {
	[DAEMON_HOST] = "xsplit-embedded-host",
	[DAEMON_STORE] = "xsplit-xenstored",
	[DAEMON_BACKEND] = "xsplit-backend",
	[DAEMON_TOOLSTACK] = "xsplitd",
};

static const char usage[] =
	"usage: xsplit-embedded [--keep DIR] [--without NAME[,NAME...]] -- COMMAND [ARGUMENT...]\n"
	"       xsplit-embedded [--keep DIR] [--without NAME[,NAME...]] shell\n"
	"       xsplit-embedded exec DOMID COMMAND [ARGUMENT...]\n"
	"       xsplit-embedded --help | --version\n";

static const char help[] =
	"\nStart a fresh host without a hypervisor, run COMMAND in its dom0, and remove the host.\n"
	"\n"
	"  shell                 run an interactive shell instead of COMMAND\n"
	"  exec DOMID COMMAND    inside a host: run COMMAND in a guest's network, as that domain\n"
	"  --keep DIR            make the host in DIR, and leave its logs there\n"
	"  --without NAME,...    do not start these daemons: xenstored, backend, xsplitd\n";

__attribute__((format(printf, 1, 2), noreturn)) static void refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("xsplit-embedded: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fprintf(stderr, "\n%s", usage);
	va_end(args);
	exit(LAUNCHER_FAILED);
}

/* A daemon goes by the name of its program, with or without our prefix. */
static void without(struct options *options, const char *names)
{
	static const char prefix[] = "xsplit-";
	char *copy = strdup(names);
	char *rest = copy;

	for (char *name; (name = strsep(&rest, ","));) {
		int found = 0;

		for (int d = DAEMON_STORE; d < DAEMON_COUNT; d++) {
			const char *daemon = daemon_names[d];

			if (!strcmp(name, daemon) ||
			    (!strncmp(daemon, prefix, sizeof(prefix) - 1) &&
			     !strcmp(name, daemon + sizeof(prefix) - 1))) {
				options->without[d] = true;
				found = 1;
			}
		}
		if (!found)
			refuse("--without %s: no such daemon", name);
	}
	free(copy);
}

static void parse_exec(struct options *options, int argc, char **argv)
{
	uint32_t domid;

	if (argc < 3)
		refuse("exec needs a domain and a command");
	if (number_parse_u32(argv[1], &domid) || !domid)
		refuse("exec %s: not the number of a guest", argv[1]);
	options->exec = true;
	options->domid = domid;
	options->command = argv + 2;
}

/* What stands after the options. */
static void parse_words(struct options *options, bool dashes, int argc, char **argv)
{
	static char sh[] = "/bin/sh";
	static char *shell[] = {sh, NULL};

	if (argc && dashes) {
		options->command = argv;
	} else if (argc && !strcmp(argv[0], "exec")) {
		parse_exec(options, argc, argv);
	} else if (argc == 1 && !strcmp(argv[0], "shell")) {
		if (getenv("SHELL"))
			shell[0] = getenv("SHELL");
		options->command = shell;
	} else if (argc) {
		refuse("%s: unknown; put -- in front of a command that shall run in the host",
		       argv[0]);
	} else {
		refuse("no command given");
	}
}

void options_parse(struct options *options, int argc, char **argv)
{
	enum { KEEP = 'k', WITHOUT = 'w', HELP = 'h', VERSION = 'V' };
	static const struct option known[] = {
		{"keep", required_argument, NULL, KEEP},
		{"without", required_argument, NULL, WITHOUT},
		{"help", no_argument, NULL, HELP},
		{"version", no_argument, NULL, VERSION},
		{0},
	};
	int option;

	*options = (struct options){0};
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:hV", known, NULL)) != -1) {
		switch (option) {
		case KEEP:
			options->keep = optarg;
			break;
		case WITHOUT:
			without(options, optarg);
			break;
		case HELP:
			printf("%s%s", usage, help);
			exit(0);
		case VERSION:
			puts("xsplit-embedded " XSPLIT_VERSION);
			exit(0);
		default:
			refuse("%s: %s", argv[optind - 1],
			       option == ':' ? "needs a value" : "unknown option");
		}
	}
	parse_words(options, !strcmp(argv[optind - 1], "--"), argc - optind, argv + optind);
}
