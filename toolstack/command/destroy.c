#include "toolstack/command/command.h"
#include "toolstack/domain/domain.h"

static int destroy(struct domain_call *call)
{
	return domain_destroy(call->ts, call->domid, call->fault);
}

int command_destroy(const struct command *self, int argc, char **argv)
{
	return command_about(self, argc, argv, NULL, 0, 0, destroy);
}
