#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/command/block.h"
#include "toolstack/device/settings.h"
#include "toolstack/domain/attach.h"
#include "toolstack/json.h"

struct wish {
	char **words; /* KEY=VALUE each, ended by NULL */
	bool json;
};

static int limits_read(struct toolstack *ts, const struct device *device, struct qos_limits *limits,
		       struct fault *fault)
{
	char back[XS_PATH_SIZE], label[64], why[200], *text;
	int rc;

	device_back(device, back);
	device_label(device, label, sizeof(label));
	text = xs_read_string(ts->xs, XBT_NULL, "%s/qos", back);
	rc = qos_parse(text ? text : "", limits, why, sizeof(why));
	free(text);
	return rc ? fault_set(fault, rc, "domain %u: %s: %s", device->domid, label, why) : 0;
}

static void line_print(void *arg, const char *key, uint64_t value)
{
	if (value)
		printf("%s=%" PRIu64 "\n", key, value);
}

static void member_print(void *arg, const char *key, uint64_t value)
{
	json_number(arg, key, (long long)value);
}

static int limits_show(const struct qos_limits *limits, bool json)
{
	yajl_gen out;

	if (!json) {
		qos_each(limits, line_print, NULL);
		return 0;
	}
	out = json_open();
	if (!out)
		return -ENOMEM;
	yajl_gen_map_open(out);
	qos_each(limits, member_print, out);
	yajl_gen_map_close(out);
	json_close(out);
	return 0;
}

static int limits_change(struct toolstack *ts, const struct device *device,
			 struct qos_limits *limits, char **words, struct fault *fault)
{
	const struct disk_change change = {.qos = limits};
	char why[200], text[QOS_TEXT_SIZE];
	int rc = 0;

	while (!rc && *words)
		rc = qos_set(limits, *words++, why, sizeof(why));
	if (!rc)
		rc = qos_check(limits, why, sizeof(why));
	if (rc)
		return fault_set(fault, rc, "%s", why);
	qos_print(limits, text);
	rc = device_settings(
		ts, device, (const struct device_node[]){{"qos", *text ? text : NULL}, {0}}, fault);
	return rc ? rc : attach_changed(ts, device, &change, fault);
}

static int act(struct toolstack *ts, const struct device *device, const void *arg,
	       struct fault *fault)
{
	const struct wish *wish = arg;
	struct qos_limits limits;
	int rc = limits_read(ts, device, &limits, fault);

	if (rc)
		return rc;
	if (!*wish->words)
		return limits_show(&limits, wish->json) ? fault_memory(fault) : 0;
	rc = limits_change(ts, device, &limits, wish->words, fault);
	if (!rc)
		command_done(wish->json);
	return rc;
}

int command_block_qos(const struct command *self, int argc, char **argv)
{
	struct wish wish;
	struct given given;
	int status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind < 2)
		return command_usage(self, "give a DOMAIN, one disk, and KEY=VALUE to limit it");
	wish = (struct wish){argv + optind + 2, given_has(&given, 'j')};
	return block_on_disk(argv + optind, act, &wish, wish.json);
}
