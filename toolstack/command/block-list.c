#include "toolstack/command/block.h"

int command_block_list(const struct command *self, int argc, char **argv)
{
	return devices_list_run(self, &block_class, argc, argv);
}
