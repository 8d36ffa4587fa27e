#include "toolstack/xen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>
#include <xenguest.h>
#include <xentoollog.h>

/* As libxl: the ports a guest may have, and Xen's own bounds of grant frames. */
#define EVTCHN_PORT_MAX     1023
#define GRANT_FRAMES_XEN    (-1)
#define MAXMEM_CONSTANT_KIB 1024

#define DOMAINS_MAX 32768u
#define LIST_STEP   1024u

/* The library reports in several lines; the first is the one that knows. */
struct report {
	xentoollog_logger vtable;
	char text[256];
};

struct xen {
	xc_interface *xc;
	struct report report;
};

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
}

static void report_destroy(xentoollog_logger *logger)
{
}

/* Only after a call that failed: errno is the call's. */
static int failed(struct xen *xen, struct fault *fault, uint16_t domid, const char *call)
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

/* The library's own message of a call that went well after all is of no interest. */
static void fresh(struct xen *xen)
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

static int limits_set(struct xen *xen, uint16_t domid, const struct xen_limits *limits,
		      struct fault *fault)
{
	fresh(xen);
	if (xc_domain_max_vcpus(xen->xc, domid, limits->vcpus))
		return failed(xen, fault, domid, "xc_domain_max_vcpus");
	if (xc_domain_setmaxmem(xen->xc, domid, limits->memory_kib + MAXMEM_CONSTANT_KIB))
		return failed(xen, fault, domid, "xc_domain_setmaxmem");
	return 0;
}

int xen_domain_create(struct xen *xen, const struct xen_limits *limits, uint16_t *domid,
		      struct fault *fault)
{
	struct xen_domctl_createdomain create = {
		.max_vcpus = limits->vcpus,
		.max_evtchn_port = EVTCHN_PORT_MAX,
		.max_grant_frames = GRANT_FRAMES_XEN,
		.max_maptrack_frames = GRANT_FRAMES_XEN,
		.grant_opts = XEN_DOMCTL_GRANT_version(1),
	};
	uint32_t id = 0; /* 0: Xen chooses */
	int rc;

	memcpy(create.handle, limits->uuid, sizeof(create.handle));
	fresh(xen);
	if (xc_domain_create(xen->xc, &id, &create)) {
		rc = errno ? -errno : -EIO;
		return fault_set(fault, rc, "xc_domain_create: %s", strerror(-rc));
	}
	rc = limits_set(xen, (uint16_t)id, limits, fault);
	if (rc)
		xc_domain_destroy(xen->xc, id);
	else
		*domid = (uint16_t)id;
	return rc;
}

int xen_port_alloc(struct xen *xen, uint16_t domid, uint32_t *port, struct fault *fault)
{
	xc_evtchn_port_or_error_t got;

	fresh(xen);
	got = xc_evtchn_alloc_unbound(xen->xc, domid, 0);
	if (got < 0)
		return failed(xen, fault, domid, "xc_evtchn_alloc_unbound");
	*port = (uint32_t)got;
	return 0;
}

/* The order of libxl__build_pv, libxl_dom.c. */
static const char *build(struct xc_dom_image *dom, struct xen *xen, uint16_t domid,
			 const struct xen_image *image)
{
	if (xc_dom_kernel_file(dom, image->kernel))
		return "xc_dom_kernel_file";
	if (xc_dom_boot_xen_init(dom, xen->xc, domid))
		return "xc_dom_boot_xen_init";
	if (xc_dom_parse_image(dom))
		return "xc_dom_parse_image";
	if (xc_dom_mem_init(dom, (unsigned)(image->memory_kib >> 10)))
		return "xc_dom_mem_init";
	if (xc_dom_boot_mem_init(dom))
		return "xc_dom_boot_mem_init";
	if (xc_dom_build_image(dom))
		return "xc_dom_build_image";
	if (xc_dom_boot_image(dom))
		return "xc_dom_boot_image";
	if (xc_dom_gnttab_init(dom))
		return "xc_dom_gnttab_init";
	return NULL;
}

int xen_domain_build_process(struct xen *xen, uint16_t domid, const struct xen_image *image,
			     struct xen_built *built, struct fault *fault)
{
	struct xc_dom_image *dom;
	const char *call;
	int rc = 0;

	fresh(xen);
	xc_dom_loginit(xen->xc);
	dom = xc_dom_allocate(xen->xc, image->cmdline, NULL);
	if (!dom)
		return failed(xen, fault, domid, "xc_dom_allocate");
	dom->container_type = XC_DOM_PV_CONTAINER;
	dom->max_vcpus = image->vcpus;
	dom->xenstore_evtchn = image->xenstore_port;
	dom->console_evtchn = image->console_port;
	fresh(xen);
	call = build(dom, xen, domid, image);
	if (call) {
		rc = failed(xen, fault, domid, call);
	} else {
		built->xenstore_frame = xc_dom_p2m(dom, dom->xenstore_pfn);
		built->console_frame = xc_dom_p2m(dom, dom->console_pfn);
	}
	xc_dom_release(dom);
	return rc;
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

	fresh(xen);
	n = xc_domain_getinfolist(xen->xc, domid, 1, &info);
	if (n < 0)
		return failed(xen, fault, domid, "xc_domain_getinfolist");
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
		fresh(xen);
		n = info ? xc_domain_getinfolist(xen->xc, first, LIST_STEP, info) : -1;
		if (n < 0) {
			rc = failed(xen, fault, (uint16_t)first, "xc_domain_getinfolist");
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

	fresh(xen);
	if (xc_physinfo(xen->xc, &info)) {
		int rc = errno ? -errno : -EIO;

		return fault_set(fault, rc, "xc_physinfo: %s", strerror(-rc));
	}
	*kib = (info.free_pages - info.outstanding_pages) * (XC_PAGE_SIZE / 1024);
	return 0;
}

int xen_domain_pause(struct xen *xen, uint16_t domid, struct fault *fault)
{
	fresh(xen);
	return xc_domain_pause(xen->xc, domid) ? failed(xen, fault, domid, "xc_domain_pause") : 0;
}

int xen_domain_unpause(struct xen *xen, uint16_t domid, struct fault *fault)
{
	fresh(xen);
	return xc_domain_unpause(xen->xc, domid) ? failed(xen, fault, domid, "xc_domain_unpause")
						 : 0;
}

int xen_domain_destroy(struct xen *xen, uint16_t domid, struct fault *fault)
{
	fresh(xen);
	return xc_domain_destroy(xen->xc, domid) ? failed(xen, fault, domid, "xc_domain_destroy")
						 : 0;
}
