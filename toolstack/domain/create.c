#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/xs.h"
#include "toolstack/device/device.h"
#include "toolstack/device/index.h"
#include "toolstack/device/model.h"
#include "toolstack/device/qemu.h"
#include "toolstack/device/script.h"
#include "toolstack/domain/claims.h"
#include "toolstack/domain/creation.h"
#include "toolstack/domain/name.h"
#include "toolstack/domain/plan.h"
#include "toolstack/domain/record.h"
#include "toolstack/domain/restart.h"
#include "toolstack/domain/restore.h"
#include "toolstack/domain/saved.h"
#include "toolstack/domain/tuning.h"
#include "toolstack/domain/userdata.h"

static int interrupted(struct creation *c)
{
	return interrupt_came(&c->ts->interrupt) ? fault_set(c->fault, -EINTR, "interrupted") : 0;
}

static int restore(struct creation *c)
{
	const struct create_stream *stream = c->options->stream;
	int rc = restore_memory(c->ts, &c->layout, stream, c->fault);

	if (!rc)
		rc = saved_tail_read(stream->fd, stream->what, &c->model_fd, c->fault);
	if (!rc && (c->model_fd >= 0) != (c->config->type == DOMAIN_HVM))
		rc = fault_set(c->fault, -EINVAL, "%s: %s", stream->what,
			       c->model_fd < 0 ? "the state of its device model is missing"
					       : "has a device model that its config has not");
	if (!rc && stream->loaded)
		rc = stream->loaded(stream->arg, c->layout.domid, c->fault);
	return rc;
}

static int build(struct creation *c)
{
	struct layout *layout = &c->layout;
	struct xen_image image;
	int rc = xen_port_alloc(c->ts->xen, layout->domid, &layout->xenstore_port, c->fault);

	if (!rc)
		rc = xen_port_alloc(c->ts->xen, layout->domid, &layout->console_port, c->fault);
	if (rc || c->options->stream)
		return rc ? rc : restore(c);
	boot_image(c->config, &c->boot, &image);
	image.xenstore_port = layout->xenstore_port;
	image.console_port = layout->console_port;
	if (!rc)
		rc = interrupted(c);
	if (!rc)
		rc = xen_domain_build(c->ts->xen, layout->domid, &image, &layout->built, c->fault);
	return rc;
}

static int compose(struct creation *c)
{
	struct domain_config kept = *c->config;
	char *text, console[48];

	/* When it is made again somebody else may have its number. */
	kept.option[OPTION_DOMID].given = false;
	text = domain_config_print(&kept);
	if (!text)
		return fault_memory(c->fault);
	layout_domain(&c->nodes, c->config, &c->layout);
	layout_devices(&c->nodes, c->config, &c->layout);
	layout_record(&c->nodes, c->config, c->layout.domid, text);
	if (c->tty) {
		snprintf(console, sizeof(console), "/local/domain/%u/console", c->layout.domid);
		nodes_add(&c->nodes, console, "tty", "%s", c->tty);
	}
	free(text);
	return c->nodes.rc ? fault_memory(c->fault) : 0;
}

/* Nodes of a former domain of this id may have stayed; none of them may survive. */
static int stale_remove(struct creation *c, xs_transaction_t t)
{
	static const char *const dirs[] = {"/local/domain/%u", "/libxl/%u", RECORD_PATH};
	char path[64];
	int rc = 0;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && !rc; i++) {
		snprintf(path, sizeof(path), dirs[i], c->layout.domid);
		rc = xs_remove(c->ts->xs, t, "%s", path);
	}
	return rc ? rc : index_domain_remove(c->ts->xs, t, c->layout.domid);
}

/* From here on the domain's own record says who works on it. */
static int record_write(struct creation *c, xs_transaction_t t)
{
	struct xs_handle *xs = c->ts->xs;
	uint16_t domid = c->layout.domid;
	char worker[64];
	int rc;

	record_worker_text(c->options->busy ? c->options->busy : RECORD_CREATE, worker);
	rc = xs_write_string(xs, t, worker, RECORD_PATH "/busy", domid);
	if (!rc)
		rc = xs_write_number(xs, t, c->options->quick, RECORD_PATH "/quick", domid);
	if (!rc)
		rc = xs_write_number(xs, t, (uint64_t)time(NULL), RECORD_PATH "/started", domid);
	return rc ? rc : nodes_remove(xs, t, RECORD_CREATING, c->uuid);
}

/* Nobody may have destroyed the guest while it is made again. */
static int still_wanted(struct creation *c, xs_transaction_t t)
{
	bool wanted = c->reset ? record_busy_own(c->ts, t, c->layout.domid, RECORD_RESTART)
			       : !c->options->restart || restart_wanted(c->ts->xs, t, c->uuid);

	if (wanted)
		return 0;
	return fault_set(c->fault, -ECANCELED, "it was destroyed meanwhile");
}

static int creation_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct creation *c = arg;
	int rc;

	c->fault->text[0] = '\0';
	rc = still_wanted(c, t);
	if (!rc)
		rc = stale_remove(c, t);
	if (!rc && !c->reset)
		rc = claims_all(c->ts, t, c->config, c->fault);
	if (!rc)
		rc = nodes_write(&c->nodes, xs, t);
	return rc ? rc : record_write(c, t);
}

int creation_store(struct creation *c)
{
	int rc = compose(c);

	if (!rc)
		rc = interrupted(c);
	if (rc)
		return rc;
	rc = xs_transact(c->ts->xs, creation_write, c);
	if (!rc)
		userdata_write(c->ts, c->layout.domid, c->config);
	else if (!c->fault->text[0])
		fault_set(c->fault, rc, "domain %u: cannot write its nodes: %s", c->layout.domid,
			  strerror(-rc));
	return rc;
}

int creation_introduce(struct creation *c)
{
	const struct layout *layout = &c->layout;
	int rc;

	if (xs_introduce_domain(c->ts->xs, layout->domid,
				(unsigned long)layout->built.xenstore_frame, layout->xenstore_port))
		return 0;
	rc = -errno;
	return fault_set(c->fault, rc, "domain %u: the XenStore does not take it: %s",
			 layout->domid, strerror(-rc));
}

int creation_devices(struct creation *c)
{
	struct devices devices;
	int rc = interrupted(c);

	if (!rc && c->config->type == DOMAIN_HVM)
		rc = model_start(c->ts, c->config, c->layout.domid, c->model_fd, c->fault);
	if (!rc && qemu_wanted(c->config))
		rc = qemu_start(c->ts, c->layout.domid, c->config->name, c->fault);
	if (rc)
		return rc;
	rc = devices_list(c->ts, c->layout.domid, &devices);
	if (rc)
		return fault_memory(c->fault);
	rc = devices_wait_ready(c->ts, &devices, c->fault);
	if (!rc)
		rc = scripts_add(c->ts, &devices, c->fault);
	devices_free(&devices);
	return rc;
}

/* Before this, whoever finds it half made removes it; behind it, he only lets it run. */
static int finished_write(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct creation *c = arg;
	char worker[64];
	int rc;

	if (c->options->busy && !c->reset)
		return 0;
	record_worker_text(RECORD_UNPAUSE, worker);
	rc = still_wanted(c, t);
	if (!rc && c->options->restart)
		rc = nodes_remove(xs, t, RESTART_PATH, c->uuid);
	if (rc)
		return rc;
	return c->options->paused
		       ? xs_remove(xs, t, RECORD_PATH "/busy", c->layout.domid)
		       : xs_write_string(xs, t, worker, RECORD_PATH "/busy", c->layout.domid);
}

int creation_start(struct creation *c)
{
	int rc = xen_memory_claim(c->ts->xen, c->layout.domid, 0, c->fault);

	if (!rc)
		rc = c->options->restart || c->reset ? xs_transact(c->ts->xs, finished_write, c)
						     : finished_write(c->ts->xs, XBT_NULL, c);
	if (rc && !c->fault->text[0])
		fault_set(c->fault, rc, "domain %u: cannot write to the XenStore: %s",
			  c->layout.domid, strerror(-rc));
	if (rc || c->options->paused)
		return rc;
	rc = xen_domain_unpause(c->ts->xen, c->layout.domid, c->fault);
	if (!rc)
		record_idle(c->ts, c->layout.domid);
	return rc;
}

int domain_finish(struct toolstack *ts, uint16_t domid, struct fault *fault)
{
	struct xen_domain domain;
	int rc = xen_domain_get(ts->xen, domid, &domain, fault);

	if (!rc && domain.paused)
		rc = xen_domain_unpause(ts->xen, domid, fault);
	if (!rc)
		record_idle(ts, domid);
	return rc;
}

static void undo(struct creation *c)
{
	struct fault ignored = {0};

	domain_destroy(c->ts, c->layout.domid, &ignored);
	nodes_forget(c->ts->xs, RECORD_CREATING, c->uuid);
}

/*
 * An empty domain. Its UUID is written down before, for until its nodes are there nothing else
 * tells whose it is.
 */
static int make(struct creation *c)
{
	struct toolstack *ts = c->ts;
	struct xen_limits limits;
	char worker[64];
	int rc = tuning_limits(ts, c->config, &limits, c->fault);

	if (rc)
		return rc;
	boot_limits(c->config, &limits);
	limits.restored = c->options->stream != NULL;
	record_worker_text(RECORD_CREATE, worker);
	rc = xs_write_string(ts->xs, XBT_NULL, worker, RECORD_CREATING, c->uuid);
	if (rc)
		fault_set(c->fault, rc, "cannot write to the XenStore: %s", strerror(-rc));
	else
		rc = xen_domain_create(ts->xen, &limits, &c->layout.domid, c->fault);
	tuning_limits_free(&limits);
	if (rc)
		nodes_forget(ts->xs, RECORD_CREATING, c->uuid);
	return rc;
}

/* The plan looked how much is free; others may have taken it since, and none shall from here on. */
static int claim(struct creation *c)
{
	int rc = xen_memory_claim(c->ts->xen, c->layout.domid, c->config->memory_kib, c->fault);
	uint64_t free_kib;

	if (rc != -ENOMEM)
		return rc;
	rc = xen_memory_free(c->ts->xen, &free_kib, c->fault);
	return rc ? rc : plan_memory_short(c->config, free_kib, c->fault);
}

static int tune(struct creation *c)
{
	return tuning_apply(c->ts, c->config, c->layout.domid, c->fault);
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int creation_steps(struct creation *c, const struct creation_step *steps)
{
	struct create_timing *timing = c->options->timing;
	int rc = 0;

	for (const struct creation_step *step = steps; step->name && !rc; step++) {
		uint64_t begun = now_us();

		rc = step->run(c);
		c->made = c->made || !rc;
		if (timing && timing->steps < CREATE_STEPS) {
			timing->step[timing->steps].name = step->name;
			timing->step[timing->steps++].us = now_us() - begun;
		}
	}
	return rc;
}

/* In their order; each has nothing but what those before it made. */
static const struct creation_step steps[] = {
	{"make", make},
	{"claim", claim},
	{"tune", tune},
	{"build", build},
	{"store", creation_store},
	{"introduce", creation_introduce},
	{"devices", creation_devices},
	{"start", creation_start},
	{0},
};

int domain_create(struct toolstack *ts, const struct domain_config *config,
		  const struct create_options *options, uint16_t *domid, struct fault *fault)
{
	struct creation c = {
		.ts = ts, .config = config, .options = options, .model_fd = -1, .fault = fault};
	int rc = 0;

	/* A saved guest booted long ago. */
	if (!options->stream || config->type == DOMAIN_HVM)
		rc = boot_prepare(ts, config, options->menu, &c.boot, fault);
	if (rc)
		return rc;
	c.layout.bios = c.boot.firmware.bios;
	c.layout.video_kib = c.boot.video_kib;
	uuid_unparse_lower(config->uuid, c.uuid);
	rc = creation_steps(&c, steps);
	if (rc && c.made)
		undo(&c);
	nodes_free(&c.nodes);
	*domid = c.layout.domid;
	if (c.model_fd >= 0)
		close(c.model_fd);
	boot_free(&c.boot);
	return rc;
}
