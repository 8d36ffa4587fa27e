#include <errno.h>

#include "toolstack/command/command.h"
#include "toolstack/domain/dump.h"
#include "toolstack/domain/name.h"

static int dump(struct toolstack *ts, const char *word, const char *path, struct fault *fault)
{
	uint16_t domid;
	int rc = name_find(ts, word, &domid, fault);

	if (!rc && domid == BACKEND_DOMID)
		rc = fault_set(fault, -EPERM, "domain 0 is this host; it cannot stand still");
	if (!rc)
		rc = command_hold(ts, fault);
	if (rc)
		return rc;
	rc = dump_file(ts, domid, path, fault);
	interrupt_release(&ts->interrupt);
	return rc;
}

int command_dump_core(const struct command *self, int argc, char **argv)
{
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	int rc, status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 2)
		return command_usage(self, "give a DOMAIN and a FILE");
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = dump(&ts, argv[optind], argv[optind + 1], &fault);
		toolstack_close(&ts);
	}
	return command_end(rc, &fault, given_has(&given, 'j'));
}
