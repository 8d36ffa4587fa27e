#include "toolstack/command/network.h"

int command_network_list(const struct command *self, int argc, char **argv)
{
	return devices_list_run(self, &network_class, argc, argv);
}
