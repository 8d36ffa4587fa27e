#include <stdio.h>

#include "toolstack/command/command.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/save.h"

static int save(struct toolstack *ts, char **words, const struct save_as *as, enum save_then then,
		struct fault *fault)
{
	uint16_t domid;
	int rc = name_find(ts, words[0], &domid, fault);

	if (!rc)
		rc = command_hold(ts, fault);
	if (rc)
		return rc;
	rc = save_file(ts, domid, words[1], as, then, fault);
	interrupt_release(&ts->interrupt);
	return rc;
}

int command_save(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"checkpoint", no_argument, NULL, 'c'},
						{"pause", no_argument, NULL, 'p'},
						{"preserve-domid", no_argument, NULL, 'D'},
						{0}};
	struct save_as as = {0};
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	enum save_then then = SAVE_DESTROY;
	int rc, status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (argc - optind < 2 || argc - optind > 3)
		return command_usage(self, "give a DOMAIN and a FILE");
	as.config_file = argc - optind == 3 ? argv[optind + 2] : NULL;
	as.same_domid = given_has(&given, 'D');
	if (given_has(&given, 'p'))
		then = SAVE_PAUSE;
	else if (given_has(&given, 'c'))
		then = SAVE_RESUME;
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = save(&ts, argv + optind, &as, then, &fault);
		toolstack_close(&ts);
	}
	return command_end(rc, &fault, given_has(&given, 'j'));
}
