#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "toolstack/command/command.h"
#include "toolstack/domain/migrate.h"
#include "toolstack/domain/name.h"
#include "toolstack/json.h"

static void migrated_show(const char *word, const char *host, const struct migrate_times *times,
			  bool json)
{
	yajl_gen out = json ? json_open() : NULL;

	if (out) {
		yajl_gen_map_open(out);
		json_string(out, "domain", word);
		json_string(out, "host", host);
		json_number(out, "milliseconds", times->all);
		json_number(out, "stopped_milliseconds", times->stopped);
		yajl_gen_map_close(out);
		json_close(out);
	} else {
		printf("Migrated domain %s to %s in %u.%03u s, stopped for %u ms\n", word, host,
		       times->all / 1000, times->all % 1000, times->stopped);
	}
}

static int migrate(struct toolstack *ts, const char *word, const struct migrate_way *way,
		   const struct given *given, struct fault *fault)
{
	struct migrate_times times = {0};
	uint16_t domid;
	int rc = name_find(ts, word, &domid, fault);

	if (rc)
		return rc;
	if (given_has(given, 'o')) {
		rc = migrate_settle(ts, domid, way, fault);
		if (!rc)
			command_done(given_has(given, 'j'));
		return rc;
	}
	rc = command_hold(ts, fault);
	if (rc)
		return rc;
	rc = migrate_send(ts, domid, way, !given_has(given, 'n'), &times, fault);
	interrupt_release(&ts->interrupt);
	if (!rc)
		migrated_show(word, way->host, &times, given_has(given, 'j'));
	return rc;
}

int command_migrate(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"command", required_argument, NULL, 's'},
						{"non-live", no_argument, NULL, 'n'},
						{"settle", no_argument, NULL, 'o'},
						{"paused", no_argument, NULL, 'p'},
						/* xl's, as create has it */
						{"no-wait", no_argument, NULL, 'e'},
						{"config", required_argument, NULL, 'C'},
						{"preserve-domid", no_argument, NULL, 'D'},
						{"debug", no_argument, NULL, 'd'},
						/* xl's; it always is */
						{"live", no_argument, NULL, 'l'},
						{0}};
	struct migrate_way way = {.shell = "ssh"};
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	int rc, status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 2)
		return command_usage(self, "give a DOMAIN and a HOST");
	way.host = argv[optind + 1];
	if (given_has(&given, 's'))
		way.shell = given_value(&given, 's');
	way.paused = given_has(&given, 'p');
	way.debug = given_has(&given, 'd');
	way.as.config_file = given_value(&given, 'C');
	way.as.same_domid = given_has(&given, 'D');
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = migrate(&ts, argv[optind], &way, &given, &fault);
		toolstack_close(&ts);
	}
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}

/* The answer to the other end of a migration that broke off. */
static int query(struct toolstack *ts, const char *text, bool json, struct fault *fault)
{
	enum migrate_fate fate = FATE_ABSENT;
	yajl_gen out;
	uuid_t uuid;
	int rc = uuid_parse(text, uuid) ? fault_set(fault, -EINVAL, "\"%s\" is no UUID", text)
					: migrate_ask(ts, uuid, &fate, fault);

	if (rc)
		return rc;
	out = json ? json_open() : NULL;
	if (out) {
		yajl_gen_map_open(out);
		json_string(out, "domain", migrate_fate_word(fate));
		json_number(out, "up_seconds", (long long)migrate_uptime());
		yajl_gen_map_close(out);
		json_close(out);
	} else {
		printf("%s %" PRIu64 "\n", migrate_fate_word(fate), migrate_uptime());
	}
	return 0;
}

int command_migrate_receive(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{"paused", no_argument, NULL, 'p'}, {"query", required_argument, NULL, 'q'}, {0}};
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	bool json;
	int rc, status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (argc != optind)
		return command_usage(self, "it takes no words");
	/* Otherwise standard output is the sender's. */
	json = given_has(&given, 'j') && given_has(&given, 'q');
	rc = toolstack_open(&ts, &fault);
	if (rc)
		return command_failed(&fault, json);
	if (given_has(&given, 'q'))
		rc = query(&ts, given_value(&given, 'q'), json, &fault);
	else
		rc = migrate_receive(&ts, STDIN_FILENO, STDOUT_FILENO, given_has(&given, 'p'),
				     &fault);
	toolstack_close(&ts);
	return rc ? command_failed(&fault, json) : EXIT_DONE;
}
