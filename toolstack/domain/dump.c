#include "toolstack/domain/dump.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/xs.h"
#include "toolstack/domain/helper.h"
#include "toolstack/domain/record.h"
#include "toolstack/xen/stream.h"

struct dumping {
	uint16_t domid;
	const char *path;
};

static int dump_work(struct toolstack *ts, struct helper *helper, void *arg, struct fault *fault)
{
	const struct dumping *d = arg;

	return xen_domain_dump(ts->xen, d->domid, d->path, helper_progress, helper, fault);
}

/* Another's domain has no record. */
static bool recorded(struct toolstack *ts, uint16_t domid)
{
	return xs_exists(ts->xs, XBT_NULL, RECORD_PATH, domid);
}

/* It is on record first, so that the guest doesn't stand still for ever when we are killed. */
static int guest_stop(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	int rc = recorded(ts, domid) ? record_take(ts, domid, DUMP_BUSY, fault) : 0;

	if (rc)
		return rc;
	rc = xen_domain_pause(ts->xen, domid, fault);
	if (rc && recorded(ts, domid))
		record_idle(ts, domid);
	return rc;
}

int dump_recover(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	struct xen_domain domain;
	int rc = xen_domain_get(ts->xen, domid, &domain, fault);

	if (!rc && domain.paused)
		rc = xen_domain_unpause(ts->xen, domid, fault);
	if (!rc && recorded(ts, domid))
		rc = record_idle(ts, domid);
	return rc;
}

int dump_file(struct toolstack *ts, uint16_t domid, const char *path, struct fault *fault)
{
	struct helper helper = {.what = "Dumping"};
	struct dumping dumping = {domid, path};
	struct fault late = {0};
	struct xen_domain domain;
	int rc = xen_domain_get(ts->xen, domid, &domain, fault);
	bool stop;

	if (rc)
		return rc == -ENOENT ? fault_set(fault, rc, "domain %u does not exist", domid) : rc;
	if (!access(path, F_OK))
		return fault_set(fault, -EEXIST, "%s exists already; choose another name", path);
	stop = !domain.paused && !domain.shutdown;
	if (stop)
		rc = guest_stop(ts, domid, fault);
	if (rc)
		return rc;
	rc = helper_run(ts, &helper, dump_work, &dumping, fault);
	if (stop && dump_recover(ts, domid, &late) && !rc) {
		rc = -EIO;
		*fault = late;
	}
	if (rc)
		unlink(path);
	return rc;
}
