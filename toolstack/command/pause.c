#include <errno.h>

#include "toolstack/command/command.h"

static int guest_only(uint16_t domid, struct fault *fault)
{
	return domid == BACKEND_DOMID
		       ? fault_set(fault, -EPERM, "domain 0 is this host; it always runs")
		       : 0;
}

static int domain_pause(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	int rc = guest_only(domid, fault);

	return rc ? rc : xen_domain_pause(ts->xen, domid, fault);
}

static int domain_unpause(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	int rc = guest_only(domid, fault);

	return rc ? rc : xen_domain_unpause(ts->xen, domid, fault);
}

int command_pause(const struct command *self, int argc, char **argv)
{
	return command_on_domain(self, argc, argv, domain_pause);
}

int command_unpause(const struct command *self, int argc, char **argv)
{
	return command_on_domain(self, argc, argv, domain_unpause);
}
