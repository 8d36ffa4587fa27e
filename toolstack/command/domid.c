#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "toolstack/command/command.h"
#include "toolstack/domain/name.h"

static int domid_print(struct toolstack *ts, const char *word, struct fault *fault)
{
	uint16_t domid;
	int rc = name_find(ts, word, &domid, fault);

	if (!rc)
		printf("%u\n", domid);
	return rc;
}

static int domname_print(struct toolstack *ts, const char *word, struct fault *fault)
{
	uint16_t domid;
	char *name;
	int rc = name_find(ts, word, &domid, fault);

	if (rc)
		return rc;
	name = name_of(ts, domid);
	if (!name)
		return fault_set(fault, -ENOENT, "domain %u has no name", domid);
	puts(name);
	free(name);
	return 0;
}

static int apply(const struct command *self, int argc, char **argv,
		 int (*print)(struct toolstack *ts, const char *word, struct fault *fault))
{
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	int rc, status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 1)
		return command_usage(self, "give one %s", self->words);
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = print(&ts, argv[optind], &fault);
		toolstack_close(&ts);
	}
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}

int command_domid(const struct command *self, int argc, char **argv)
{
	return apply(self, argc, argv, domid_print);
}

int command_domname(const struct command *self, int argc, char **argv)
{
	return apply(self, argc, argv, domname_print);
}
