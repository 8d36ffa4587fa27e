/* block-pause and block-resume: a disk's requests are held, or go on. */
#include "toolstack/command/block.h"
#include "toolstack/device/settings.h"

static int paused_set(struct toolstack *ts, const struct device *device, const void *arg,
		      struct fault *fault)
{
	const struct device_node nodes[] = {{"paused", arg}, {0}};

	return device_settings(ts, device, nodes, fault);
}

static int run(const struct command *self, int argc, char **argv, const char *paused)
{
	struct given given;
	int status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 2)
		return command_usage(self, "give a DOMAIN and one disk");
	return block_on_disk(argv + optind, paused_set, paused, given_has(&given, 'j'));
}

int command_block_pause(const struct command *self, int argc, char **argv)
{
	return run(self, argc, argv, "1");
}

int command_block_resume(const struct command *self, int argc, char **argv)
{
	return run(self, argc, argv, "0");
}
