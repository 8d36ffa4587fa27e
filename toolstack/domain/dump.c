#include "toolstack/domain/dump.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/domain/helper.h"

struct dumping {
	uint16_t domid;
	const char *path;
};

static int dump_work(struct toolstack *ts, struct helper *helper, void *arg, struct fault *fault)
{
	const struct dumping *d = arg;

	helper_progress("writing its memory", 0, 0, helper);
	return xen_domain_dump(ts->xen, d->domid, d->path, fault);
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
		rc = xen_domain_pause(ts->xen, domid, fault);
	if (rc)
		return rc;
	rc = helper_run(ts, &helper, dump_work, &dumping, fault);
	if (stop && xen_domain_unpause(ts->xen, domid, &late) && !rc) {
		rc = -EIO;
		*fault = late;
	}
	if (rc)
		unlink(path);
	return rc;
}
