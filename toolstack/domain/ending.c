#include "toolstack/domain/ending.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xen/sched.h>

#include "lib/xs.h"
#include "toolstack/domain/record.h"
#include "toolstack/xen/tune.h"

int ending_ask(struct toolstack *ts, uint16_t domid, const char *how, struct fault *fault)
{
	struct xen_domain domain;
	int rc = xen_domain_get(ts->xen, domid, &domain, fault);

	if (rc == -ENOENT)
		return fault_set(fault, rc, "domain %u does not exist", domid);
	if (rc)
		return rc;
	if (domain.shutdown || domain.dying)
		return fault_set(fault, -EALREADY,
				 "domain %u is shut down already; xsplit destroy %u removes it",
				 domid, domid);
	rc = xs_write_string(ts->xs, XBT_NULL, how, "/local/domain/%u/control/shutdown", domid);
	return rc ? fault_set(fault, rc, "domain %u: cannot write control/shutdown: %s", domid,
			      strerror(-rc))
		  : 0;
}

/* Such a guest shows its drivers by the event channel that Xen calls it back with. */
bool ending_deaf(struct toolstack *ts, uint16_t domid)
{
	char *type = xs_read_string(ts->xs, XBT_NULL, "/libxl/%u/type", domid);
	struct fault ignored = {0};
	bool deaf = type && !strcmp(type, "hvm") && !xen_has_callback(ts->xen, domid, &ignored);

	free(type);
	return deaf;
}

static bool is_preserved(struct toolstack *ts, uint16_t domid, unsigned reason)
{
	static const enum domain_end ends[] = {
		[SHUTDOWN_poweroff] = END_POWEROFF,     [SHUTDOWN_reboot] = END_REBOOT,
		[SHUTDOWN_crash] = END_CRASH,           [SHUTDOWN_watchdog] = END_WATCHDOG,
		[SHUTDOWN_soft_reset] = END_SOFT_RESET,
	};
	struct domain_config config;
	struct fault ignored = {0};
	bool preserved;

	if (reason == SHUTDOWN_suspend || reason > SHUTDOWN_soft_reset ||
	    record_config_read(ts, XBT_NULL, domid, &config, &ignored))
		return true;
	preserved = config.action[ends[reason]] == ACTION_PRESERVE ||
		    config.action[ends[reason]] == ACTION_RENAME_RESTART;
	domain_config_free(&config);
	return preserved;
}

static int too_late(struct toolstack *ts, uint16_t domid, bool ended, unsigned seconds,
		    struct fault *fault)
{
	char *request =
		xs_read_string(ts->xs, XBT_NULL, "/local/domain/%u/control/shutdown", domid);
	bool unread = request && *request;

	free(request);
	if (ended)
		return fault_set(fault, -ETIMEDOUT,
				 "domain %u is shut down but not removed after %u s; is xsplitd "
				 "running? xsplit destroy %u removes it",
				 domid, seconds, domid);
	return fault_set(
		fault, -ETIMEDOUT, "domain %u %s after %u s; xsplit destroy %u ends it at once",
		domid, unread ? "does not react to the request" : "took the request but still runs",
		seconds, domid);
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Both what says that a domain ended and what says that its nodes are gone. */
static struct xs_handle *watch_open(uint16_t domid)
{
	struct xs_handle *xs = xs_open(0);
	char record[64];

	snprintf(record, sizeof(record), RECORD_PATH, domid);
	if (xs && xs_watch(xs, "@releaseDomain", "end") && xs_watch(xs, record, "end"))
		return xs;
	xs_close(xs);
	return NULL;
}

static void watch_wait(struct xs_handle *xs)
{
	struct pollfd polled = {.fd = xs_fileno(xs), .events = POLLIN};
	char **event;

	/* A domain that is gone at last may not be announced again. */
	poll(&polled, 1, 1000);
	while ((event = xs_check_watch(xs)))
		free(event);
}

enum progress { GUEST_RUNS, GUEST_ENDED, GUEST_GONE };

static int progress_get(struct toolstack *ts, uint16_t domid, enum progress *progress,
			unsigned *reason, struct fault *fault)
{
	struct xen_domain domain;
	int rc = xen_domain_get(ts->xen, domid, &domain, fault);

	if (rc && rc != -ENOENT)
		return rc;
	if (rc)
		*progress = xs_exists(ts->xs, XBT_NULL, RECORD_PATH, domid) ? GUEST_ENDED
									    : GUEST_GONE;
	else
		*progress = domain.shutdown ? GUEST_ENDED : GUEST_RUNS;
	*reason = rc ? 0 : domain.shutdown_reason;
	return 0;
}

static void tell(FILE *told, uint16_t domid, const char *what)
{
	if (!told)
		return;
	fprintf(told, "Domain %u has been %s\n", domid, what);
	fflush(told);
}

int ending_wait(struct toolstack *ts, uint16_t domid, unsigned seconds, FILE *told,
		struct fault *fault)
{
	char ended[48];
	time_t deadline = now() + (time_t)seconds;
	struct xs_handle *xs = watch_open(domid);
	enum progress progress = GUEST_RUNS, before = GUEST_RUNS;
	unsigned reason;
	int rc;

	if (!xs) {
		rc = errno ? -errno : -EIO;
		return fault_set(fault, rc, "cannot watch the XenStore: %s", strerror(-rc));
	}
	while (!(rc = progress_get(ts, domid, &progress, &reason, fault))) {
		if (progress == GUEST_ENDED && before == GUEST_RUNS) {
			snprintf(ended, sizeof(ended), "shut down, reason code %u", reason);
			tell(told, domid, ended);
			if (is_preserved(ts, domid, reason))
				break;
		}
		if (progress == GUEST_GONE) {
			tell(told, domid, "destroyed");
			break;
		}
		if (now() >= deadline) {
			rc = too_late(ts, domid, progress == GUEST_ENDED, seconds, fault);
			break;
		}
		before = progress;
		watch_wait(xs);
	}
	xs_close(xs);
	return rc;
}
