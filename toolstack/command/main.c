#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "toolstack/command/command.h"
#include "toolstack/json.h"
#include "toolstack/nearest.h"

const struct command commands[] = {
	{"block-attach", "[--json] DOMAIN SPEC...", "Give a running guest a disk",
	 command_block_attach},
	{"block-detach", "[--force] [--json] DOMAIN VDEV|DEVID", "Take a disk from a running guest",
	 command_block_detach},
	{"block-dump", "[--json] DOMAIN VDEV|DEVID", "Show the rings of a disk in use",
	 command_block_dump},
	{"block-inject", "[--clear] [--json] DOMAIN VDEV|DEVID [RULE...]",
	 "Give a disk faults for tests, or tell which it has", command_block_inject},
	{"block-list", "[--json] DOMAIN...", "List the disks of guests", command_block_list},
	{"block-pause", "[--json] DOMAIN VDEV|DEVID", "Hold the requests of a disk",
	 command_block_pause},
	{"block-qos", "[--json] DOMAIN VDEV|DEVID [KEY=VALUE...]",
	 "Limit a disk, or tell its limits", command_block_qos},
	{"block-resize", "[--force] [--json] DOMAIN VDEV|DEVID [SIZE]",
	 "Give a disk another size, or the one that its image has", command_block_resize},
	{"block-resume", "[--json] DOMAIN VDEV|DEVID", "Let the requests of a disk go on",
	 command_block_resume},
	{"block-stat", "[--json] [--watch[=SECONDS]] [DOMAIN [VDEV|DEVID]]", "Tell what disks do",
	 command_block_stat},
	{"block-switch", "[--format FORMAT] [--json] DOMAIN VDEV|DEVID TARGET",
	 "Put another image behind a disk", command_block_switch},
	{"cd-eject", "[--json] DOMAIN VDEV|DEVID", "Leave a CD-ROM drive empty", command_cd_eject},
	{"cd-insert", "[--json] DOMAIN VDEV|DEVID TARGET", "Put an image into a CD-ROM drive",
	 command_cd_insert},
	{"config-update", "[-dq] [-f FILE] [--json] DOMAIN [FILE] [KEY=VALUE...]",
	 "Change the config that a guest is restarted with", command_config_update},
	{"console", "[-t pv|serial] [-n NUMBER] [--json] DOMAIN", "Be at a guest's console",
	 command_console},
	{"create", "[-AcdeFiJnpqtV] [--json] FILE|-f FILE [KEY=VALUE...]",
	 "Make a guest as a file describes it", command_create},
	{"debug-keys", "[--json] KEYS", "Send keys to Xen's own console", command_debug_keys},
	{"destroy", "[-f] [--json] DOMAIN", "End a guest at once and remove all that it had",
	 command_destroy},
	{"devd", "[-F] [-p PIDFILE] [--json]", "Serve devices from a driver domain", command_devd},
	{"dmesg", "[-c] [--json]", "Print Xen's messages", command_dmesg},
	{"doctor", "[--repair] [--json]", "Find and remove what dead programs left behind",
	 command_doctor},
	{"domid", "[--json] NAME", "Print the id of the domain of a name", command_domid},
	{"domname", "[--json] DOMID", "Print the name of the domain of an id", command_domname},
	{"dump-core", "[--json] DOMAIN FILE", "Write a guest's memory to a file",
	 command_dump_core},
	{"events", "[--json]", "Tell what happens to domains, as it happens", command_events},
	{"help", "[--json] [COMMAND]", "Tell what the commands do", command_help_run},
	{"info", "[-n] [--json] [NAME]", "Tell about this host and its Xen", command_info},
	{"list", "[-clnvZ] [--json] [DOMAIN...]", "List the domains", command_list},
	{"mem-max", "[--json] DOMAIN SIZE", "Set how far a guest's memory may grow",
	 command_mem_max},
	{"mem-set", "[--json] DOMAIN SIZE", "Set how much memory a guest shall use",
	 command_mem_set},
	{"migrate", "[-dDenp] [-C CONFIG] [-s SHELL] [--settle] [--json] DOMAIN HOST",
	 "Move a guest to another host", command_migrate},
	{"migrate-receive", "[-p] [--query UUID] [--json]", "Take a guest that another host sends",
	 command_migrate_receive},
	{"network-attach", "[--json] DOMAIN [KEY=VALUE...]", "Give a running guest a network card",
	 command_network_attach},
	{"network-detach", "[--force] [--json] DOMAIN DEVID|MAC",
	 "Take a network card from a running guest", command_network_detach},
	{"network-list", "[--json] DOMAIN...", "List the network cards of guests",
	 command_network_list},
	{"pause", "[--json] DOMAIN", "Let a guest stand still", command_pause},
	{"reboot", "[-aFw] [--json] [DOMAIN...]", "Ask guests to start anew", command_reboot},
	{"rename", "[--json] DOMAIN NAME", "Give a guest another name", command_rename},
	{"sched-credit",
	 "[-d DOMAIN [-w WEIGHT] [-c CAP]] [-p POOL] [-s [-t MS] [-r US] [-m US]] [--json]",
	 "Show or set shares of the credit scheduler", command_sched_credit},
	{"sched-credit2", "[-d DOMAIN [-w WEIGHT] [-c CAP]] [-p POOL] [-s [-r US]] [--json]",
	 "Show or set shares of the credit2 scheduler", command_sched_credit2},
	{"restore", "[-AcdeFpV] [--json] [CONFIG] FILE", "Let a saved guest go on",
	 command_restore},
	{"save", "[-cDp] [--json] DOMAIN FILE [CONFIG]", "Save a running guest to a file",
	 command_save},
	{"shutdown", "[-aFw] [-t SECONDS] [--json] [DOMAIN...]", "Ask guests to shut down",
	 command_shutdown},
	{"sysrq", "[--json] DOMAIN LETTER", "Send a magic system request to a guest",
	 command_sysrq},
	{"top", "", "Watch the domains with xentop", command_top},
	{"trigger", "[--json] DOMAIN nmi|reset|init|power|sleep|s3resume [VCPU]",
	 "Press a button of a guest's machine", command_trigger},
	{"unpause", "[--json] DOMAIN", "Let a guest run", command_unpause},
	{"uptime", "[-s] [--json] [DOMAIN...]", "Tell how long domains run", command_uptime},
	{"vcpu-list", "[--json] [DOMAIN...]", "List the virtual CPUs", command_vcpu_list},
	{"vcpu-pin", "[-fi] [--json] DOMAIN VCPU|all HARD|- [SOFT|-]",
	 "Set on which CPUs a virtual one may run", command_vcpu_pin},
	{"vcpu-set", "[-i] [--json] DOMAIN COUNT", "Set how many virtual CPUs a guest shall use",
	 command_vcpu_set},
	{"version", "[--json]", "Print the version", command_version},
	{"vncviewer", "[-a|-A] [--json] DOMAIN", "Look at a guest's screen", command_vncviewer},
};

const size_t commands_count = sizeof(commands) / sizeof(commands[0]);

static int usage(FILE *out)
{
	fputs("usage: xsplit COMMAND [-h] [WORD...]\n\n", out);
	for (size_t i = 0; i < commands_count; i++)
		fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].summary);
	return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

static int usage_json(void)
{
	yajl_gen out = json_open();

	if (!out)
		return EXIT_FAILED;
	yajl_gen_array_open(out);
	for (size_t i = 0; i < commands_count; i++) {
		yajl_gen_map_open(out);
		json_string(out, "command", commands[i].name);
		json_string(out, "words", commands[i].words);
		json_string(out, "summary", commands[i].summary);
		yajl_gen_map_close(out);
	}
	yajl_gen_array_close(out);
	json_close(out);
	return EXIT_DONE;
}

/* Which command's name begins so: NULL for none and for several, which @count tells. */
static const struct command *beginning(const char *name, unsigned *count)
{
	const struct command *found = NULL;

	*count = 0;
	for (size_t i = 0; i < commands_count; i++)
		if (!strncmp(commands[i].name, name, strlen(name))) {
			found = &commands[i];
			++*count;
		}
	return *count == 1 ? found : NULL;
}

/* As xl, a name may be cut short while it is one command's. */
static const struct command *named(const char *name)
{
	const struct command *command = command_find(name);
	unsigned count;

	return command ? command : beginning(name, &count);
}

static int ambiguous(const char *name)
{
	char text[400];
	int length = snprintf(text, sizeof(text), "%.60s may be", name);
	const char *between = "";

	for (size_t i = 0; i < commands_count && (size_t)length < sizeof(text); i++)
		if (!strncmp(commands[i].name, name, strlen(name))) {
			length += snprintf(text + length, sizeof(text) - (size_t)length, "%s %s",
					   between, commands[i].name);
			between = ",";
		}
	return command_wrong(text);
}

static int unknown(const char *name)
{
	unsigned best = UINT_MAX, count;
	const char *found = NULL;
	char text[200];

	beginning(name, &count);
	if (*name && count > 1)
		return ambiguous(name);
	for (size_t i = 0; i < commands_count; i++) {
		unsigned distance = nearest_distance(name, commands[i].name);

		if (distance < best) {
			best = distance;
			found = commands[i].name;
		}
	}
	if (found && nearest_near(name, best))
		snprintf(text, sizeof(text), "unknown command %.60s; did you mean %s?", name,
			 found);
	else
		snprintf(text, sizeof(text), "unknown command %.60s; xsplit help lists them", name);
	return command_wrong(text);
}

int command_help_run(const struct command *self, int argc, char **argv)
{
	char *words[] = {argv[0], (char *)"-h", NULL};
	const struct command *command;
	struct given given;
	int status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind > 1)
		return command_usage(self, "too many words");
	if (optind == argc)
		return given_has(&given, 'j') ? usage_json() : usage(stdout);
	command = named(argv[optind]);
	return command ? command->run(command, 2, words) : unknown(argv[optind]);
}

int command_version(const struct command *self, int argc, char **argv)
{
	struct given given;
	int status = command_options(self, argc, argv, NULL, &given);
	yajl_gen out;

	if (status >= 0)
		return status;
	if (optind < argc)
		return command_usage(self, "too many words");
	out = given_has(&given, 'j') ? json_open() : NULL;
	if (out) {
		yajl_gen_map_open(out);
		json_string(out, "version", XSPLIT_VERSION);
		yajl_gen_map_close(out);
		json_close(out);
	} else {
		puts("xsplit " XSPLIT_VERSION);
	}
	return EXIT_DONE;
}

/* xl's options, which stand before the command. Return: how many words they are, or
 * minus the place of a wrong one. */
static int globals_take(int argc, char **argv, struct command_globals *globals)
{
	enum log_level level = LOG_LEVEL_WARN;
	int word = 1;

	for (; word < argc && argv[word][0] == '-'; word++) {
		const char *letter = argv[word] + 1;

		if (!*letter || letter[strspn(letter, "vftTN")])
			return -word;
		for (; *letter; letter++) {
			level += *letter == 'v' && level < LOG_LEVEL_DEBUG;
			globals->progress |= *letter == 't';
			globals->dry |= *letter == 'N';
		}
	}
	log_open("xsplit", level);
	return word - 1;
}

/* A dry run of a command is one of its own options. */
static int dry_run(const struct command *command, int argc, char **argv)
{
	char **words;
	int status;

	if (command->run != command_create)
		return command_usage(command, "it has no dry run (-N); create has");
	words = calloc((size_t)argc + 2, sizeof(*words));
	if (!words)
		return command_wrong("no memory");
	words[0] = argv[0];
	words[1] = (char *)"-n";
	memcpy(words + 2, argv + 1, ((size_t)argc - 1) * sizeof(*argv));
	status = command->run(command, argc + 1, words);
	free(words);
	return status;
}

int main(int argc, char **argv)
{
	struct command_globals globals = {0};
	const struct command *command;
	char text[160];
	int taken;

	log_open("xsplit", LOG_LEVEL_WARN);
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")))
		return usage(stdout);
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		command_run_as(argc, argv, &globals);
		return command_version(command_find("version"), argc - 1, argv + 1);
	}
	taken = globals_take(argc, argv, &globals);
	command_run_as(argc, argv, &globals);
	if (taken < 0) {
		snprintf(text, sizeof(text),
			 "unknown option %.40s before the command; use -v, -f, -t, -T or -N",
			 argv[-taken]);
		return command_wrong(text);
	}
	argc -= taken;
	argv += taken;
	if (argc < 2)
		return usage(stderr);
	command = named(argv[1]);
	if (!command)
		return unknown(argv[1]);
	return globals.dry ? dry_run(command, argc - 1, argv + 1)
			   : command->run(command, argc - 1, argv + 1);
}
