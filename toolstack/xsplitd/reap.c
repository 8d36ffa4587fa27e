#include "toolstack/xsplitd/reap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/log.h"
#include "lib/xs.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/list.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/plan.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/rename.h"
#include "toolstack/xsplitd/policy.h"

/* Where xl writes the memory of guests that crashed. */
#define DUMP_DIR "/var/lib/xen/dump"

enum reap_need reap_needed(struct toolstack *ts, uint16_t domid, const struct xen_domain *domain,
			   pid_t *worker)
{
	switch (record_worker(ts, domid, worker)) {
	case WORKER_ALIVE:
		return REAP_LATER;
	case WORKER_DEAD:
		return REAP_NOW;
	case WORKER_NONE:
		break;
	}
	if (domain && !domain->dying && !domain->shutdown)
		return REAP_NOTHING;
	return xs_exists(ts->xs, XBT_NULL, RECORD_PATH "/end", domid) ? REAP_NOTHING : REAP_NOW;
}

/* One domain's end, with what the log calls it. */
struct reaping {
	struct toolstack *ts;
	uint16_t domid;
	char name[DOMAIN_NAME_MAX + 1];
	struct ending ending;
};

static const char *why(const struct reaping *r)
{
	return r->ending.gone ? "gone" : list_reason(r->ending.reason);
}

static int destroy(const struct reaping *r)
{
	struct fault fault = {0};
	int rc = domain_destroy(r->ts, r->domid, &fault);

	if (rc)
		log_error("domain %u (%s): cannot be removed: %s", r->domid, r->name, fault.text);
	return rc;
}

static int start_anew(const struct reaping *r, struct domain_config *config, unsigned quick)
{
	struct create_options options = {.quick = quick};
	struct fault fault = {0};
	uint16_t domid;
	int rc = plan_domain(r->ts, config, &fault);

	if (!rc)
		rc = domain_create(r->ts, config, &options, &domid, &fault);
	if (rc)
		log_error("domain %u (%s): cannot be restarted: %s", r->domid, r->name, fault.text);
	else
		log_info("domain %u (%s): restarted as domain %u", r->domid, r->name, domid);
	return rc;
}

static int restart(const struct reaping *r, struct domain_config *config, unsigned quick)
{
	int rc = destroy(r);

	return rc ? rc : start_anew(r, config, quick);
}

static int preserve(const struct reaping *r)
{
	return xs_write_string(r->ts->xs, XBT_NULL, why(r), RECORD_PATH "/end", r->domid);
}

/* The mark comes first: what follows takes its name, and is not to happen twice. */
static int rename_restart(const struct reaping *r, struct domain_config *config, unsigned quick)
{
	struct fault fault = {0};
	int rc = preserve(r);

	if (!rc)
		rc = domain_set_aside(r->ts, r->domid, &fault);
	if (rc) {
		log_error("domain %u (%s): cannot be renamed: %s", r->domid, r->name,
			  fault.text[0] ? fault.text : strerror(-rc));
		return rc;
	}
	return start_anew(r, config, quick);
}

/* As xl names it: DIR/NAME; what is there from before gives way to the new one. */
static void dump(const struct reaping *r)
{
	struct fault fault = {0};
	char path[sizeof(DUMP_DIR) + DOMAIN_NAME_MAX + 1];

	snprintf(path, sizeof(path), "%s/%s", DUMP_DIR, r->name);
	if (mkdir(DUMP_DIR, 0700) && errno != EEXIST)
		log_error("domain %u (%s): no dump: %s: %s", r->domid, r->name, DUMP_DIR,
			  strerror(errno));
	else if (xen_domain_dump(r->ts->xen, r->domid, path, &fault))
		log_error("domain %u (%s): no dump: %s", r->domid, r->name, fault.text);
	else
		log_info("domain %u (%s): its memory is in %s", r->domid, r->name, path);
}

static int carry_out(const struct reaping *r, struct domain_config *config)
{
	unsigned quick = 0;

	if (policy_dumps(config, &r->ending))
		dump(r);
	switch (policy_decide(config, &r->ending, &quick)) {
	case VERDICT_RESTART:
		log_info("domain %u (%s): ended (%s); restarting it", r->domid, r->name, why(r));
		return restart(r, config, quick);
	case VERDICT_RENAME_RESTART:
		log_info("domain %u (%s): ended (%s); set aside, starting another", r->domid,
			 r->name, why(r));
		return rename_restart(r, config, quick);
	case VERDICT_PRESERVE:
		log_info("domain %u (%s): ended (%s); preserved, xsplit destroy %u removes it",
			 r->domid, r->name, why(r), r->domid);
		return preserve(r);
	case VERDICT_GIVE_UP:
		log_warn("domain %u (%s): ended (%s) %u times, each within %d s of its start; not "
			 "restarted any more",
			 r->domid, r->name, why(r), quick, POLICY_QUICK_SECONDS);
		return destroy(r);
	case VERDICT_DESTROY:
	default:
		log_info("domain %u (%s): ended (%s); removing it", r->domid, r->name, why(r));
		return destroy(r);
	}
}

static void ending_read(struct reaping *r, const struct xen_domain *domain)
{
	uint64_t started = 0, quick = 0;
	time_t now = time(NULL);

	xs_read_number(r->ts->xs, XBT_NULL, INT64_MAX, &started, RECORD_PATH "/started", r->domid);
	xs_read_number(r->ts->xs, XBT_NULL, POLICY_QUICK_MAX, &quick, RECORD_PATH "/quick",
		       r->domid);
	r->ending.quick = (unsigned)quick;
	r->ending.lived = now > (time_t)started ? (uint64_t)now - started : 0;
	r->ending.gone = !domain || domain->dying;
	r->ending.reason = domain ? domain->shutdown_reason : 0;
}

static void name_read(struct reaping *r)
{
	char *name = name_of(r->ts, r->domid);

	strncpy(r->name, name ? name : "without name", sizeof(r->name) - 1);
	free(name);
}

int reap_domain(struct toolstack *ts, uint16_t domid)
{
	struct reaping r = {.ts = ts, .domid = domid};
	struct domain_config config;
	struct xen_domain domain;
	struct fault fault = {0};
	pid_t worker;
	bool half_done;
	int rc = xen_domain_get(ts->xen, domid, &domain, &fault);

	if (rc && rc != -ENOENT) {
		log_error("%s", fault.text);
		return rc;
	}
	if (reap_needed(ts, domid, rc ? NULL : &domain, &worker) != REAP_NOW)
		return 0;
	name_read(&r);
	ending_read(&r, rc ? NULL : &domain);
	half_done = record_worker(ts, domid, &worker) == WORKER_DEAD;
	if (half_done || record_config_read(ts, XBT_NULL, domid, &config, &fault)) {
		log_warn("domain %u (%s): %s; removing it", domid, r.name,
			 half_done ? "whoever made or removed it died half way" : fault.text);
		return destroy(&r);
	}
	rc = carry_out(&r, &config);
	domain_config_free(&config);
	return rc;
}
