#include "toolstack/xsplitd/pending.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/xs.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/plan.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/restart.h"

/* What came in between may be over the next time: then the record has to stay. */
static bool is_passing(int rc)
{
	return rc == -EINTR || rc == -EAGAIN || rc == -ECONNREFUSED || rc == -EPIPE;
}

/* So may this, if not for ever: a backend that is being started anew, memory that is given back. */
static bool may_pass(struct toolstack *ts, const char *uuid, int rc)
{
	return (rc == -ETIMEDOUT || rc == -EIO || rc == -ENOMEM || rc == -EBUSY) &&
	       !restart_again(ts, uuid);
}

int pending_start(struct toolstack *ts, struct domain_config *config, unsigned quick,
		  const char *was)
{
	struct create_options options = {.quick = quick, .restart = true};
	struct fault fault = {0};
	char uuid[UUID_STR_LEN];
	uint16_t domid;
	int rc = plan_domain(ts, config, &fault);

	uuid_unparse_lower(config->uuid, uuid);
	if (!rc)
		rc = domain_create(ts, config, &options, &domid, &fault);
	if (!rc)
		log_info("%s (%s): restarted as domain %u", was, config->name, domid);
	else if (!is_passing(rc) && !restart_wanted(ts->xs, XBT_NULL, uuid))
		log_info("%s (%s): destroyed while it was restarted", was, config->name);
	else
		log_error("%s (%s): cannot be restarted: %s", was, config->name, fault.text);
	if (rc && !is_passing(rc) && !may_pass(ts, uuid, rc))
		restart_forget(ts, uuid);
	return rc;
}

enum reap_need pending_restart_needed(struct toolstack *ts, const char *uuid, pid_t *worker)
{
	char path[96];

	snprintf(path, sizeof(path), RESTART_PATH "/busy", uuid);
	return record_worker_at(ts, path, worker) == WORKER_ALIVE ? REAP_LATER : REAP_NOW;
}

enum reap_need pending_creation_needed(struct toolstack *ts, const char *uuid, pid_t *worker)
{
	char path[96];

	snprintf(path, sizeof(path), RECORD_CREATING, uuid);
	return record_worker_at(ts, path, worker) == WORKER_ALIVE ? REAP_LATER : REAP_NOW;
}

/* Is the domain there already, made by whoever died before he could forget the record? */
static bool is_made(struct toolstack *ts, const char *uuid)
{
	struct xen_domain *list;
	struct fault ignored = {0};
	size_t count;
	uuid_t wanted;
	bool made = false;

	if (uuid_parse(uuid, wanted) || xen_domain_list(ts->xen, &list, &count, &ignored))
		return false;
	for (size_t i = 0; i < count && !made; i++)
		made = !uuid_compare(list[i].uuid, wanted);
	free(list);
	return made;
}

/* Xen has it no more, but its nodes are there: as long as they are its backends keep its images. */
static bool is_leaving(struct toolstack *ts, const char *uuid)
{
	unsigned count;
	char **ids = nodes_list(ts->xs, XBT_NULL, &count, "/tool/xsplit/domain");
	bool leaving = false;

	for (unsigned i = 0; i < count && !leaving; i++) {
		char *vm = xs_read_string(ts->xs, XBT_NULL, "/local/domain/%s/vm", ids[i]);

		leaving = vm && !strncmp(vm, "/vm/", 4) && !strcmp(vm + 4, uuid);
		free(vm);
	}
	free(ids);
	return leaving;
}

int pending_restart(struct toolstack *ts, const char *uuid)
{
	struct domain_config config;
	struct fault fault = {0};
	char was[64];
	unsigned quick;
	pid_t pid;
	int rc = 0;

	/* A half made one goes first; the scan sees to that. */
	if (pending_restart_needed(ts, uuid, &pid) != REAP_NOW || is_made(ts, uuid) ||
	    is_leaving(ts, uuid))
		return 0;
	rc = restart_take(ts, uuid);
	if (rc == -ECANCELED)
		return restart_forget(ts, uuid); /* at most a part is left */
	if (!rc)
		rc = restart_read(ts, uuid, &config, &quick, &fault);
	if (rc) {
		log_error("restart of %s: %s", uuid, fault.text[0] ? fault.text : strerror(-rc));
		if (!is_passing(rc))
			restart_forget(ts, uuid);
		return rc;
	}
	snprintf(was, sizeof(was), "domain %s", uuid);
	log_info("%s (%s): its restart was cut short; going on", was, config.name);
	rc = pending_start(ts, &config, quick, was);
	domain_config_free(&config);
	return rc;
}

int pending_creation(struct toolstack *ts, const char *uuid)
{
	struct xen_domain *list;
	struct fault fault = {0};
	size_t count;
	uuid_t wanted;
	pid_t pid;
	int rc;

	if (pending_creation_needed(ts, uuid, &pid) != REAP_NOW)
		return 0;
	rc = xen_domain_list(ts->xen, &list, &count, &fault);
	for (size_t i = 0; !rc && i < count && !uuid_parse(uuid, wanted); i++) {
		/* One with a record is seen to by that. */
		if (uuid_compare(list[i].uuid, wanted) != 0 ||
		    xs_exists(ts->xs, XBT_NULL, RECORD_PATH, list[i].domid))
			continue;
		log_warn("domain %u: whoever made it died at once; removing it", list[i].domid);
		rc = domain_destroy(ts, list[i].domid, &fault);
	}
	if (!rc) {
		free(list);
		rc = nodes_forget(ts->xs, RECORD_CREATING, uuid);
	}
	if (rc)
		log_error("creation of %s: %s", uuid, fault.text[0] ? fault.text : strerror(-rc));
	return rc;
}
