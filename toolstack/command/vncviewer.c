#include "toolstack/command/command.h"
#include "toolstack/command/viewer.h"

static int view(struct domain_call *call)
{
	int status = 0;
	int rc = viewer_start(call->ts, call->domid,
			      given_has(call->given, 'A') || given_has(call->given, 'a'), &status,
			      call->fault);

	/* The viewer has told what it has to tell. */
	call->told = !rc && status;
	return call->told ? -1 : rc;
}

int command_vncviewer(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"autopass", no_argument, NULL, 'A'},
						/* as create and restore call it */
						{"vncviewer-autopass", no_argument, NULL, 'A'},
						{"autopass", no_argument, NULL, 'a'},
						{0}};

	return command_about(self, argc, argv, options, 0, 0, view);
}
