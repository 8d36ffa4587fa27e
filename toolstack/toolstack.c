#include "toolstack/toolstack.h"

#include <errno.h>
#include <string.h>

int toolstack_open(struct toolstack *ts, struct fault *fault)
{
	int rc;

	*ts = (struct toolstack){.interrupt = INTERRUPT_NONE};
	rc = xen_open(&ts->xen, fault);
	if (rc)
		return rc;
	ts->xs = xs_open(0);
	if (!ts->xs) {
		rc = errno ? -errno : -ECONNREFUSED;
		fault_set(fault, rc,
			  "no XenStore: %s; start xsplit-xenstored, or run this inside "
			  "xsplit-embedded",
			  strerror(-rc));
		xen_close(ts->xen);
	}
	return rc;
}

void toolstack_close(struct toolstack *ts)
{
	xs_close(ts->xs);
	xen_close(ts->xen);
	*ts = (struct toolstack){.interrupt = INTERRUPT_NONE};
}
