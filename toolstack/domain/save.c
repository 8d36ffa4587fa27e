#include "toolstack/domain/save.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/xs.h"
#include "toolstack/device/model.h"
#include "toolstack/domain/adopt.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/helper.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/saved.h"
#include "toolstack/domain/suspend.h"
#include "toolstack/xen/stream.h"

/* The same for xsplitd, when nobody is left who knows. */
#define ASKED_NODE RECORD_PATH "/suspending"

/* For so long a guest that was given up may come with it: xl may have asked it to since. */
#define LATE_SECONDS 600

/* How far a helper was that was ended. STAGE_LATE: the guest was asked, and may do it yet. */
enum { STAGE_RUNS, STAGE_ASKED, STAGE_LATE, STAGE_SUSPENDED };

/* What the guest has now, balloon and all, it shall have again. */
static void memory_take(struct toolstack *ts, uint16_t domid, struct domain_config *config)
{
	uint64_t target = 0, video = 0;

	xs_read_number(ts->xs, XBT_NULL, config->maxmem_kib, &target,
		       "/local/domain/%u/memory/target", domid);
	xs_read_number(ts->xs, XBT_NULL, config->maxmem_kib, &video,
		       "/local/domain/%u/memory/videoram", domid);
	if (target && target + video <= config->maxmem_kib)
		config->memory_kib = (target + video + 1023) & ~1023ull;
	if (config->memory_kib > config->maxmem_kib)
		config->memory_kib = config->maxmem_kib;
}

static int config_check(const struct domain_config *config, uint16_t domid, struct fault *fault)
{
	if (config->type == DOMAIN_PROCESS)
		return fault_set(fault, -ENOTSUP,
				 "domain %u: a process guest cannot be saved or migrated; shut it "
				 "down and create it again",
				 domid);
	if (config_flag(config, OPTION_NOMIGRATE, false))
		return fault_set(fault, -ENOTSUP,
				 "domain %u: its config says nomigrate=1; it is neither saved nor "
				 "migrated",
				 domid);
	return 0;
}

static int state_check(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	struct xen_domain domain;
	int rc = xen_domain_get(ts->xen, domid, &domain, fault);

	if (rc)
		return rc == -ENOENT ? fault_set(fault, rc, "domain %u does not exist", domid) : rc;
	if (domain.shutdown || domain.dying)
		return fault_set(fault, -EINVAL, "domain %u is shut down; there is nothing to save",
				 domid);
	if (domain.paused)
		return fault_set(fault, -EINVAL,
				 "domain %u is paused and cannot suspend itself; xsplit unpause %u "
				 "first",
				 domid, domid);
	return 0;
}

static int config_take(struct toolstack *ts, uint16_t domid, struct domain_config *config,
		       struct fault *fault)
{
	int rc = domain_adopt(ts, domid);

	if (rc < 0)
		return fault_set(fault, rc, "domain %u: cannot keep which devices it has: %s",
				 domid, strerror(-rc));
	rc = record_config_read(ts, XBT_NULL, domid, config, fault);
	if (rc)
		return rc;
	rc = config_check(config, domid, fault);
	if (rc)
		domain_config_free(config);
	else
		memory_take(ts, domid, config);
	return rc;
}

int save_begin(struct toolstack *ts, uint16_t domid, const char *what, struct domain_config *config,
	       struct fault *fault)
{
	int rc = state_check(ts, domid, fault);

	/* Another toolstack's domain has no record, and gets none. */
	if (!rc && xs_exists(ts->xs, XBT_NULL, RECORD_PATH, domid))
		rc = record_take(ts, domid, what, fault);
	if (rc)
		return rc;
	rc = config_take(ts, domid, config, fault);
	if (rc)
		record_idle(ts, domid);
	return rc;
}

/* In the helper. */
struct saving {
	struct toolstack *ts;
	struct helper *helper;
	uint16_t domid;
	const struct domain_config *config;
	int fd;
	bool live;
	int state_fd; /* of the device model, when it has one and is stopped */
	struct fault *fault;
};

static int suspend_for_save(void *arg)
{
	struct saving *s = arg;
	int rc;

	helper_stage(s->helper, STAGE_ASKED);
	helper_result(s->helper, 0, (uint64_t)clock_ms());
	xs_write_number(s->ts->xs, XBT_NULL, (uint64_t)clock_ms() / 1000, ASKED_NODE, s->domid);
	rc = suspend_guest(s->ts, s->domid, s->config->type, s->fault);
	/* When it did not, the request is taken back already, or it comes late. */
	helper_stage(s->helper, !rc ? STAGE_SUSPENDED : rc == -ETIME ? STAGE_LATE : STAGE_RUNS);
	if (rc != -ETIME)
		xs_remove(s->ts->xs, XBT_NULL, ASKED_NODE, s->domid);
	if (rc)
		return rc;
	return s->config->type == DOMAIN_HVM ? model_save(s->domid, &s->state_fd, s->fault) : 0;
}

static int logdirty_for_save(bool on, void *arg)
{
	struct saving *s = arg;

	return s->config->type == DOMAIN_HVM ? model_logdirty(s->domid, on, s->fault) : 0;
}

static void progress_of_save(const char *doing, unsigned long done, unsigned long total, void *arg)
{
	struct saving *s = arg;

	helper_progress(doing, done, total, s->helper);
}

static int tail_write(const struct saving *s)
{
	struct stat stat = {0};

	if (s->state_fd >= 0 && fstat(s->state_fd, &stat))
		return -errno;
	return saved_tail_write(s->fd, s->state_fd, (uint64_t)stat.st_size);
}

static int save_work(struct toolstack *ts, struct helper *helper, void *arg, struct fault *fault)
{
	struct saving *s = arg;
	const struct xen_save_calls calls = {.suspend = suspend_for_save,
					     .logdirty = logdirty_for_save,
					     .progress = progress_of_save,
					     .arg = s};
	int rc;

	s->ts = ts;
	s->helper = helper;
	s->fault = fault;
	s->state_fd = -1;
	/* A reader that went away is an error to report, not a death. */
	signal(SIGPIPE, SIG_IGN);
	rc = xen_domain_save(ts->xen, s->domid, s->fd, s->live, &calls, fault);
	if (!rc)
		rc = tail_write(s);
	if (rc && !fault->text[0])
		fault_set(fault, rc, "domain %u: cannot write it out: %s", s->domid, strerror(-rc));
	return rc;
}

/* The guest may be about to suspend for a helper that is no more. */
static void go_on(struct toolstack *ts, uint16_t domid, const struct helper *helper)
{
	struct fault late = {0};

	if (helper->stage == STAGE_ASKED && !suspend_is(ts, domid))
		suspend_withdraw(ts, domid);
	/* Of one that comes late xsplitd has to know. */
	if (helper->stage != STAGE_LATE || suspend_is(ts, domid))
		xs_remove(ts->xs, XBT_NULL, ASKED_NODE, domid);
	if (suspend_resume(ts, domid, &late))
		fprintf(stderr, "xsplit: %s\n", late.text);
}

int save_stream(struct toolstack *ts, uint16_t domid, const struct domain_config *config, int fd,
		bool live, int64_t *stopped, struct fault *fault)
{
	struct helper helper = {.what = live ? "Migrating" : "Saving"};
	struct saving saving = {.domid = domid, .config = config, .fd = fd, .live = live};
	int rc = helper_run(ts, &helper, save_work, &saving, fault);

	if (rc)
		go_on(ts, domid, &helper);
	else if (stopped)
		*stopped = (int64_t)helper.result[0];
	return rc;
}

static int head_write(int fd, const struct save_as *as, const struct domain_config *config,
		      uint16_t domid, struct fault *fault)
{
	char *text;
	int rc = save_head(as, domid, config, &text, fault);

	if (rc)
		return rc;
	rc = saved_head_write(fd, text);
	free(text);
	return rc ? fault_set(fault, rc, "domain %u: cannot write it out: %s", domid, strerror(-rc))
		  : 0;
}

/* A file under another name until it is whole; what is no file is written as it is. */
struct target {
	const char *path;
	char part[PATH_MAX];
	bool renamed;
	int fd;
};

static int target_open(struct target *target, const char *path, struct fault *fault)
{
	struct stat stat_of;
	int rc;

	target->path = path;
	target->renamed = stat(path, &stat_of) || S_ISREG(stat_of.st_mode);
	if (snprintf(target->part, sizeof(target->part), "%s%s", path,
		     target->renamed ? ".part" : "") >= (int)sizeof(target->part))
		return fault_set(fault, -ENAMETOOLONG, "%s: %s", path, strerror(ENAMETOOLONG));
	target->fd = open(target->part,
			  O_WRONLY | O_CLOEXEC | (target->renamed ? O_CREAT | O_TRUNC : 0), 0600);
	if (target->fd >= 0)
		return 0;
	rc = -errno;
	return fault_set(fault, rc, "%s: cannot write it: %s", target->part, strerror(-rc));
}

/* Pipes and some network file systems have nothing to write out. */
static int file_sync(int fd)
{
	return fsync(fd) && errno != EINVAL && errno != EROFS ? -errno : 0;
}

static int directory_sync(const char *path)
{
	char *copy = strdup(path);
	int fd, rc;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? -errno : file_sync(fd);
	if (fd >= 0)
		close(fd);
	free(copy);
	return rc;
}

static int target_finish(struct target *target, struct fault *fault)
{
	int rc = file_sync(target->fd);

	if (!rc && target->renamed)
		rc = rename(target->part, target->path) ? -errno : 0;
	if (!rc && target->renamed) {
		target->renamed = false;
		rc = directory_sync(target->path);
		/* The guest goes on: a file of how it was would only be taken for good. */
		if (rc)
			unlink(target->path);
	}
	return rc ? fault_set(fault, rc, "%s: cannot write it: %s", target->path, strerror(-rc))
		  : 0;
}

static void target_close(struct target *target, int rc)
{
	close(target->fd);
	if (rc && target->renamed)
		unlink(target->part);
}

static int afterwards(struct toolstack *ts, uint16_t domid, enum save_then then,
		      struct fault *fault)
{
	int rc = 0;

	if (then == SAVE_DESTROY)
		return domain_destroy(ts, domid, fault);
	if (then == SAVE_PAUSE)
		rc = xen_domain_pause(ts->xen, domid, fault);
	return rc ? rc : suspend_resume(ts, domid, fault);
}

int save_file(struct toolstack *ts, uint16_t domid, const char *path, const struct save_as *as,
	      enum save_then then, struct fault *fault)
{
	struct target target = {.fd = -1};
	struct domain_config config;
	struct fault ignored = {0};
	int rc = save_begin(ts, domid, SAVE_BUSY, &config, fault);

	if (rc)
		return rc;
	rc = target_open(&target, path, fault);
	if (rc)
		goto out;
	rc = head_write(target.fd, as, &config, domid, fault);
	if (!rc)
		rc = save_stream(ts, domid, &config, target.fd, false, NULL, fault);
	if (!rc) {
		rc = target_finish(&target, fault);
		if (rc)
			suspend_resume(ts, domid, &ignored);
	}
	target_close(&target, rc);
	if (!rc)
		rc = afterwards(ts, domid, then, fault);
out:
	/* A domain that was destroyed has no record left. */
	if (rc || then != SAVE_DESTROY)
		record_idle(ts, domid);
	domain_config_free(&config);
	return rc;
}

bool save_late(struct toolstack *ts, uint16_t domid)
{
	uint64_t asked, now = (uint64_t)clock_ms() / 1000;

	return !xs_read_number(ts->xs, XBT_NULL, now, &asked, ASKED_NODE, domid) &&
	       now - asked < LATE_SECONDS && suspend_is(ts, domid);
}

int save_recover(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	int rc;

	if (xs_exists(ts->xs, XBT_NULL, ASKED_NODE, domid) && !suspend_is(ts, domid))
		suspend_withdraw(ts, domid);
	rc = suspend_resume(ts, domid, fault);
	if (!rc)
		rc = xs_remove(ts->xs, XBT_NULL, ASKED_NODE, domid);
	if (!rc)
		rc = record_idle(ts, domid);
	return rc;
}
