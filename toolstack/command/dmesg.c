#include <stdio.h>
#include <stdlib.h>

#include "toolstack/command/command.h"
#include "toolstack/json.h"
#include "toolstack/xen/host.h"

static int dmesg(struct domain_call *call)
{
	yajl_gen json;
	char *text;
	int rc = xen_messages(call->ts->xen, given_has(call->given, 'c'), &text, call->fault);

	if (rc)
		return rc;
	json = given_has(call->given, 'j') ? json_open() : NULL;
	if (json) {
		yajl_gen_map_open(json);
		json_string(json, "messages", text);
		yajl_gen_map_close(json);
		json_close(json);
	} else {
		fputs(text, stdout);
	}
	free(text);
	call->shown = true;
	return 0;
}

int command_dmesg(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"clear", no_argument, NULL, 'c'}, {0}};

	return command_here(self, argc, argv, options, 0, 0, dmesg);
}
