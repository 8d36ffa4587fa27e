#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/xs.h"
#include "toolstack/device/device.h"
#include "toolstack/device/model.h"
#include "toolstack/device/qemu.h"
#include "toolstack/device/script.h"
#include "toolstack/domain/creation.h"
#include "toolstack/domain/record.h"
#include "toolstack/xen/reset.h"

static int devices_remove(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct goners goners = {0};

	devices_back_remove(xs, t, arg, &goners);
	return goners_remove(&goners, xs, t);
}

/* Its machine's devices are in the state of the device model, the others begin anew. */
static int close_all(struct creation *c)
{
	struct toolstack *ts = c->ts;
	uint16_t domid = c->layout.domid;
	struct devices devices = {0};
	int rc = model_save(domid, &c->model_fd, c->fault);

	if (rc)
		return rc;
	if (devices_list(ts, domid, &devices))
		return fault_memory(c->fault);
	rc = devices_close(ts, &devices, true);
	if (!rc)
		rc = devices_wait_closed(ts, &devices, c->fault);
	if (!rc) {
		scripts_remove(ts, &devices);
		qemu_stop(ts, domid, QEMU_QDISK);
		model_stop(ts, domid);
		rc = xs_transact(ts->xs, devices_remove, &devices);
	}
	devices_free(&devices);
	if (rc && !c->fault->text[0])
		fault_set(c->fault, rc, "domain %u: cannot close its devices: %s", domid,
			  strerror(-rc));
	return rc;
}

/* The XenStore lets go of its page and port before Xen does; the console's looks for new ones. */
static int reset(struct creation *c)
{
	struct layout *layout = &c->layout;
	int rc;

	c->tty = xs_read_string(c->ts->xs, XBT_NULL, "/local/domain/%u/console/tty", layout->domid);
	xs_release_domain(c->ts->xs, layout->domid);
	rc = xen_domain_soft_reset(c->ts->xen, layout->domid, c->fault);
	if (!rc)
		rc = xen_port_alloc(c->ts->xen, layout->domid, &layout->xenstore_port, c->fault);
	if (!rc)
		rc = xen_port_alloc(c->ts->xen, layout->domid, &layout->console_port, c->fault);
	if (!rc)
		rc = xen_domain_ports_set(c->ts->xen, layout->domid, layout->xenstore_port,
					  layout->console_port, &layout->built, c->fault);
	return rc;
}

static const struct creation_step steps[] = {
	{"close", close_all},
	{"reset", reset},
	{"store", creation_store},
	{"introduce", creation_introduce},
	{"devices", creation_devices},
	{"start", creation_start},
	{0},
};

int domain_soft_reset(struct toolstack *ts, uint16_t domid, const struct domain_config *config,
		      unsigned quick, struct fault *fault)
{
	const struct create_options options = {.quick = quick, .busy = RECORD_RESTART};
	struct creation c = {.ts = ts,
			     .config = config,
			     .options = &options,
			     .layout = {.domid = domid},
			     .model_fd = -1,
			     .reset = true,
			     .fault = fault};
	int rc = record_busy(ts, domid, RECORD_RESTART);

	if (rc)
		return fault_set(fault, rc, "domain %u: cannot write to the XenStore: %s", domid,
				 strerror(-rc));
	/* What is reset goes on at once. */
	rc = xen_domain_pause(ts->xen, domid, fault);
	if (!rc)
		rc = boot_prepare(ts, config, false, &c.boot, fault);
	if (rc)
		return rc;
	uuid_unparse_lower(config->uuid, c.uuid);
	c.layout.bios = c.boot.firmware.bios;
	c.layout.video_kib = c.boot.video_kib;
	rc = creation_steps(&c, steps);
	nodes_free(&c.nodes);
	if (c.model_fd >= 0)
		close(c.model_fd);
	boot_free(&c.boot);
	free(c.tty);
	return rc;
}
