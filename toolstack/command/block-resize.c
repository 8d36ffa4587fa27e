#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/number.h"
#include "toolstack/command/block.h"
#include "toolstack/device/settings.h"
#include "toolstack/json.h"

#define SECTOR 512u

struct wish {
	char resize[40]; /* the node's words */
	bool json;
};

static int size_show(struct toolstack *ts, const struct device *device, bool json,
		     struct fault *fault)
{
	char back[XS_PATH_SIZE];
	uint64_t sectors;
	yajl_gen out;
	int rc;

	device_back(device, back);
	rc = xs_read_number(ts->xs, XBT_NULL, INT64_MAX / SECTOR, &sectors, "%s/sectors", back);
	if (rc)
		return fault_set(fault, rc, "%s/sectors cannot be read", back);
	if (!json) {
		printf("%" PRIu64 "\n", sectors * SECTOR);
		return 0;
	}
	out = json_open();
	if (!out)
		return fault_memory(fault);
	yajl_gen_map_open(out);
	json_number(out, "bytes", (long long)sectors * SECTOR);
	yajl_gen_map_close(out);
	json_close(out);
	return 0;
}

static int act(struct toolstack *ts, const struct device *device, const void *arg,
	       struct fault *fault)
{
	const struct wish *wish = arg;
	const struct device_node nodes[] = {{"resize", wish->resize}, {0}};
	int rc = device_settings(ts, device, nodes, fault);

	return rc ? rc : size_show(ts, device, wish->json, fault);
}

int command_block_resize(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"force", no_argument, NULL, 'f'}, {0}};
	struct wish wish;
	struct given given;
	uint64_t size = 0;
	int status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 2 && argc - optind != 3)
		return command_usage(self, "give a DOMAIN, one disk, and perhaps its new SIZE");
	if (argc - optind == 3 &&
	    (number_parse_size(argv[optind + 2], INT64_MAX, &size) || !size || size % SECTOR))
		return command_usage(self,
				     "SIZE %s is not a number of bytes, a multiple of 512 (K, M, "
				     "G, T may follow it)",
				     argv[optind + 2]);
	wish.json = given_has(&given, 'j');
	if (size)
		snprintf(wish.resize, sizeof(wish.resize), "%" PRIu64 "%s", size,
			 given_has(&given, 'f') ? " force" : "");
	else
		snprintf(wish.resize, sizeof(wish.resize), "look%s",
			 given_has(&given, 'f') ? " force" : "");
	return block_on_disk(argv + optind, act, &wish, wish.json);
}
