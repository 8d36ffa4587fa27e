#include "toolstack/command/block.h"

int command_block_detach(const struct command *self, int argc, char **argv)
{
	return devices_detach_run(self, &block_class, argc, argv);
}
