#include <errno.h>

#include "toolstack/command/command.h"
#include "toolstack/domain/name.h"

static int apply(const struct command *self, int argc, char **argv,
		 int (*what)(struct xen *xen, uint16_t domid, struct fault *fault))
{
	struct toolstack ts;
	struct fault fault = {0};
	struct given given;
	uint16_t domid;
	int rc, status = command_options(self, argc, argv, NULL, &given);

	if (status >= 0)
		return status;
	if (argc - optind != 1)
		return command_usage(self, "give one DOMAIN");
	rc = toolstack_open(&ts, &fault);
	if (!rc) {
		rc = name_find(&ts, argv[optind], &domid, &fault);
		if (!rc && domid == BACKEND_DOMID)
			rc = fault_set(&fault, -EPERM, "domain 0 is this host; it always runs");
		if (!rc)
			rc = what(ts.xen, domid, &fault);
		toolstack_close(&ts);
	}
	return rc ? command_failed(&fault, given_has(&given, 'j')) : EXIT_DONE;
}

int command_pause(const struct command *self, int argc, char **argv)
{
	return apply(self, argc, argv, xen_domain_pause);
}

int command_unpause(const struct command *self, int argc, char **argv)
{
	return apply(self, argc, argv, xen_domain_unpause);
}
