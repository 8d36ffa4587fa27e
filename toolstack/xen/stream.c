#include "toolstack/xen/stream.h"

#include <errno.h>
#include <string.h>

#include "toolstack/xen/internal.h"

#include <xen/hvm/params.h>

/* libxl's policy: a live copy ends when little is left to copy or it does not get less. */
#define PRECOPY_ROUNDS 5u
#define PRECOPY_PAGES  50

struct saving {
	struct xen *xen;
	uint16_t domid;
	const struct xen_save_calls *calls;
};

static int save_suspend(void *data)
{
	struct saving *saving = data;

	/* The library takes 1 for done. */
	return saving->calls->suspend(saving->calls->arg) ? 0 : 1;
}

static int save_logdirty(uint32_t domid, unsigned enable, void *data)
{
	struct saving *saving = data;

	return saving->calls->logdirty(enable, saving->calls->arg);
}

static int save_policy(struct precopy_stats stats, void *data)
{
	return stats.iteration >= PRECOPY_ROUNDS ||
			       (stats.dirty_count >= 0 && stats.dirty_count < PRECOPY_PAGES)
		       ? XGS_POLICY_STOP_AND_COPY
		       : XGS_POLICY_CONTINUE_PRECOPY;
}

int xen_domain_save(struct xen *xen, uint16_t domid, int fd, bool live,
		    const struct xen_save_calls *calls, struct fault *fault)
{
	struct saving saving = {xen, domid, calls};
	struct save_callbacks callbacks = {
		.suspend = save_suspend,
		.precopy_policy = save_policy,
		.switch_qemu_logdirty = save_logdirty,
		.data = &saving,
	};
	int rc;

	xen_fresh(xen);
	xen->report.progress = calls->progress;
	xen->report.progress_arg = calls->arg;
	rc = xc_domain_save(xen->xc, fd, domid, live ? XCFLAGS_LIVE : 0, &callbacks,
			    XC_STREAM_PLAIN, -1)
		     ? -1
		     : 0;
	xen->report.progress = NULL;
	if (!rc)
		return 0;
	/* A call of ours that failed has said why. */
	if (fault->text[0])
		return errno ? -errno : -EIO;
	return xen_failed(xen, fault, domid, "xc_domain_save");
}

/* Only streams of older Xen lack them; ours refuses those. */
static int restore_static_done(unsigned missing, void *data)
{
	if (!missing)
		return 0;
	errno = ENOTSUP;
	return -1;
}

int xen_domain_restore(struct xen *xen, uint16_t domid, int fd, uint32_t xenstore_port,
		       uint32_t console_port, struct xen_built *built, xen_progress progress,
		       void *arg, struct fault *fault)
{
	struct restore_callbacks callbacks = {.static_data_done = restore_static_done};
	unsigned long xenstore = 0, console = 0;
	int rc;

	xen_fresh(xen);
	xen->report.progress = progress;
	xen->report.progress_arg = arg;
	rc = xc_domain_restore(xen->xc, fd, domid, xenstore_port, &xenstore, 0, console_port,
			       &console, 0, XC_STREAM_PLAIN, &callbacks, -1);
	xen->report.progress = NULL;
	if (rc)
		return xen_failed(xen, fault, domid, "xc_domain_restore");
	built->xenstore_frame = xenstore;
	built->console_frame = console;
	return 0;
}

int xen_domain_resume(struct xen *xen, uint16_t domid, bool cancelled, struct fault *fault)
{
	xen_fresh(xen);
	return xc_domain_resume(xen->xc, domid, cancelled)
		       ? xen_failed(xen, fault, domid, "xc_domain_resume")
		       : 0;
}

bool xen_logdirty_works(struct xen *xen, uint16_t domid)
{
	if (xc_shadow_control(xen->xc, domid, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, NULL, 0) < 0)
		return false;
	xen_logdirty_off(xen, domid);
	return true;
}

void xen_logdirty_off(struct xen *xen, uint16_t domid)
{
	xc_shadow_control(xen->xc, domid, XEN_DOMCTL_SHADOW_OP_OFF, NULL, 0);
}

int xen_domain_paravirtual(struct xen *xen, uint16_t domid, bool *paravirtual, struct fault *fault)
{
	uint64_t callback = 0, sleeping = 0;

	xen_fresh(xen);
	if (xc_hvm_param_get(xen->xc, domid, HVM_PARAM_CALLBACK_IRQ, &callback) ||
	    xc_hvm_param_get(xen->xc, domid, HVM_PARAM_ACPI_S_STATE, &sleeping))
		return xen_failed(xen, fault, domid, "xc_hvm_param_get");
	*paravirtual = callback && !sleeping;
	return 0;
}

int xen_domain_shutdown(struct xen *xen, uint16_t domid, unsigned reason, struct fault *fault)
{
	xen_fresh(xen);
	return xc_domain_shutdown(xen->xc, domid, (int)reason)
		       ? xen_failed(xen, fault, domid, "xc_domain_shutdown")
		       : 0;
}
