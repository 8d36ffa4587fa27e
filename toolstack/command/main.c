#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "toolstack/command/command.h"
#include "toolstack/nearest.h"

const struct command commands[] = {
	{"block-attach", "DOMAIN SPEC...", "Give a running guest a disk", command_block_attach},
	{"block-detach", "[--force] DOMAIN VDEV|DEVID", "Take a disk from a running guest",
	 command_block_detach},
	{"block-list", "[--json] DOMAIN...", "List the disks of guests", command_block_list},
	{"block-pause", "[--json] DOMAIN VDEV|DEVID", "Hold the requests of a disk",
	 command_block_pause},
	{"block-qos", "[--json] DOMAIN VDEV|DEVID [KEY=VALUE...]",
	 "Limit a disk, or tell its limits", command_block_qos},
	{"block-resume", "[--json] DOMAIN VDEV|DEVID", "Let the requests of a disk go on",
	 command_block_resume},
	{"console", "DOMAIN", "Be at a guest's console", command_console},
	{"create", "[-cnpq] [--json] FILE [KEY=VALUE...]", "Make a guest as a file describes it",
	 command_create},
	{"destroy", "[--json] DOMAIN", "End a guest at once and remove all that it had",
	 command_destroy},
	{"domid", "NAME", "Print the id of the domain of a name", command_domid},
	{"domname", "DOMID", "Print the name of the domain of an id", command_domname},
	{"help", "[COMMAND]", "Tell what the commands do", command_help_run},
	{"list", "[-lv] [--json] [DOMAIN...]", "List the domains", command_list},
	{"network-attach", "DOMAIN [KEY=VALUE...]", "Give a running guest a network card",
	 command_network_attach},
	{"network-detach", "[--force] DOMAIN DEVID|MAC", "Take a network card from a running guest",
	 command_network_detach},
	{"network-list", "[--json] DOMAIN...", "List the network cards of guests",
	 command_network_list},
	{"pause", "DOMAIN", "Let a guest stand still", command_pause},
	{"reboot", "[-a] [DOMAIN...]", "Ask guests to start anew", command_reboot},
	{"shutdown", "[-aw] [-t SECONDS] [DOMAIN...]", "Ask guests to shut down", command_shutdown},
	{"unpause", "DOMAIN", "Let a guest run", command_unpause},
	{"version", "", "Print the version", command_version},
};

const size_t commands_count = sizeof(commands) / sizeof(commands[0]);

static int usage(FILE *out)
{
	fputs("usage: xsplit COMMAND [-h] [WORD...]\n\n", out);
	for (size_t i = 0; i < commands_count; i++)
		fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].summary);
	return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

static int unknown(const char *name)
{
	unsigned best = UINT_MAX;
	const char *found = NULL;

	for (size_t i = 0; i < commands_count; i++) {
		unsigned distance = nearest_distance(name, commands[i].name);

		if (distance < best) {
			best = distance;
			found = commands[i].name;
		}
	}
	if (found && nearest_near(name, best))
		fprintf(stderr, "xsplit: unknown command %s; did you mean %s?\n", name, found);
	else
		fprintf(stderr, "xsplit: unknown command %s; xsplit help lists them\n", name);
	return EXIT_USAGE;
}

int command_help_run(const struct command *self, int argc, char **argv)
{
	const struct command *command;

	if (argc < 2 || !strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
		return usage(stdout);
	command = command_find(argv[1]);
	return command ? command_help(command) : unknown(argv[1]);
}

int command_version(const struct command *self, int argc, char **argv)
{
	struct given given;
	int status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	puts("xsplit " XSPLIT_VERSION);
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	const struct command *command;

	log_open("xsplit", LOG_LEVEL_WARN);
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
		return usage(stdout);
	if (!strcmp(argv[1], "--version"))
		return command_version(command_find("version"), 1, argv);
	command = command_find(argv[1]);
	return command ? command->run(command, argc - 1, argv + 1) : unknown(argv[1]);
}
