#include "toolstack/domain/resize.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xs.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/userdata.h"
#include "toolstack/xen/host.h"
#include "toolstack/xen/tune.h"

/* LIBXL_MIN_DOM0_MEM */
#define DOM0_KIB_MIN (128u << 10)

struct resizing {
	struct toolstack *ts;
	uint16_t domid;
	uint64_t value, most;
	struct fault *fault;
	int (*change)(struct domain_config *config, uint64_t value);
	int (*write)(struct resizing *r, xs_transaction_t t);
};

/* So that a restart has it too. A domain of another toolstack keeps its config elsewhere. */
static int config_change(struct resizing *r, xs_transaction_t t)
{
	struct domain_config config;
	struct fault ignored = {0};
	char *text;
	int rc = record_config_read(r->ts, t, r->domid, &config, &ignored);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	rc = r->change(&config, r->value);
	text = rc ? NULL : domain_config_print(&config);
	if (!rc)
		rc = text ? record_config_replace(r->ts, t, r->domid, text) : -ENOMEM;
	free(text);
	domain_config_free(&config);
	return rc;
}

static int resizing_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct resizing *r = arg;
	int rc = r->write(r, t);

	return rc ? rc : config_change(r, t);
}

static int resizing_run(struct resizing *r)
{
	int rc = xs_transact(r->ts->xs, resizing_write, r);

	if (!rc)
		userdata_follow(r->ts, r->domid);
	else if (!r->fault->text[0])
		fault_set(r->fault, rc, "domain %u: cannot write its nodes: %s", r->domid,
			  strerror(-rc));
	return rc;
}

/* Neither so little that it cannot be made again with it, nor more than there can be. */
static int size_check(struct toolstack *ts, uint16_t domid, uint64_t kib, struct fault *fault)
{
	uint64_t video = 0, least, mib = kib >> 10;

	xs_read_number(ts->xs, XBT_NULL, UINT32_MAX, &video, "/local/domain/%u/memory/videoram",
		       domid);
	least = MEMORY_MIB_MIN + (video >> 10);
	if (!domid || (mib >= least && mib <= MEMORY_MIB_MAX))
		return 0;
	return fault_set(fault, -EINVAL,
			 "domain %u: %" PRIu64 " MiB is no size for it; give %" PRIu64 " to %u MiB",
			 domid, mib, least, MEMORY_MIB_MAX);
}

static int memory_change(struct domain_config *config, uint64_t kib)
{
	config->memory_kib = kib & ~(uint64_t)1023;
	return 0;
}

static int target_write(struct resizing *r, xs_transaction_t t)
{
	char *vm = xs_read_string(r->ts->xs, t, "/local/domain/%u/vm", r->domid);
	uint64_t videoram = 0;
	int rc;

	xs_read_number(r->ts->xs, t, UINT32_MAX, &videoram, "/local/domain/%u/memory/videoram",
		       r->domid);
	rc = xs_write_number(r->ts->xs, t, r->value - (videoram < r->value ? videoram : 0),
			     "/local/domain/%u/memory/target", r->domid);
	if (!rc && vm)
		rc = xs_write_number(r->ts->xs, t, r->value >> 10, "%s/memory", vm);
	free(vm);
	return rc;
}

int resize_memory(struct toolstack *ts, uint16_t domid, uint64_t kib, struct fault *fault)
{
	struct resizing r = {.ts = ts,
			     .domid = domid,
			     .value = kib,
			     .fault = fault,
			     .change = memory_change,
			     .write = target_write};
	uint64_t most;
	int pv, rc = xs_read_number(ts->xs, XBT_NULL, UINT64_MAX, &most,
				    "/local/domain/%u/memory/static-max", domid);

	if (rc && domid)
		return fault_set(fault, rc, "domain %u: cannot read its memory/static-max: %s",
				 domid, strerror(-rc));
	if (size_check(ts, domid, kib, fault))
		return -EINVAL;
	if (!rc && kib > most)
		return fault_set(fault, -EINVAL,
				 "domain %u: %" PRIu64 " MiB is more than its maximum of %" PRIu64
				 " MiB; raise that first (xsplit mem-max)",
				 domid, kib >> 10, most >> 10);
	if (!domid && kib < DOM0_KIB_MIN)
		return fault_set(fault, -EINVAL, "domain 0 needs %u MiB at least",
				 DOM0_KIB_MIN >> 10);
	pv = xen_is_pv(ts->xen, domid, fault);
	if (pv < 0)
		return pv;
	rc = xen_memory_limit(ts->xen, domid, kib, fault);
	if (!rc && !pv)
		rc = xen_memory_target(ts->xen, domid, kib, fault);
	return rc ? rc : resizing_run(&r);
}

static int maximum_change(struct domain_config *config, uint64_t kib)
{
	config->maxmem_kib = kib & ~(uint64_t)1023;
	return 0;
}

static int maximum_write(struct resizing *r, xs_transaction_t t)
{
	return xs_write_number(r->ts->xs, t, r->value, "/local/domain/%u/memory/static-max",
			       r->domid);
}

int resize_maximum(struct toolstack *ts, uint16_t domid, uint64_t kib, struct fault *fault)
{
	struct resizing r = {.ts = ts,
			     .domid = domid,
			     .value = kib,
			     .fault = fault,
			     .change = maximum_change,
			     .write = maximum_write};
	uint64_t target;
	int rc = xs_read_number(ts->xs, XBT_NULL, UINT64_MAX, &target,
				"/local/domain/%u/memory/target", domid);

	if (rc)
		return fault_set(fault, rc, "domain %u: cannot read its memory/target: %s", domid,
				 strerror(-rc));
	if (size_check(ts, domid, kib, fault))
		return -EINVAL;
	if (kib < target)
		return fault_set(fault, -EINVAL,
				 "domain %u: %" PRIu64 " MiB is less than its memory, %" PRIu64
				 " MiB; lower that first (xsplit mem-set)",
				 domid, kib >> 10, target >> 10);
	rc = xen_memory_limit(ts->xen, domid, kib, fault);
	return rc ? rc : resizing_run(&r);
}

static int vcpus_change(struct domain_config *config, uint64_t vcpus)
{
	config->vcpus = (uint32_t)vcpus;
	return 0;
}

static int vcpus_write(struct resizing *r, xs_transaction_t t)
{
	int rc = 0;

	for (uint32_t i = 0; i < r->most && !rc; i++)
		rc = xs_write_string(r->ts->xs, t, i < r->value ? "online" : "offline",
				     "/local/domain/%u/cpu/%" PRIu32 "/availability", r->domid, i);
	return rc;
}

int resize_vcpus(struct toolstack *ts, uint16_t domid, uint32_t vcpus, bool overcommit,
		 struct fault *fault)
{
	struct resizing r = {.ts = ts,
			     .domid = domid,
			     .value = vcpus,
			     .fault = fault,
			     .change = vcpus_change,
			     .write = vcpus_write};
	struct xen_machine machine;
	struct xen_domain domain;
	int rc = xen_domain_get(ts->xen, domid, &domain, fault);

	if (rc)
		return rc == -ENOENT ? fault_set(fault, rc, "domain %u does not exist", domid) : rc;
	r.most = domain.max_vcpus;
	if (!vcpus || vcpus > r.most)
		return fault_set(fault, -EINVAL,
				 "domain %u: %" PRIu32 " vcpus: it can have 1 to %" PRIu64
				 " (its maxvcpus)",
				 domid, vcpus, r.most);
	rc = xen_machine_get(ts->xen, &machine, fault);
	if (!rc && !overcommit && vcpus > domain.vcpus && vcpus > machine.cpus)
		return fault_set(fault, -EINVAL,
				 "domain %u: %" PRIu32
				 " vcpus are more than the %u CPUs of this host; "
				 "--ignore-host does it all the same",
				 domid, vcpus, machine.cpus);
	return rc ? rc : resizing_run(&r);
}
