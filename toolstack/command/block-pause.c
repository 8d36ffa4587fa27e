/* block-pause and block-resume: a disk's requests are held, or go on. */
#include "toolstack/command/block.h"
#include "toolstack/device/settings.h"

struct wish {
	const char *paused;
	bool json;
};

static int paused_set(struct toolstack *ts, const struct device *device, const void *arg,
		      struct fault *fault)
{
	const struct wish *wish = arg;
	const struct device_node nodes[] = {{"paused", wish->paused}, {0}};
	int rc = device_settings(ts, device, nodes, fault);

	if (!rc)
		command_done(wish->json);
	return rc;
}

static int run(const struct command *self, int argc, char **argv, const char *paused)
{
	struct wish wish = {.paused = paused};
	struct given given;
	int status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 2)
		return command_usage(self, "give a DOMAIN and one disk");
	wish.json = given_has(&given, 'j');
	return block_on_disk(argv + optind, paused_set, &wish, wish.json);
}

int command_block_pause(const struct command *self, int argc, char **argv)
{
	return run(self, argc, argv, "1");
}

int command_block_resume(const struct command *self, int argc, char **argv)
{
	return run(self, argc, argv, "0");
}
