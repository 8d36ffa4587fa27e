/* Nodes of domains that Xen does not have. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"
#include "lib/xs.h"
#include "toolstack/doctor/doctor.h"
#include "toolstack/domain/domain.h"
#include "toolstack/domain/record.h"
#include "toolstack/nodes.h"

/* Where what is below is named by a domain's number. */
static const char *const homes[] = {"/local/domain", "/libxl", "/tool/xsplit/domain",
				    "/local/domain/0/device-model"};

static int domid_of(const struct doctor *d, const char *name, uint16_t *domid)
{
	return number_parse_u16(name, domid) || doctor_lives(d, *domid) ? -EINVAL : 0;
}

/* Devices go first: with their backends, as if the domain had still been there. */
static int leftover_remove(struct doctor *d, const struct finding *f, struct fault *fault)
{
	uint16_t domid = (uint16_t)f->domid;
	int rc = 0;

	if (doctor_lives(d, domid))
		return fault_set(fault, -EAGAIN, "domain %u is there again", domid);
	if (!strncmp(f->object, "/local/domain/0/backend/", 24) ||
	    !strncmp(f->object, "/local/domain/0/error/", 22))
		rc = nodes_forget(d->ts->xs, "%s", f->object);
	else
		rc = domain_destroy(d->ts, domid, fault);
	return rc && !fault->text[0] ? fault_set(fault, rc, "%s: %s", f->object, strerror(-rc))
				     : rc;
}

static bool is_worked_on(struct doctor *d, uint16_t domid)
{
	pid_t pid;

	return record_worker(d->ts, domid, &pid) == WORKER_ALIVE;
}

static void home_check(struct doctor *d, const char *home)
{
	unsigned count;
	char **names = nodes_list(d->ts->xs, XBT_NULL, &count, "%s", home);
	uint16_t domid;

	for (unsigned i = 0; i < count; i++) {
		char path[XS_PATH_SIZE];

		if (domid_of(d, names[i], &domid) || is_worked_on(d, domid))
			continue;
		snprintf(path, sizeof(path), "%s/%s", home, names[i]);
		doctor_add(d, domid, leftover_remove, path,
			   "domain %u is gone, but left nodes in %s", domid, path);
	}
	free(names);
}

/* backend/TYPE/N and error/backend/TYPE/N of dom0. */
static void backends_check(struct doctor *d, const char *parent)
{
	unsigned count;
	char **types = nodes_list(d->ts->xs, XBT_NULL, &count, "%s", parent);

	for (unsigned i = 0; i < count; i++) {
		char home[XS_PATH_SIZE];

		snprintf(home, sizeof(home), "%s/%s", parent, types[i]);
		home_check(d, home);
	}
	free(types);
}

static int node_remove(struct doctor *d, const struct finding *f, struct fault *fault)
{
	int rc = nodes_forget(d->ts->xs, "%s", f->object);

	return rc ? fault_set(fault, rc, "%s: cannot be removed: %s", f->object, strerror(-rc)) : 0;
}

static bool is_a_lives(const struct doctor *d, const uuid_t uuid)
{
	for (size_t i = 0; i < d->lives; i++)
		if (!uuid_compare(d->live[i].uuid, uuid))
			return true;
	return false;
}

/* A domain's vm node may name another UUID than Xen has. */
static bool is_named(struct doctor *d, const char *path)
{
	bool named = false;

	for (size_t i = 0; i < d->lives && !named; i++) {
		char *vm = xs_read_string(d->ts->xs, XBT_NULL, "/local/domain/%u/vm",
					  d->live[i].domid);

		named = vm && !strcmp(vm, path);
		free(vm);
	}
	return named;
}

static void vms_check(struct doctor *d)
{
	unsigned count;
	char **names = nodes_list(d->ts->xs, XBT_NULL, &count, "/vm");
	uuid_t uuid;

	for (unsigned i = 0; i < count; i++) {
		char path[XS_PATH_SIZE];

		snprintf(path, sizeof(path), "/vm/%s", names[i]);
		if (!uuid_parse(names[i], uuid) && !is_a_lives(d, uuid) && !is_named(d, path))
			doctor_add(d, -1, node_remove, path, "%s is of no domain", path);
	}
	free(names);
}

static void names_check(struct doctor *d)
{
	unsigned count;
	char **names = nodes_list(d->ts->xs, XBT_NULL, &count, "/tool/xsplit/name");
	uint64_t domid;

	for (unsigned i = 0; i < count; i++) {
		char path[XS_PATH_SIZE];

		snprintf(path, sizeof(path), "/tool/xsplit/name/%s", names[i]);
		if (!xs_read_number(d->ts->xs, XBT_NULL, UINT16_MAX, &domid, "%s", path) &&
		    (doctor_lives(d, (unsigned)domid) || is_worked_on(d, (uint16_t)domid)))
			continue;
		doctor_add(d, -1, node_remove, path, "%s is of no domain", path);
	}
	free(names);
}

int doctor_nodes(struct doctor *d, struct fault *fault)
{
	for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++)
		home_check(d, homes[i]);
	backends_check(d, "/local/domain/0/backend");
	backends_check(d, "/local/domain/0/error/backend");
	vms_check(d);
	names_check(d);
	return 0;
}
