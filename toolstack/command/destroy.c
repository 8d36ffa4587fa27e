#include "toolstack/command/command.h"
#include "toolstack/domain/domain.h"

int command_destroy(const struct command *self, int argc, char **argv)
{
	return command_on_domain(self, argc, argv, domain_destroy);
}
