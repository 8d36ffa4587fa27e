#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"
#include "lib/xs.h"
#include "toolstack/device/device.h"
#include "toolstack/device/index.h"
#include "toolstack/device/model.h"
#include "toolstack/device/qemu.h"
#include "toolstack/device/script.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/migrate.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/restart.h"
#include "toolstack/domain/userdata.h"

struct removal {
	struct toolstack *ts;
	uint16_t domid;
	struct devices devices;
	char *vm;       /* "/vm/UUID" at the beginning, NULL when there was none */
	char *name;     /* NULL when there was none */
	bool vm_shared; /* it is also that of the domain it became on its way to another host */
	const struct nodes *restart; /* the record of it, written in the same step, or NULL */
	bool for_good;               /* nor may somebody else make it again */
};

/* Another domain may have got the id since: then nothing there is ours any more. */
static bool is_another(struct removal *r, xs_transaction_t t)
{
	char *vm = xs_read_string(r->ts->xs, t, "/local/domain/%u/vm", r->domid);
	bool another = vm && (!r->vm || strcmp(vm, r->vm) != 0);

	free(vm);
	return another;
}

/* Does the index have it by this name? */
static bool entry_remove(struct removal *r, xs_transaction_t t, const char *name,
			 struct goners *goners)
{
	char path[NAME_PATH_SIZE];
	uint64_t holder;

	name_path(name, path);
	if (xs_read_number(r->ts->xs, t, UINT16_MAX, &holder, "%s", path) || holder != r->domid)
		return false;
	goners_add(goners, "%s", path);
	return true;
}

/* Another toolstack may have renamed it, or removed its nodes: the kept config has the name then.
 */
static void name_remove(struct removal *r, xs_transaction_t t, struct goners *goners)
{
	struct domain_config config;
	struct fault ignored = {0};

	if ((r->name && entry_remove(r, t, r->name, goners)) ||
	    record_config_read(r->ts, t, r->domid, &config, &ignored))
		return;
	entry_remove(r, t, config.name, goners);
	domain_config_free(&config);
}

static int restart_write(const struct removal *r, xs_transaction_t t)
{
	/* Who destroys it meanwhile has the last word. */
	return record_busy_own(r->ts, t, r->domid, RECORD_RESTART)
		       ? nodes_write(r->restart, r->ts->xs, t)
		       : -ECANCELED;
}

static void all_remove(struct removal *r, xs_transaction_t t, struct goners *goners)
{
	struct xs_handle *xs = r->ts->xs;

	devices_back_remove(xs, t, &r->devices, goners);
	index_domain_goners(xs, t, r->domid, goners);
	name_remove(r, t, goners);
	if (r->vm && !r->vm_shared)
		goners_add(goners, "%s", r->vm);
	goners_add(goners, "/libxl/%u", r->domid);
	goners_add(goners, "/local/domain/%u/device-model/%u", BACKEND_DOMID, r->domid);
	goners_add(goners, RECORD_PATH, r->domid);
	if (!goners->rc)
		goners->rc = xs_remove(xs, t, "/local/domain/%u", r->domid);
}

static int removal_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct goners goners = {0};
	struct removal *r = arg;
	int rc;

	if (r->for_good && r->vm)
		goners_add(&goners, RESTART_PATH, r->vm + strlen("/vm/"));
	rc = r->restart ? restart_write(r, t) : 0;
	if (!rc && !is_another(r, t))
		all_remove(r, t, &goners);
	if (rc)
		goners.rc = rc;
	return goners_remove(&goners, xs, t);
}

/* The devices close while the guest stands still; one that does not in time is left behind. */
static void devices_end(struct removal *r)
{
	struct fault late = {0};

	if (devices_list(r->ts, r->domid, &r->devices) || !r->devices.count)
		return;
	if (!devices_close(r->ts, &r->devices, true))
		devices_wait_closed(r->ts, &r->devices, &late);
	scripts_remove(r->ts, &r->devices);
}

static int domain_end(struct removal *r, struct fault *fault)
{
	struct xen_domain domain;
	int rc = xen_domain_get(r->ts->xen, r->domid, &domain, fault);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	/* Before: whoever goes on after us has its UUID from Xen alone. */
	userdata_remove(r->domid, domain.uuid);
	rc = xen_domain_destroy(r->ts->xen, r->domid, fault);
	return rc == -ESRCH ? 0 : rc;
}

/* A guest that migrates to the host it is on, at either end. */
static bool vm_is_shared(struct toolstack *ts, uint16_t domid)
{
	struct xen_domain own, *list;
	struct fault ignored = {0};
	bool shared = false;
	size_t count;

	if ((!xs_exists(ts->xs, XBT_NULL, MIGRATE_PHASE, domid) &&
	     !record_busy_is(ts, domid, RECEIVE_BUSY)) ||
	    xen_domain_get(ts->xen, domid, &own, &ignored) ||
	    xen_domain_list(ts->xen, &list, &count, &ignored))
		return false;
	for (size_t i = 0; i < count && !shared; i++)
		shared = list[i].domid != domid && !uuid_compare(list[i].uuid, own.uuid);
	free(list);
	return shared;
}

static char *vm_of(struct toolstack *ts, uint16_t domid)
{
	char *vm = xs_read_string(ts->xs, XBT_NULL, "/local/domain/%u/vm", domid);

	if (vm && strncmp(vm, "/vm/", 4) != 0) {
		free(vm);
		vm = NULL;
	}
	return vm;
}

static int removal_run(struct removal *r, struct fault *fault)
{
	struct toolstack *ts = r->ts;
	struct xen_domain domain;
	struct fault ignored = {0};
	int rc;

	/* Before the record says something else. */
	r->vm_shared = vm_is_shared(ts, r->domid);
	rc = record_busy(ts, r->domid, r->restart ? RECORD_RESTART : RECORD_DESTROY);
	r->vm = vm_of(ts, r->domid);
	r->name = name_of(ts, r->domid);
	/* Now, so that whoever makes it gives up, and once more at the end. */
	if (!rc && r->for_good && r->vm)
		rc = restart_forget(ts, r->vm + strlen("/vm/"));
	if (rc) {
		fault_set(fault, rc, "domain %u: cannot write to the XenStore: %s", r->domid,
			  strerror(-rc));
		goto out;
	}
	if (!xen_domain_get(ts->xen, r->domid, &domain, &ignored) && !domain.dying)
		xen_domain_pause(ts->xen, r->domid, &ignored);
	devices_end(r);
	qemu_stop(ts, r->domid, QEMU_QDISK);
	model_stop(ts, r->domid);
	rc = domain_end(r, fault);
	if (!rc) {
		rc = xs_transact(ts->xs, removal_write, r);
		if (rc)
			fault_set(fault, rc,
				  "domain %u: cannot remove its nodes: %s; run destroy "
				  "again",
				  r->domid, strerror(-rc));
	}
out:
	devices_free(&r->devices);
	free(r->vm);
	free(r->name);
	return rc;
}

int domain_destroy(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	struct removal r = {.ts = ts, .domid = domid};

	return removal_run(&r, fault);
}

int domain_destroy_for_good(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	struct removal r = {.ts = ts, .domid = domid, .for_good = true};

	if (domid == BACKEND_DOMID)
		return fault_set(fault, -EPERM, "domain 0 is this host; it cannot be destroyed");
	return removal_run(&r, fault);
}

int domain_remove_to_restart(struct toolstack *ts, uint16_t domid,
			     const struct domain_config *config, unsigned quick,
			     struct fault *fault)
{
	struct nodes nodes = {0};
	struct removal r = {.ts = ts, .domid = domid, .restart = &nodes};
	char uuid[UUID_STR_LEN], *text = domain_config_print(config);
	int rc;

	if (!text)
		return fault_memory(fault);
	uuid_unparse_lower(config->uuid, uuid);
	restart_record(&nodes, uuid, text, quick);
	rc = removal_run(&r, fault);
	nodes_free(&nodes);
	free(text);
	return rc;
}
