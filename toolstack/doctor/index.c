/* The index of images and addresses, against the devices that domains have. */
#include "toolstack/device/index.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xs.h"
#include "toolstack/doctor/doctor.h"
#include "toolstack/domain/record.h"

struct rebuilding {
	uint16_t domid;
	const unsigned char *uuid;
};

static int rebuilding_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct rebuilding *r = arg;

	return index_domain_rebuild(xs, t, r->domid, r->uuid);
}

static const struct xen_domain *live_find(const struct doctor *d, unsigned domid)
{
	for (size_t i = 0; i < d->lives; i++)
		if (d->live[i].domid == domid)
			return &d->live[i];
	return NULL;
}

static int domain_rebuild(struct doctor *d, const struct finding *f, struct fault *fault)
{
	const struct xen_domain *live = live_find(d, (unsigned)f->domid);
	struct rebuilding r = {.domid = (uint16_t)f->domid};
	int rc;

	if (!live)
		return 0;
	r.uuid = live->uuid;
	rc = xs_transact(d->ts->xs, rebuilding_write, &r);
	return rc ? fault_set(fault, rc, "domain %d: " INDEX_PATH " cannot be written: %s",
			      f->domid, strerror(-rc))
		  : 0;
}

static int mark_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	return index_mark_remove(xs, t, arg);
}

static int mark_remove(struct doctor *d, const struct finding *f, struct fault *fault)
{
	int rc = xs_transact(d->ts->xs, mark_write, (void *)f->object);

	return rc ? fault_set(fault, rc, INDEX_PATH "/domain/%s: cannot be removed: %s", f->object,
			      strerror(-rc))
		  : 0;
}

static int entry_remove(struct doctor *d, const struct finding *f, struct fault *fault)
{
	int rc = nodes_forget(d->ts->xs, "%s", f->object);

	return rc ? fault_set(fault, rc, "%s: cannot be removed: %s", f->object, strerror(-rc)) : 0;
}

static bool is_left_alone(struct doctor *d, uint16_t domid)
{
	pid_t pid;

	return record_worker(d->ts, domid, &pid) == WORKER_NONE;
}

static void marks_check(struct doctor *d)
{
	unsigned count, domid;
	char **marks = nodes_list(d->ts->xs, XBT_NULL, &count, INDEX_PATH "/domain");
	char own[INDEX_MARK_SIZE];

	for (unsigned i = 0; i < count; i++) {
		const struct xen_domain *live;

		if (sscanf(marks[i], "%u-", &domid) != 1)
			continue;
		live = live_find(d, domid);
		if (live)
			index_mark(live->domid, live->uuid, own);
		if ((!live || strcmp(own, marks[i]) != 0) && is_left_alone(d, (uint16_t)domid))
			doctor_add(d, -1, mark_remove, marks[i],
				   INDEX_PATH "/domain/%s is of no domain", marks[i]);
	}
	free(marks);
}

static void device_check(struct doctor *d, const char *mark, const struct device *device)
{
	char path[XS_PATH_SIZE], label[64];

	if (index_has(d->ts->xs, XBT_NULL, mark, device))
		return;
	device_private(device, path);
	device_label(device, label, sizeof(label));
	doctor_add(d, device->domid, domain_rebuild, path,
		   "domain %u: %s is missing in " INDEX_PATH
		   ", so another guest could get what it has",
		   device->domid, label);
}

/* One of ours; those of other toolstacks are asked themselves. */
static void domain_check(struct doctor *d, const struct xen_domain *live)
{
	struct devices devices;
	char mark[INDEX_MARK_SIZE];

	if (!xs_exists(d->ts->xs, XBT_NULL, RECORD_PATH "/config", live->domid) ||
	    !is_left_alone(d, live->domid))
		return;
	index_mark(live->domid, live->uuid, mark);
	if (!xs_exists(d->ts->xs, XBT_NULL, INDEX_PATH "/domain/%s", mark)) {
		doctor_add(d, live->domid, domain_rebuild, mark,
			   "domain %u is missing in " INDEX_PATH ", so each create has to ask it",
			   live->domid);
		return;
	}
	if (devices_list(d->ts, live->domid, &devices))
		return;
	for (size_t i = 0; i < devices.count; i++)
		device_check(d, mark, &devices.device[i]);
	devices_free(&devices);
}

static void entry_check(struct doctor *d, const char *kind, const char *key, const char *owner)
{
	char path[XS_PATH_SIZE], mark[INDEX_MARK_SIZE];
	unsigned domid, id;
	const struct xen_domain *live;

	snprintf(path, sizeof(path), INDEX_PATH "/%s/%s/%s", kind, key, owner);
	if (sscanf(owner, "%u-%u", &domid, &id) != 2)
		return;
	live = live_find(d, domid);
	if (live)
		index_mark(live->domid, live->uuid, mark);
	/* What a mark has noted goes with the mark. */
	if ((!live || !xs_exists(d->ts->xs, XBT_NULL, INDEX_PATH "/domain/%s/%s-%u@%s", mark, kind,
				 id, key)) &&
	    is_left_alone(d, (uint16_t)domid))
		doctor_add(d, -1, entry_remove, path, "%s is of no device", path);
}

static void entries_check(struct doctor *d, const char *kind)
{
	unsigned keys, owners;
	char **key = nodes_list(d->ts->xs, XBT_NULL, &keys, INDEX_PATH "/%s", kind);

	for (unsigned i = 0; i < keys; i++) {
		char **owner =
			nodes_list(d->ts->xs, XBT_NULL, &owners, INDEX_PATH "/%s/%s", kind, key[i]);

		for (unsigned j = 0; j < owners; j++)
			entry_check(d, kind, key[i], owner[j]);
		free(owner);
	}
	free(key);
}

int doctor_index(struct doctor *d, struct fault *fault)
{
	marks_check(d);
	for (size_t i = 0; i < d->lives; i++)
		domain_check(d, &d->live[i]);
	entries_check(d, "vbd");
	entries_check(d, "vif");
	return 0;
}
