#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "toolstack/command/command.h"
#include "toolstack/domain/name.h"
#include "toolstack/json.h"

/* What is printed of a domain: its number, or its name; both as JSON. */
typedef void domain_show(uint16_t domid, const char *name);

static void domid_show(uint16_t domid, const char *name)
{
	printf("%u\n", domid);
}

static void domname_show(uint16_t domid, const char *name)
{
	puts(name);
}

static void both_show(uint16_t domid, const char *name)
{
	yajl_gen out = json_open();

	if (!out)
		return;
	yajl_gen_map_open(out);
	json_number(out, "domid", domid);
	json_string(out, "name", name);
	yajl_gen_map_close(out);
	json_close(out);
}

static int find(struct toolstack *ts, const char *word, domain_show *show, struct fault *fault)
{
	uint16_t domid;
	char *name;
	int rc = name_find(ts, word, &domid, fault);

	if (rc)
		return rc;
	name = name_of(ts, domid);
	if (!name && show != domid_show)
		return fault_set(fault, -ENOENT, "domain %u has no name", domid);
	show(domid, name);
	free(name);
	return 0;
}

static int apply(const struct command *self, int argc, char **argv, const char *word,
		 domain_show *show)
{
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	int rc, status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 1)
		return command_usage(self, "give one %s", word);
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = find(&ts, argv[optind], given_has(&given, 'j') ? both_show : show, &fault);
		toolstack_close(&ts);
	}
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}

int command_domid(const struct command *self, int argc, char **argv)
{
	return apply(self, argc, argv, "NAME", domid_show);
}

int command_domname(const struct command *self, int argc, char **argv)
{
	return apply(self, argc, argv, "DOMID", domname_show);
}
