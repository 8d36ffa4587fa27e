#include "toolstack/xsplitd/autostart.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/xs.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/plan.h"
#include "toolstack/domain/record.h"

#define STATE "/tool/xsplit/autostart"
#define DONE  "done"

/* As a name in the index, for a path takes few letters. */
static void seen_path(const char *file, char path[NAME_PATH_SIZE])
{
	char named[NAME_PATH_SIZE];

	name_path(file, named);
	snprintf(path, NAME_PATH_SIZE, "/tool/xsplit/auto/%s", strrchr(named, '/') + 1);
}

enum reap_need autostart_needed(struct toolstack *ts, const char *dir, pid_t *worker)
{
	char *state;
	bool done;

	if (!dir || access(dir, R_OK | X_OK))
		return REAP_NOTHING;
	state = xs_read_string(ts->xs, XBT_NULL, STATE);
	done = state && !strcmp(state, DONE);
	free(state);
	if (done)
		return REAP_NOTHING;
	return record_worker_at(ts, STATE, worker) == WORKER_ALIVE ? REAP_LATER : REAP_NOW;
}

static int start(struct toolstack *ts, const char *path)
{
	struct create_options options = {0};
	struct domain_config config;
	struct fault fault = {0};
	uint16_t domid;
	int rc = domain_config_read(path, NULL, 0, &config, &fault);

	if (rc) {
		log_error("autostart: %s", fault.text);
		return rc;
	}
	if (!name_holder(ts, XBT_NULL, config.name, &domid)) {
		log_info("autostart: %s: domain %u (%s) is there already", path, domid,
			 config.name);
		goto out;
	}
	rc = plan_domain(ts, &config, &fault);
	if (!rc)
		rc = domain_create(ts, &config, &options, &domid, &fault);
	if (rc)
		log_error("autostart: %s: %s", path, fault.text);
	else
		log_info("autostart: %s: domain %u (%s)", path, domid, config.name);
out:
	domain_config_free(&config);
	return rc;
}

/* Return: a negative errno when the store does not take it. */
static int see_to(struct toolstack *ts, const char *dir, const char *file)
{
	char seen[NAME_PATH_SIZE], path[PATH_MAX];

	seen_path(file, seen);
	if (xs_exists(ts->xs, XBT_NULL, "%s", seen))
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path))
		return 0;
	return xs_write_string(ts->xs, XBT_NULL, start(ts, path) ? "failed" : "started", "%s",
			       seen);
}

/* Configs, and links to them; not what an editor or a package leaves beside them. */
static int is_config(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length && entry->d_name[0] != '.' && entry->d_name[length - 1] != '~' &&
	       length < NAME_MAX / 2 && entry->d_type != DT_DIR;
}

int autostart_run(struct toolstack *ts, const char *dir)
{
	struct dirent **files = NULL;
	char worker[64];
	pid_t pid;
	int count, rc = 0;

	if (autostart_needed(ts, dir, &pid) != REAP_NOW)
		return 0;
	count = scandir(dir, &files, is_config, alphasort);
	if (count < 0) {
		log_error("autostart: %s: %s", dir, strerror(errno));
		return -errno;
	}
	record_worker_text("autostart", worker);
	rc = xs_write_string(ts->xs, XBT_NULL, worker, STATE);
	for (int i = 0; i < count; i++) {
		if (!rc)
			rc = see_to(ts, dir, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	if (!rc)
		rc = xs_write_string(ts->xs, XBT_NULL, DONE, STATE);
	if (rc)
		log_error("autostart: cannot write to the XenStore: %s", strerror(-rc));
	return rc;
}
