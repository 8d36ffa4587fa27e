#include "toolstack/domain/rename.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/xs.h"
#include "toolstack/device/device.h"
#include "toolstack/device/index.h"
#include "toolstack/device/script.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/userdata.h"

struct renaming {
	struct toolstack *ts;
	uint16_t domid;
	const char *name;
	const struct devices *gone;  /* devices to remove with it, or NULL */
	const unsigned char *uuid;   /* the new one, or NULL */
	const struct nodes *pending; /* written with it, or NULL */
	struct fault *fault;
};

/* The kept config says the new name too: a restart goes by it. */
static int config_rename(struct renaming *r, xs_transaction_t t)
{
	struct domain_config config;
	struct fault ignored = {0};
	char *text;
	int rc = record_config_read(r->ts, t, r->domid, &config, &ignored);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	free(config.name);
	config.name = strdup(r->name);
	if (r->uuid)
		uuid_copy(config.uuid, r->uuid);
	text = config.name ? domain_config_print(&config) : NULL;
	rc = text ? record_config_replace(r->ts, t, r->domid, text) : -ENOMEM;
	free(text);
	domain_config_free(&config);
	return rc;
}

static int index_rename(struct renaming *r, xs_transaction_t t, const char *old)
{
	char path[NAME_PATH_SIZE];
	uint64_t holder;
	int rc = 0;

	if (old) {
		name_path(old, path);
		if (!xs_read_number(r->ts->xs, t, UINT16_MAX, &holder, "%s", path) &&
		    holder == r->domid)
			rc = xs_remove(r->ts->xs, t, "%s", path);
	}
	name_path(r->name, path);
	return rc ? rc : xs_write_number(r->ts->xs, t, r->domid, "%s", path);
}

/* /vm/UUID: renamed in its place, or, with a new UUID, moved. */
static int vm_rename(struct renaming *r, xs_transaction_t t, const char *vm)
{
	struct nodes nodes = {0};
	char uuid[UUID_STR_LEN], path[64];
	int rc;

	if (!r->uuid)
		return vm ? xs_write_string(r->ts->xs, t, r->name, "%s/name", vm) : 0;
	uuid_unparse_lower(r->uuid, uuid);
	snprintf(path, sizeof(path), "/vm/%s", uuid);
	nodes_dir(&nodes, 0, r->domid, "%s", path);
	nodes_add(&nodes, path, "uuid", "%s", uuid);
	nodes_add(&nodes, path, "name", "%s", r->name);
	rc = nodes_write(&nodes, r->ts->xs, t);
	nodes_free(&nodes);
	if (!rc && vm)
		rc = xs_remove(r->ts->xs, t, "%s", vm);
	return rc ? rc : xs_write_string(r->ts->xs, t, path, "/local/domain/%u/vm", r->domid);
}

static int renaming_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct renaming *r = arg;
	char *old = xs_read_string(xs, t, "/local/domain/%u/name", r->domid);
	char *vm = xs_read_string(xs, t, "/local/domain/%u/vm", r->domid);
	uint16_t holder;
	int rc = 0;

	r->fault->text[0] = '\0';
	if (!name_holder(r->ts, t, r->name, &holder) && holder != r->domid)
		rc = fault_set(r->fault, -EEXIST, "name \"%s\" is domain %u's; choose another",
			       r->name, holder);
	for (size_t i = 0; r->gone && i < r->gone->count && !rc; i++)
		rc = device_remove(xs, t, &r->gone->device[i]);
	/* Its UUID is part of how it is called there. */
	if (!rc && r->uuid)
		rc = index_domain_rebuild(xs, t, r->domid, r->uuid);
	if (!rc)
		rc = index_rename(r, t, old);
	if (!rc)
		rc = xs_write_string(xs, t, r->name, "/local/domain/%u/name", r->domid);
	if (!rc)
		rc = vm_rename(r, t, vm);
	if (!rc)
		rc = config_rename(r, t);
	if (!rc && r->pending)
		rc = nodes_write(r->pending, xs, t);
	free(old);
	free(vm);
	return rc;
}

static int renaming_run(struct renaming *r)
{
	int rc = xs_transact(r->ts->xs, renaming_write, r);

	if (!rc)
		userdata_follow(r->ts, r->domid);
	else if (!r->fault->text[0])
		fault_set(r->fault, rc, "domain %u: cannot write its name: %s", r->domid,
			  strerror(-rc));
	return rc;
}

int domain_rename(struct toolstack *ts, uint16_t domid, const char *name, struct fault *fault)
{
	struct renaming r = {.ts = ts, .domid = domid, .name = name, .fault = fault};
	const char *why = domain_name_check(name);
	uint16_t holder;

	if (why)
		return fault_set(fault, -EINVAL, "name \"%s\" %s; choose another", name, why);
	/* Domains of other toolstacks are not in the index. */
	if (!name_find(ts, name, &holder, fault) && holder != domid)
		return fault_set(fault, -EEXIST, "name \"%s\" is domain %u's; choose another", name,
				 holder);
	return renaming_run(&r);
}

struct following {
	struct renaming renaming;
	bool behind;
};

static int follow_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct following *f = arg;
	struct renaming *r = &f->renaming;
	char *name = xs_read_string(xs, t, "/local/domain/%u/name", r->domid);
	struct domain_config config;
	struct fault ignored = {0};
	int rc;

	f->behind = false;
	if (!name || domain_name_check(name) || xs_exists(xs, t, RECORD_PATH "/busy", r->domid) ||
	    record_config_read(r->ts, t, r->domid, &config, &ignored)) {
		free(name);
		return 0;
	}
	f->behind = strcmp(config.name, name) != 0;
	r->name = name;
	rc = f->behind ? index_rename(r, t, config.name) : 0;
	if (!rc && f->behind)
		rc = config_rename(r, t);
	domain_config_free(&config);
	free(name);
	return rc;
}

int rename_follow(struct toolstack *ts, uint16_t domid)
{
	struct following f = {.renaming = {.ts = ts, .domid = domid}};
	int rc = xs_transact(ts->xs, follow_write, &f);

	return rc ? rc : f.behind;
}

static void devices_end(struct toolstack *ts, uint16_t domid, struct devices *devices)
{
	struct fault late = {0};

	if (devices_list(ts, domid, devices) || !devices->count)
		return;
	if (!devices_close(ts, devices, true))
		devices_wait_closed(ts, devices, &late);
	scripts_remove(ts, devices);
}

int domain_set_aside(struct toolstack *ts, uint16_t domid, const struct nodes *pending,
		     struct fault *fault)
{
	char name[DOMAIN_NAME_MAX + 1], stamp[24], *old = name_of(ts, domid);
	struct devices devices = {0};
	uuid_t uuid = {0};
	struct renaming r = {.ts = ts,
			     .domid = domid,
			     .name = name,
			     .gone = &devices,
			     .uuid = uuid,
			     .pending = pending,
			     .fault = fault};
	struct xen_domain domain;
	struct fault ignored = {0};
	time_t now = time(NULL);
	struct tm utc;
	int rc;

	strftime(stamp, sizeof(stamp), "-%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	snprintf(name, sizeof(name), "%.*s%s", (int)(DOMAIN_NAME_MAX - strlen(stamp)),
		 old ? old : "domain", stamp);
	free(old);
	uuid_generate_random(uuid);
	devices_end(ts, domid, &devices);
	/* Of the UUID that it has no longer then. */
	if (!xen_domain_get(ts->xen, domid, &domain, &ignored))
		userdata_remove(domid, domain.uuid);
	rc = xen_domain_sethandle(ts->xen, domid, uuid, fault);
	if (!rc)
		rc = renaming_run(&r);
	devices_free(&devices);
	return rc;
}
