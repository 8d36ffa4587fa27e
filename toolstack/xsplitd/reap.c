#include "toolstack/xsplitd/reap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <xen/sched.h>

#include "lib/log.h"
#include "lib/xs.h"
#include "toolstack/device/model.h"
#include "toolstack/device/qemu.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/dump.h"
#include "toolstack/domain/list.h"
#include "toolstack/domain/migrate.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/rename.h"
#include "toolstack/domain/restart.h"
#include "toolstack/domain/save.h"
#include "toolstack/xen/stream.h"
#include "toolstack/xsplitd/pending.h"
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
		return model_ended(ts, domid) ? REAP_NOW : REAP_NOTHING;
	/* One that was seen to and stayed may be destroyed by xl later. */
	return domain && record_end_is(ts, domain) ? REAP_NOTHING : REAP_NOW;
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

static int restart(const struct reaping *r, struct domain_config *config, unsigned quick)
{
	struct fault fault = {0};
	char was[24];
	int rc = domain_remove_to_restart(r->ts, r->domid, config, quick, &fault);

	if (rc == -ECANCELED) {
		log_info("domain %u (%s): destroyed before it was restarted", r->domid, r->name);
		return 0;
	}
	if (rc) {
		log_error("domain %u (%s): cannot be removed: %s", r->domid, r->name, fault.text);
		return rc;
	}
	snprintf(was, sizeof(was), "domain %u", r->domid);
	return pending_start(r->ts, config, quick, was);
}

static int preserve(const struct reaping *r)
{
	return xs_write_string(r->ts->xs, XBT_NULL, why(r), RECORD_PATH "/end", r->domid);
}

/* The mark and the record of the restart come with the new name, in one step. */
static int rename_restart(const struct reaping *r, struct domain_config *config, unsigned quick)
{
	struct nodes pending = {0};
	struct fault fault = {0};
	char uuid[UUID_STR_LEN], was[24], record[64], *text = domain_config_print(config);
	int rc;

	if (!text)
		return -ENOMEM;
	uuid_unparse_lower(config->uuid, uuid);
	snprintf(record, sizeof(record), RECORD_PATH, r->domid);
	restart_record(&pending, uuid, text, quick);
	nodes_add(&pending, record, "end", "%s", why(r));
	free(text);
	rc = domain_set_aside(r->ts, r->domid, &pending, &fault);
	nodes_free(&pending);
	if (rc) {
		log_error("domain %u (%s): cannot be renamed: %s", r->domid, r->name, fault.text);
		return rc;
	}
	snprintf(was, sizeof(was), "domain %u", r->domid);
	return pending_start(r->ts, config, quick, was);
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
	else if (xen_domain_dump(r->ts->xen, r->domid, path, NULL, NULL, &fault))
		log_error("domain %u (%s): no dump: %s", r->domid, r->name, fault.text);
	else
		log_info("domain %u (%s): its memory is in %s", r->domid, r->name, path);
}

/* One that does not come to it has lost nothing but its memory: it is started anew. */
static int soft_reset(const struct reaping *r, struct domain_config *config, unsigned quick)
{
	struct fault fault = {0};
	int rc = domain_soft_reset(r->ts, r->domid, config, quick, &fault);

	if (!rc) {
		log_info("domain %u (%s): it goes on", r->domid, r->name);
		return 0;
	}
	if (rc == -ECANCELED) {
		log_info("domain %u (%s): destroyed before it went on", r->domid, r->name);
		return 0;
	}
	log_error("domain %u (%s): no soft reset: %s; restarting it", r->domid, r->name,
		  fault.text);
	return restart(r, config, quick);
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
	case VERDICT_SOFT_RESET:
		log_info("domain %u (%s): ended (%s); resetting its interfaces", r->domid, r->name,
			 why(r));
		return soft_reset(r, config, quick);
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

/* Whoever worked on it died. What was made or removed half is removed; what was saved goes on. */
static int take_over(const struct reaping *r)
{
	struct domain_config config;
	struct fault fault = {0};
	int rc;

	if (record_busy_is(r->ts, r->domid, RECORD_RESTART) &&
	    !record_config_read(r->ts, XBT_NULL, r->domid, &config, &fault)) {
		log_info("domain %u (%s): its restart was cut short; going on", r->domid, r->name);
		rc = restart(r, &config, policy_quick(&r->ending));
		domain_config_free(&config);
		return rc;
	}
	if (!r->ending.gone && record_busy_is(r->ts, r->domid, SAVE_BUSY)) {
		log_warn("domain %u (%s): whoever saved it died half way; it goes on", r->domid,
			 r->name);
		rc = save_recover(r->ts, r->domid, &fault);
	} else if (!r->ending.gone && record_busy_is(r->ts, r->domid, DUMP_BUSY)) {
		log_warn("domain %u (%s): whoever dumped it died half way; it goes on", r->domid,
			 r->name);
		rc = dump_recover(r->ts, r->domid, &fault);
	} else if (!r->ending.gone && (record_busy_is(r->ts, r->domid, MIGRATE_BUSY) ||
				       record_busy_is(r->ts, r->domid, RECEIVE_BUSY))) {
		log_warn("domain %u (%s): whoever migrated it died half way", r->domid, r->name);
		rc = migrate_recover(r->ts, r->domid, &fault);
	} else {
		log_warn("domain %u (%s): whoever made or removed it died half way; removing it",
			 r->domid, r->name);
		return destroy(r);
	}
	if (rc)
		log_error("domain %u (%s): %s", r->domid, r->name, fault.text);
	return rc;
}

/* Nobody serves its devices any more: as if its machine had broken down. */
static int model_lost(const struct reaping *r)
{
	char *words = qemu_last_words(r->domid, QEMU_MODEL);
	struct fault fault = {0};
	int rc;

	log_error("domain %u (%s): its device model has ended (%s); it crashes", r->domid, r->name,
		  words ? words : "without a word");
	free(words);
	rc = xen_domain_shutdown(r->ts->xen, r->domid, SHUTDOWN_crash, &fault);
	if (rc)
		log_error("%s", fault.text);
	return rc;
}

int reap_domain(struct toolstack *ts, uint16_t domid)
{
	struct reaping r = {.ts = ts, .domid = domid};
	struct domain_config config;
	struct xen_domain domain;
	struct fault fault = {0};
	pid_t worker;
	int rc = xen_domain_get(ts->xen, domid, &domain, &fault);

	if (rc && rc != -ENOENT) {
		log_error("%s", fault.text);
		return rc;
	}
	if (reap_needed(ts, domid, rc ? NULL : &domain, &worker) != REAP_NOW)
		return 0;
	if (!rc && record_busy_is(ts, domid, RECORD_UNPAUSE)) {
		log_info("domain %u: letting it run, for its maker died before it could", domid);
		return domain_finish(ts, domid, &fault);
	}
	name_read(&r);
	ending_read(&r, rc ? NULL : &domain);
	if (record_worker(ts, domid, &worker) == WORKER_DEAD)
		return take_over(&r);
	if (!rc && !domain.dying && !domain.shutdown)
		return model_lost(&r);
	if (!rc && save_late(ts, domid)) {
		log_warn(
			"domain %u (%s): it suspended itself when nobody waited for it any more; it "
			"goes on",
			domid, r.name);
		rc = save_recover(ts, domid, &fault);
		if (rc)
			log_error("domain %u (%s): %s", domid, r.name, fault.text);
		return rc;
	}
	if (record_config_read(ts, XBT_NULL, domid, &config, &fault)) {
		log_warn("domain %u (%s): %s; removing it", domid, r.name, fault.text);
		return destroy(&r);
	}
	rc = carry_out(&r, &config);
	domain_config_free(&config);
	return rc;
}
