#include <limits.h>
#include <stdio.h>

#include "toolstack/command/command.h"
#include "toolstack/command/console.h"
#include "toolstack/command/viewer.h"
#include "toolstack/domain/ending.h"
#include "toolstack/domain/restore.h"
#include "toolstack/json.h"

static void restored_show(uint16_t domid, bool json)
{
	yajl_gen out = json ? json_open() : NULL;

	if (out) {
		yajl_gen_map_open(out);
		json_number(out, "domid", domid);
		yajl_gen_map_close(out);
		json_close(out);
	}
}

static int restore(struct toolstack *ts, const char *config, const char *path,
		   const struct given *given, struct fault *fault)
{
	bool console = given_has(given, 'c'), paused = given_has(given, 'p');
	const struct restore_how how = {.paused = paused || console,
					.debug = given_has(given, 'd')};
	uint16_t domid;
	int rc = command_hold(ts, fault);

	if (rc)
		return rc;
	rc = restore_file(ts, path, config, &how, &domid, fault);
	interrupt_release(&ts->interrupt);
	if (rc)
		return rc;
	restored_show(domid, given_has(given, 'j'));
	if (given_has(given, 'V') || given_has(given, 'A'))
		viewer_offer(ts, domid, given_has(given, 'A'));
	if (console)
		return console_follow(ts, domid, paused, fault);
	return given_has(given, 'F') ? ending_wait(ts, domid, UINT_MAX / 2,
						   given_has(given, 'j') ? NULL : stdout, fault)
				     : 0;
}

int command_restore(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{"console", no_argument, NULL, 'c'},
		{"paused", no_argument, NULL, 'p'},
		/* xl's: its own process is not to wait; xsplitd does. */
		{"no-wait", no_argument, NULL, 'e'},
		{"vncviewer", no_argument, NULL, 'V'},
		{"vncviewer-autopass", no_argument, NULL, 'A'},
		{"debug", no_argument, NULL, 'd'},
		{"foreground", no_argument, NULL, 'F'},
		{0}};
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	int words, rc, status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	words = argc - optind;
	if (words < 1 || words > 2)
		return command_usage(self, "give a FILE, or a config file and a FILE");
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = restore(&ts, words == 2 ? argv[optind] : NULL, argv[argc - 1], &given, &fault);
		toolstack_close(&ts);
	}
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}
