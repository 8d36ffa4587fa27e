#include <errno.h>

#include "toolstack/command/command.h"
#include "toolstack/domain/record.h"

static int guest_only(uint16_t domid, struct fault *fault)
{
	return domid == BACKEND_DOMID
		       ? fault_set(fault, -EPERM, "domain 0 is this host; it always runs")
		       : 0;
}

static int domain_pause(struct domain_call *call)
{
	int rc = guest_only(call->domid, call->fault);

	return rc ? rc : xen_domain_pause(call->ts->xen, call->domid, call->fault);
}

/* One that is being made, received or dumped stands still for a reason. */
static int domain_unpause(struct domain_call *call)
{
	int rc = guest_only(call->domid, call->fault);

	if (!rc)
		rc = record_free(call->ts, XBT_NULL, call->domid, call->fault);
	return rc ? rc : xen_domain_unpause(call->ts->xen, call->domid, call->fault);
}

int command_pause(const struct command *self, int argc, char **argv)
{
	return command_about(self, argc, argv, NULL, 0, 0, domain_pause);
}

int command_unpause(const struct command *self, int argc, char **argv)
{
	return command_about(self, argc, argv, NULL, 0, 0, domain_unpause);
}
