/* block-switch, cd-insert and cd-eject: another image behind a disk. */
#include "toolstack/command/block.h"
#include "toolstack/domain/exchange.h"

struct wish {
	const char *target, *format;
	bool cdrom, json;
};

static int act(struct toolstack *ts, const struct device *device, const void *arg,
	       struct fault *fault)
{
	const struct wish *wish = arg;
	int rc = exchange_image(ts, device, wish->target, wish->format, wish->cdrom, fault);

	if (!rc)
		command_done(wish->json);
	return rc;
}

int command_block_switch(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"format", required_argument, NULL, 'f'}, {0}};
	struct wish wish = {.format = "raw"};
	struct given given;
	int status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 3)
		return command_usage(self, "give a DOMAIN, one disk, and its new TARGET");
	wish.target = argv[optind + 2];
	if (given_value(&given, 'f'))
		wish.format = given_value(&given, 'f');
	wish.json = given_has(&given, 'j');
	return block_on_disk(argv + optind, act, &wish, wish.json);
}

int command_cd_insert(const struct command *self, int argc, char **argv)
{
	struct wish wish = {.format = "raw", .cdrom = true};
	struct given given;
	int status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 3)
		return command_usage(self, "give a DOMAIN, one drive, and the image to insert");
	wish.target = argv[optind + 2];
	wish.json = given_has(&given, 'j');
	return block_on_disk(argv + optind, act, &wish, wish.json);
}

int command_cd_eject(const struct command *self, int argc, char **argv)
{
	struct wish wish = {.target = "", .format = "raw", .cdrom = true};
	struct given given;
	int status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 2)
		return command_usage(self, "give a DOMAIN and one drive");
	wish.json = given_has(&given, 'j');
	return block_on_disk(argv + optind, act, &wish, wish.json);
}
