#include "toolstack/domain/rename.h"
#include "toolstack/command/command.h"

static int rename_one(struct domain_call *call)
{
	return domain_rename(call->ts, call->domid, call->words[0], call->fault);
}

int command_rename(const struct command *self, int argc, char **argv)
{
	return command_about(self, argc, argv, NULL, 1, 1, rename_one);
}
