/* Domains that Xen has, and what is recorded of domains that are to be. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/xs.h"
#include "toolstack/doctor/doctor.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/record.h"
#include "toolstack/nodes.h"
#include "toolstack/program.h"

extern char **environ;

/* Tenths of a second. */
#define GONE_LOOKS 50

/* What xsplitd does of itself when it runs: one of its own processes does it. */
static int xsplitd_run(const char *option, const char *id, struct fault *fault)
{
	const char *const argv[] = {"xsplitd", option, id, NULL};
	char *path = NULL;
	int status = 0, rc = program_find("xsplitd", &path);
	pid_t pid;

	if (!rc)
		rc = -posix_spawn(&pid, path, NULL, NULL, (char *const *)argv, environ);
	free(path);
	if (rc)
		return fault_set(fault, rc, "xsplitd %s %s: %s", option, id, strerror(-rc));
	waitpid(pid, &status, 0);
	return status ? fault_set(fault, -EIO, "xsplitd %s %s failed", option, id) : 0;
}

static int domain_see_to(struct doctor *d, const struct finding *f, struct fault *fault)
{
	return xsplitd_run("--domain", f->object, fault);
}

static int restart_see_to(struct doctor *d, const struct finding *f, struct fault *fault)
{
	return xsplitd_run("--restart", f->object, fault);
}

static int creating_see_to(struct doctor *d, const struct finding *f, struct fault *fault)
{
	return xsplitd_run("--creating", f->object, fault);
}

/* Some time, for Xen frees a large guest's memory step by step. */
static bool is_gone(struct doctor *d, uint16_t domid)
{
	static const struct timespec apart = {.tv_nsec = 100000000};
	struct xen_domain domain;
	struct fault ignored = {0};

	for (int looks = 0; looks < GONE_LOOKS; looks++) {
		if (xen_domain_get(d->ts->xen, domid, &domain, &ignored) == -ENOENT)
			return true;
		nanosleep(&apart, NULL);
	}
	return false;
}

static int domain_end(struct doctor *d, const struct finding *f, struct fault *fault)
{
	uint16_t domid = (uint16_t)f->domid;
	int rc = domain_destroy(d->ts, domid, fault);

	if (!rc && !is_gone(d, domid))
		rc = fault_set(
			fault, -EBUSY,
			"domain %u is destroyed, but Xen keeps it while somebody maps its "
			"memory; xl debug-keys q, then xl dmesg shows the pages; end who has "
			"them (xenconsoled, a backend)",
			domid);
	return rc;
}

static bool is_known(struct toolstack *ts, uint16_t domid)
{
	return xs_exists(ts->xs, XBT_NULL, "/local/domain/%u/name", domid) ||
	       xs_exists(ts->xs, XBT_NULL, "/libxl/%u", domid) ||
	       xs_exists(ts->xs, XBT_NULL, RECORD_PATH, domid);
}

/* Its creation may be announced: then it is found by that. */
static bool is_announced(struct toolstack *ts, const uuid_t uuid)
{
	char text[UUID_STR_LEN];

	uuid_unparse_lower(uuid, text);
	return xs_exists(ts->xs, XBT_NULL, RECORD_CREATING, text);
}

static void domain_check(struct doctor *d, const struct xen_domain *domain)
{
	struct toolstack *ts = d->ts;
	char id[8];
	pid_t pid;

	snprintf(id, sizeof(id), "%u", domain->domid);
	switch (record_worker(ts, domain->domid, &pid)) {
	case WORKER_ALIVE:
		return;
	case WORKER_DEAD:
		doctor_add(d, domain->domid, domain_see_to, id,
			   "domain %s: whoever made or removed it died half way", id);
		return;
	case WORKER_NONE:
		break;
	}
	if (domain->dying && !is_known(ts, domain->domid))
		doctor_add(d, domain->domid, domain_end, id,
			   "domain %s is destroyed, but somebody still maps its memory", id);
	else if (!is_known(ts, domain->domid) && !is_announced(ts, domain->uuid))
		doctor_add(d, domain->domid, domain_end, id, "domain %s: no toolstack knows it",
			   id);
	else if ((domain->shutdown || domain->dying) &&
		 xs_exists(ts->xs, XBT_NULL, RECORD_PATH "/config", domain->domid) &&
		 !record_end_is(ts, domain))
		doctor_add(d, domain->domid, domain_see_to, id,
			   "domain %s: it has ended and nobody saw to it; is xsplitd running?", id);
}

static void recorded_check(struct doctor *d, const char *dir, const char *worker,
			   int (*repair)(struct doctor *, const struct finding *, struct fault *),
			   const char *words)
{
	unsigned count;
	char **ids = nodes_list(d->ts->xs, XBT_NULL, &count, "/tool/xsplit/%s", dir);
	pid_t pid;

	for (unsigned i = 0; i < count; i++) {
		char path[XS_PATH_SIZE];

		snprintf(path, sizeof(path), "/tool/xsplit/%s/%s%s", dir, ids[i], worker);
		if (record_worker_at(d->ts, path, &pid) != WORKER_ALIVE)
			doctor_add(d, -1, repair, ids[i], words, ids[i]);
	}
	free(ids);
}

int doctor_domains(struct doctor *d, struct fault *fault)
{
	for (size_t i = 0; i < d->lives; i++)
		if (d->live[i].domid != BACKEND_DOMID)
			domain_check(d, &d->live[i]);
	recorded_check(d, "creating", "", creating_see_to,
		       "domain %s: whoever was about to make it died");
	recorded_check(d, "restart", "/busy", restart_see_to,
		       "domain %s: its restart was cut short; is xsplitd running?");
	return 0;
}
