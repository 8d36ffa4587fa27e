/*
 * command.h - what the commands of xsplit share.
 *
 * A command is one file with one function, entered into the table of table.c. It gets its own
 * words, its name first; it returns the program's exit status.
 */
#pragma once

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "toolstack/fault.h"
#include "toolstack/toolstack.h"

/** Exit status: done, could not be done, wrongly called. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
	const char *name;
	const char *words;   /* what comes behind the name */
	const char *summary; /* one line */
	int (*run)(const struct command *self, int argc, char **argv);
};

extern const struct command commands[];
extern const size_t commands_count;

/** command_find - by its name, or NULL. */
const struct command *command_find(const char *name);

/** What stands before the command, for all of them. */
struct command_globals {
	bool progress; /* show it without a terminal too */
	bool dry;      /* change nothing */
};

/**
 * command_run_as - what holds for this run. Is --json among the words, wherever it stands? Asked
 * once, before anything can go wrong: then every error is JSON, that of a wrong call among them.
 */
void command_run_as(int argc, char **argv, const struct command_globals *globals);

/** What options were given; letters of both cases. --json is 'j'. */
struct given {
	uint64_t flags;
	const char *value[52]; /* of an option with required_argument */
};

/** given_has, given_value - was -@letter given; what is its value, or NULL. */
bool given_has(const struct given *given, char letter);
const char *given_value(const struct given *given, char letter);

/**
 * command_options - take the options, which may stand before or behind the other words.
 * @longs: as for getopt_long(3), val the letter, ended by a zero; NULL for none. Each letter is a
 *         short option as well. -h, --help and --json are added.
 *
 * Return: -1 to go on, with optind at the first other word (they are moved behind); or an exit
 * status.
 */
int command_options(const struct command *self, int argc, char **argv, const struct option *longs,
		    struct given *given);

/** command_usage - the one line about a wrong call. Return: EXIT_USAGE. */
int command_usage(const struct command *self, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** command_wrong - the same for a call that names no command. */
int command_wrong(const char *text);

/** command_failed - tell what went wrong, as JSON on standard output if asked for. */
int command_failed(const struct fault *fault, bool json);

/** command_done - say that it is done: nothing, or {} as JSON. Return: EXIT_DONE. */
int command_done(bool json);

/** command_end - the end of a command that has nothing to show: the one or the other. */
int command_end(int rc, const struct fault *fault, bool json);

/** What a command that is about one domain was given. */
struct domain_call {
	struct toolstack *ts;
	uint16_t domid;
	int count; /* of the words behind DOMAIN */
	char **words;
	const struct given *given;
	struct fault *fault;
	bool told;  /* what is wrong has been told: only the exit status is left */
	bool shown; /* it has shown something, so that no {} is to follow */
};

/**
 * command_about - a whole command whose first word is DOMAIN.
 * @longs:       as of command_options()
 * @least, @most: how many words come behind it
 * @what:        0, or a negative errno with the fault set
 *
 * Return: an exit status.
 */
int command_about(const struct command *self, int argc, char **argv, const struct option *longs,
		  int least, int most, int (*what)(struct domain_call *call));

/**
 * command_here - a whole command that takes no DOMAIN, or only as some of its words.
 * Arguments and result as of command_about(), domid unset.
 */
int command_here(const struct command *self, int argc, char **argv, const struct option *longs,
		 int least, int most, int (*what)(struct domain_call *call));

/** command_spec - words of a device's description joined with commas, for free(3), or NULL. */
char *command_spec(int count, char **words);

/**
 * command_hold - before long work: hold signals back, as interrupt_hold() does, with words for its
 * error, and choose where progress is shown: nowhere when the answer is JSON.
 */
int command_hold(struct toolstack *ts, struct fault *fault);

int command_block_attach(const struct command *self, int argc, char **argv);
int command_block_detach(const struct command *self, int argc, char **argv);
int command_block_dump(const struct command *self, int argc, char **argv);
int command_block_list(const struct command *self, int argc, char **argv);
int command_block_pause(const struct command *self, int argc, char **argv);
int command_block_inject(const struct command *self, int argc, char **argv);
int command_block_qos(const struct command *self, int argc, char **argv);
int command_block_resize(const struct command *self, int argc, char **argv);
int command_block_resume(const struct command *self, int argc, char **argv);
int command_config_update(const struct command *self, int argc, char **argv);
int command_block_stat(const struct command *self, int argc, char **argv);
int command_block_switch(const struct command *self, int argc, char **argv);
int command_cd_eject(const struct command *self, int argc, char **argv);
int command_cd_insert(const struct command *self, int argc, char **argv);
int command_console(const struct command *self, int argc, char **argv);
int command_create(const struct command *self, int argc, char **argv);
int command_debug_keys(const struct command *self, int argc, char **argv);
int command_destroy(const struct command *self, int argc, char **argv);
int command_devd(const struct command *self, int argc, char **argv);
int command_dmesg(const struct command *self, int argc, char **argv);
int command_doctor(const struct command *self, int argc, char **argv);
int command_domid(const struct command *self, int argc, char **argv);
int command_domname(const struct command *self, int argc, char **argv);
int command_dump_core(const struct command *self, int argc, char **argv);
int command_events(const struct command *self, int argc, char **argv);
int command_help_run(const struct command *self, int argc, char **argv);
int command_info(const struct command *self, int argc, char **argv);
int command_list(const struct command *self, int argc, char **argv);
int command_mem_max(const struct command *self, int argc, char **argv);
int command_mem_set(const struct command *self, int argc, char **argv);
int command_migrate(const struct command *self, int argc, char **argv);
int command_migrate_receive(const struct command *self, int argc, char **argv);
int command_network_attach(const struct command *self, int argc, char **argv);
int command_network_detach(const struct command *self, int argc, char **argv);
int command_network_list(const struct command *self, int argc, char **argv);
int command_pause(const struct command *self, int argc, char **argv);
int command_reboot(const struct command *self, int argc, char **argv);
int command_rename(const struct command *self, int argc, char **argv);
int command_sched_credit(const struct command *self, int argc, char **argv);
int command_sched_credit2(const struct command *self, int argc, char **argv);
int command_restore(const struct command *self, int argc, char **argv);
int command_save(const struct command *self, int argc, char **argv);
int command_shutdown(const struct command *self, int argc, char **argv);
int command_sysrq(const struct command *self, int argc, char **argv);
int command_top(const struct command *self, int argc, char **argv);
int command_trigger(const struct command *self, int argc, char **argv);
int command_unpause(const struct command *self, int argc, char **argv);
int command_uptime(const struct command *self, int argc, char **argv);
int command_vcpu_list(const struct command *self, int argc, char **argv);
int command_vcpu_pin(const struct command *self, int argc, char **argv);
int command_vcpu_set(const struct command *self, int argc, char **argv);
int command_version(const struct command *self, int argc, char **argv);
int command_vncviewer(const struct command *self, int argc, char **argv);
