#include "toolstack/xen/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOMAINS_MAX 32768u
#define LIST_STEP   1024u

static void report_message(xentoollog_logger *logger, xentoollog_level level, int errnoval,
			   const char *context, const char *format, va_list args)
	__attribute__((format(printf, 5, 0)));

static void report_message(xentoollog_logger *logger, xentoollog_level level, int errnoval,
			   const char *context, const char *format, va_list args)
{
	struct report *report = (struct report *)logger;

	if (level >= XTL_ERROR && !report->text[0])
		vsnprintf(report->text, sizeof(report->text), format, args);
}

static void report_progress(xentoollog_logger *logger, const char *context, const char *doing,
			    int percent, unsigned long done, unsigned long total)
{
	struct report *report = (struct report *)logger;

	if (report->progress)
		report->progress(doing, done, total, report->progress_arg);
}

static void report_destroy(xentoollog_logger *logger)
{
}

int xen_failed(struct xen *xen, struct fault *fault, uint16_t domid, const char *call)
{
	int rc = errno ? -errno : -EIO;

	if (xen->report.text[0])
		fault_set(fault, rc, "domain %u: %s: %s (%s)", domid, call, strerror(-rc),
			  xen->report.text);
	else
		fault_set(fault, rc, "domain %u: %s: %s", domid, call, strerror(-rc));
	xen->report.text[0] = '\0';
	return rc;
}

void xen_fresh(struct xen *xen)
{
	xen->report.text[0] = '\0';
	errno = 0;
}

int xen_open(struct xen **out, struct fault *fault)
{
	struct xen *xen = calloc(1, sizeof(*xen));

	if (!xen)
		return fault_memory(fault);
	xen->report.vtable = (xentoollog_logger){report_message, report_progress, report_destroy};
	xen->xc = xc_interface_open(&xen->report.vtable, &xen->report.vtable, 0);
	if (!xen->xc) {
		int rc = errno ? -errno : -EIO;

		free(xen);
		return fault_set(fault, rc,
				 "no hypervisor: %s; run this in dom0 as root, or inside "
				 "xsplit-embedded",
				 strerror(-rc));
	}
	*out = xen;
	return 0;
}

void xen_close(struct xen *xen)
{
	if (!xen)
		return;
	xc_interface_close(xen->xc);
	free(xen);
}

int xen_port_alloc(struct xen *xen, uint16_t domid, uint32_t *port, struct fault *fault)
{
	xc_evtchn_port_or_error_t got;

	xen_fresh(xen);
	got = xc_evtchn_alloc_unbound(xen->xc, domid, 0);
	if (got < 0)
		return xen_failed(xen, fault, domid, "xc_evtchn_alloc_unbound");
	*port = (uint32_t)got;
	return 0;
}

static void domain_take(const xc_domaininfo_t *from, struct xen_domain *domain)
{
	unsigned flags = from->flags;

	*domain = (struct xen_domain){
		.domid = from->domain,
		.dying = flags & XEN_DOMINF_dying,
		.shutdown = flags & XEN_DOMINF_shutdown,
		.paused = flags & XEN_DOMINF_paused,
		.blocked = flags & XEN_DOMINF_blocked,
		.running = flags & XEN_DOMINF_running,
		.memory_kib = (from->tot_pages + from->outstanding_pages) * (XC_PAGE_SIZE / 1024),
		.vcpus = from->nr_online_vcpus,
		.max_vcpus = from->max_vcpu_id == XEN_INVALID_MAX_VCPU_ID ? 0
									  : from->max_vcpu_id + 1,
		.pool = from->cpupool,
		.cpu_ns = from->cpu_time,
	};
	if (domain->shutdown)
		domain->shutdown_reason = flags >> XEN_DOMINF_shutdownshift &
					  XEN_DOMINF_shutdownmask;
	memcpy(domain->uuid, from->handle, sizeof(domain->uuid));
}

int xen_domain_get(struct xen *xen, uint16_t domid, struct xen_domain *domain, struct fault *fault)
{
	xc_domaininfo_t info;
	int n;

	xen_fresh(xen);
	n = xc_domain_getinfolist(xen->xc, domid, 1, &info);
	if (n < 0)
		return xen_failed(xen, fault, domid, "xc_domain_getinfolist");
	if (n == 0 || info.domain != domid)
		return -ENOENT;
	domain_take(&info, domain);
	return 0;
}

int xen_domain_list(struct xen *xen, struct xen_domain **list, size_t *count, struct fault *fault)
{
	xc_domaininfo_t *info = calloc(LIST_STEP, sizeof(*info));
	struct xen_domain *found = NULL, *grown;
	uint32_t first = 0;
	int n, rc = 0;

	*count = 0;
	do {
		xen_fresh(xen);
		n = info ? xc_domain_getinfolist(xen->xc, first, LIST_STEP, info) : -1;
		if (n < 0) {
			rc = xen_failed(xen, fault, (uint16_t)first, "xc_domain_getinfolist");
			break;
		}
		grown = realloc(found, (*count + (size_t)n + 1) * sizeof(*found));
		if (!grown) {
			rc = fault_memory(fault);
			break;
		}
		found = grown;
		for (int i = 0; i < n; i++)
			domain_take(&info[i], &found[(*count)++]);
		first = n ? info[n - 1].domain + 1u : first;
	} while ((unsigned)n == LIST_STEP && first < DOMAINS_MAX);
	free(info);
	if (rc) {
		free(found);
		return rc;
	}
	*list = found;
	return 0;
}

int xen_memory_free(struct xen *xen, uint64_t *kib, struct fault *fault)
{
	xc_physinfo_t info = {0};

	xen_fresh(xen);
	if (xc_physinfo(xen->xc, &info)) {
		int rc = errno ? -errno : -EIO;

		return fault_set(fault, rc, "xc_physinfo: %s", strerror(-rc));
	}
	*kib = (info.free_pages - info.outstanding_pages) * (XC_PAGE_SIZE / 1024);
	return 0;
}

int xen_memory_claim(struct xen *xen, uint16_t domid, uint64_t kib, struct fault *fault)
{
	xen_fresh(xen);
	if (!xc_domain_claim_pages(xen->xc, domid, kib / (XC_PAGE_SIZE / 1024)))
		return 0;
	return errno == ENOMEM ? -ENOMEM : xen_failed(xen, fault, domid, "xc_domain_claim_pages");
}

int xen_domain_pause(struct xen *xen, uint16_t domid, struct fault *fault)
{
	xen_fresh(xen);
	return xc_domain_pause(xen->xc, domid) ? xen_failed(xen, fault, domid, "xc_domain_pause")
					       : 0;
}

int xen_domain_unpause(struct xen *xen, uint16_t domid, struct fault *fault)
{
	xen_fresh(xen);
	return xc_domain_unpause(xen->xc, domid)
		       ? xen_failed(xen, fault, domid, "xc_domain_unpause")
		       : 0;
}

int xen_domain_destroy(struct xen *xen, uint16_t domid, struct fault *fault)
{
	xen_fresh(xen);
	return xc_domain_destroy(xen->xc, domid)
		       ? xen_failed(xen, fault, domid, "xc_domain_destroy")
		       : 0;
}

int xen_domain_sethandle(struct xen *xen, uint16_t domid, const uuid_t uuid, struct fault *fault)
{
	xen_domain_handle_t handle = {0};

	memcpy(handle, uuid, sizeof(handle));
	xen_fresh(xen);
	return xc_domain_sethandle(xen->xc, domid, handle)
		       ? xen_failed(xen, fault, domid, "xc_domain_sethandle")
		       : 0;
}
