#include "toolstack/command/network.h"

int command_network_detach(const struct command *self, int argc, char **argv)
{
	return devices_detach_run(self, &network_class, argc, argv);
}
