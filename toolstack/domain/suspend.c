#include "toolstack/domain/suspend.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

#include "lib/clock.h"
#include "lib/xs.h"
#include "toolstack/device/model.h"
#include "toolstack/domain/record.h"
#include "toolstack/xen/stream.h"

/* What is still waited for: -EINPROGRESS, or how it came out. */
static int suspended_get(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	struct xen_domain domain;
	int rc = xen_domain_get(ts->xen, domid, &domain, fault);

	if (rc == -ENOENT)
		return fault_set(fault, -ESRCH, "domain %u: it ended", domid);
	if (rc)
		return rc;
	if (!domain.shutdown)
		return -EINPROGRESS;
	return domain.shutdown_reason == SHUTDOWN_suspend
		       ? 0
		       : fault_set(fault, -ESRCH, "domain %u: it shut down instead of suspending",
				   domid);
}

/* A guest that hears the request clears it. */
static int heard_get(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	char *request =
		xs_read_string(ts->xs, XBT_NULL, "/local/domain/%u/control/shutdown", domid);
	bool heard = !request || strcmp(request, "suspend") != 0;
	int rc = suspended_get(ts, domid, fault);

	free(request);
	return rc == -EINPROGRESS && heard ? 0 : rc;
}

static int wait_until(struct toolstack *ts, struct xs_handle *watch, uint16_t domid,
		      int (*get)(struct toolstack *ts, uint16_t domid, struct fault *fault),
		      struct fault *fault)
{
	int64_t deadline = clock_ms() + SUSPEND_SECONDS * 1000;
	int rc;

	while ((rc = get(ts, domid, fault)) == -EINPROGRESS && clock_ms() < deadline) {
		struct pollfd polled = {.fd = xs_fileno(watch), .events = POLLIN};
		char **event;

		poll(&polled, 1, 500);
		while ((event = xs_check_watch(watch)))
			free(event);
	}
	return rc == -EINPROGRESS ? -ETIMEDOUT : rc;
}

struct withdrawal {
	uint16_t domid;
	bool heard; /* at the last moment */
};

static int withdrawal_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct withdrawal *w = arg;
	char *request = xs_read_string(xs, t, "/local/domain/%u/control/shutdown", w->domid);
	int rc = 0;

	w->heard = !request || strcmp(request, "suspend") != 0;
	if (!w->heard)
		rc = xs_write_string(xs, t, "", "/local/domain/%u/control/shutdown", w->domid);
	free(request);
	return rc;
}

static int ask(struct toolstack *ts, struct xs_handle *watch, uint16_t domid, struct fault *fault)
{
	struct withdrawal withdrawal = {.domid = domid};
	int rc = xs_write_string(ts->xs, XBT_NULL, "suspend", "/local/domain/%u/control/shutdown",
				 domid);

	if (rc)
		return fault_set(fault, rc, "domain %u: cannot write control/shutdown: %s", domid,
				 strerror(-rc));
	rc = wait_until(ts, watch, domid, heard_get, fault);
	if (rc != -ETIMEDOUT)
		return rc;
	rc = xs_transact(ts->xs, withdrawal_write, &withdrawal);
	if (!rc && withdrawal.heard)
		return 0;
	return fault_set(fault, -ETIMEDOUT,
			 "domain %u: it does not hear the request to suspend in %d s; has its "
			 "kernel Xen's drivers?",
			 domid, SUSPEND_SECONDS);
}

int suspend_guest(struct toolstack *ts, uint16_t domid, enum domain_type type, struct fault *fault)
{
	struct xs_handle *watch = xs_open(0);
	bool asks = true;
	int rc = 0;

	if (!watch || !xs_watch(watch, "@releaseDomain", "suspend")) {
		rc = errno ? -errno : -EIO;
		fault_set(fault, rc, "cannot watch the XenStore: %s", strerror(-rc));
		goto out;
	}
	if (type == DOMAIN_HVM)
		rc = xen_domain_paravirtual(ts->xen, domid, &asks, fault);
	if (rc)
		goto out;
	rc = asks ? ask(ts, watch, domid, fault)
		  : xen_domain_shutdown(ts->xen, domid, SHUTDOWN_suspend, fault);
	if (rc)
		goto out;
	rc = wait_until(ts, watch, domid, suspended_get, fault);
	if (rc == -ETIMEDOUT)
		rc = fault_set(fault, -ETIME, "domain %u: it has not suspended itself in %d s",
			       domid, SUSPEND_SECONDS);
out:
	xs_close(watch);
	return rc;
}

bool suspend_is(struct toolstack *ts, uint16_t domid)
{
	struct xen_domain domain;
	struct fault ignored = {0};

	return !xen_domain_get(ts->xen, domid, &domain, &ignored) && domain.shutdown &&
	       domain.shutdown_reason == SHUTDOWN_suspend;
}

static int resume(struct toolstack *ts, uint16_t domid, bool cancelled, struct fault *fault)
{
	/* One that shut down in another way has a device model that cannot go on. */
	bool suspended = suspend_is(ts, domid);
	int rc = 0;

	if (suspended && model_has(ts, domid))
		rc = model_continue(domid, fault);
	if (!rc && suspended)
		rc = xen_domain_resume(ts->xen, domid, cancelled, fault);
	/* What xsplitd did about this end is no answer to the next. */
	if (!rc)
		xs_remove(ts->xs, XBT_NULL, RECORD_PATH "/end", domid);
	/* The store announces a domain's shutdown once; this one may shut down again. */
	if (!rc && !xs_resume_domain(ts->xs, domid)) {
		rc = -errno;
		fault_set(fault, rc, "domain %u: the XenStore does not resume it: %s", domid,
			  strerror(-rc));
	}
	return rc;
}

int suspend_resume(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	xen_logdirty_off(ts->xen, domid);
	return resume(ts, domid, true, fault);
}

int suspend_resume_anew(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	xen_logdirty_off(ts->xen, domid);
	return resume(ts, domid, false, fault);
}

void suspend_withdraw(struct toolstack *ts, uint16_t domid)
{
	struct withdrawal withdrawal = {.domid = domid};
	struct xs_handle *watch = xs_open(0);
	struct fault ignored = {0};

	if (watch && xs_watch(watch, "@releaseDomain", "suspend") &&
	    !xs_transact(ts->xs, withdrawal_write, &withdrawal) && withdrawal.heard)
		wait_until(ts, watch, domid, suspended_get, &ignored);
	xs_close(watch);
}
