/* block-inject: the faults that a disk is to have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/command/block.h"
#include "toolstack/device/settings.h"
#include "toolstack/json.h"

struct wish {
	char **rules; /* ended by NULL */
	bool clear, json;
};

static int rules_show(struct toolstack *ts, const struct device *device, bool json,
		      struct fault *fault)
{
	char back[XS_PATH_SIZE], *text, *rest, *rule;
	yajl_gen out = json ? json_open() : NULL;

	if (json && !out)
		return fault_memory(fault);
	device_back(device, back);
	text = rest = xs_read_string(ts->xs, XBT_NULL, "%s/inject", back);
	if (out)
		yajl_gen_array_open(out);
	while ((rule = strsep(&rest, " "))) {
		if (out && *rule)
			json_text(out, rule);
		else if (*rule)
			puts(rule);
	}
	free(text);
	if (out) {
		yajl_gen_array_close(out);
		json_close(out);
	}
	return 0;
}

/* With spaces between them, for free(3); NULL without memory. */
static char *rules_join(char **rules)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (char **rule = rules; *rule; rule++)
		fprintf(out, "%s%s", rule == rules ? "" : " ", *rule);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

static int act(struct toolstack *ts, const struct device *device, const void *arg,
	       struct fault *fault)
{
	const struct wish *wish = arg;
	char *text = NULL;
	int rc;

	if (!*wish->rules && !wish->clear)
		return rules_show(ts, device, wish->json, fault);
	if (!wish->clear) {
		text = rules_join(wish->rules);
		if (!text)
			return fault_memory(fault);
	}
	rc = device_settings(ts, device, (const struct device_node[]){{"inject", text}, {0}},
			     fault);
	free(text);
	if (!rc)
		command_done(wish->json);
	return rc;
}

int command_block_inject(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {{"clear", no_argument, NULL, 'c'}, {0}};
	struct wish wish;
	struct given given;
	int status = command_options(self, argc, argv, options, &given);

	if (status >= 0)
		return status;
	if (argc - optind < 2)
		return command_usage(self, "give a DOMAIN, one disk, and RULEs");
	wish = (struct wish){argv + optind + 2, given_has(&given, 'c'), given_has(&given, 'j')};
	if (wish.clear && *wish.rules)
		return command_usage(self, "give RULEs or --clear, not both");
	return block_on_disk(argv + optind, act, &wish, wish.json);
}
