#include "xenstore-tools/store/xen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xentoollog.h>

#include "lib/number.h"

/** Domains asked for at once; see SCAN_DOMAINS in death.c. */
#define DOMAINS_MAX 64u

struct xen {
	struct hypervisor table;
	xentoollog_logger_stdiostream
		*logger; /* says only what is grave: errors are ours to tell */
	xengnttab_handle *grants;
	xenevtchn_handle *ports;
	xc_interface *control;
	uint32_t virq;
};

static int result(int rc)
{
	return rc < 0 ? (errno ? -errno : -EIO) : rc;
}

static void *map(void *state, uint16_t domid)
{
	const struct xen *xen = (struct xen *)state;

	return xengnttab_map_grant_ref(xen->grants, domid, GNTTAB_RESERVED_XENSTORE,
				       PROT_READ | PROT_WRITE);
}

static void unmap(void *state, uint16_t domid, void *page)
{
	xengnttab_unmap(((struct xen *)state)->grants, page, 1);
}

static int bind_port(void *state, uint16_t domid, uint32_t port)
{
	return result(xenevtchn_bind_interdomain(((struct xen *)state)->ports, domid, port));
}

static void unbind(void *state, uint32_t port)
{
	xenevtchn_unbind(((struct xen *)state)->ports, port);
}

static void notify(void *state, uint32_t port)
{
	xenevtchn_notify(((struct xen *)state)->ports, port);
}

static int domains(void *state, uint16_t first, struct hypervisor_domain *domain, size_t max)
{
	xc_domaininfo_t info[DOMAINS_MAX];
	int count;

	count = xc_domain_getinfolist(((struct xen *)state)->control, first,
				      max < DOMAINS_MAX ? max : DOMAINS_MAX, info);
	if (count < 0)
		return result(count);
	for (int i = 0; i < count; i++)
		domain[i] = (struct hypervisor_domain){
			.domid = info[i].domain,
			.shutdown = info[i].flags & XEN_DOMINF_shutdown,
			.dying = info[i].flags & XEN_DOMINF_dying,
		};
	return count;
}

int xen_open(struct xen **out, const char **what)
{
	struct xen *xen = calloc(1, sizeof(*xen));
	int rc;

	*what = "memory";
	if (!xen)
		return -ENOMEM;
	xen->table = (struct hypervisor){xen, map, unmap, bind_port, unbind, notify, domains};
	xen->logger = xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
	if (!xen->logger)
		goto fail;
	errno = 0;
	*what = "event channels";
	xen->ports = xenevtchn_open((xentoollog_logger *)xen->logger, 0);
	if (!xen->ports)
		goto fail;
	*what = "grants";
	xen->grants = xengnttab_open((xentoollog_logger *)xen->logger, 0);
	if (!xen->grants)
		goto fail;
	*what = "control";
	xen->control = xc_interface_open((xentoollog_logger *)xen->logger,
					 (xentoollog_logger *)xen->logger, 0);
	if (!xen->control)
		goto fail;
	*what = "VIRQ_DOM_EXC";
	rc = xenevtchn_bind_virq(xen->ports, VIRQ_DOM_EXC);
	if (rc < 0)
		goto fail;
	xen->virq = rc;
	/* One page of each domain there may ever be; older kernels have no such limit. */
	(void)xengnttab_set_max_grants(xen->grants, DOMID_FIRST_RESERVED);
	*out = xen;
	return 0;

fail:
	rc = errno ? -errno : -ENOMEM;
	xen_close(xen);
	return rc;
}

void xen_close(struct xen *xen)
{
	if (!xen)
		return;
	if (xen->control)
		xc_interface_close(xen->control);
	if (xen->grants)
		xengnttab_close(xen->grants);
	if (xen->ports)
		xenevtchn_close(xen->ports);
	if (xen->logger)
		xtl_logger_destroy((xentoollog_logger *)xen->logger);
	free(xen);
}

const struct hypervisor *xen_hypervisor(const struct xen *xen)
{
	return &xen->table;
}

int xen_fd(const struct xen *xen)
{
	return xenevtchn_fd(xen->ports);
}

int xen_pending(struct xen *xen, uint32_t *port)
{
	int rc = result(xenevtchn_pending(xen->ports));

	if (rc < 0)
		return rc;
	*port = rc;
	/* Unmasked before we look: what comes while we do is told again. */
	return result(xenevtchn_unmask(xen->ports, rc));
}

uint32_t xen_virq_port(const struct xen *xen)
{
	return xen->virq;
}

static int read_port(uint32_t *port)
{
	char text[16] = "";
	int fd = open("/proc/xen/xsd_port", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return -errno;
	while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))
		text[--n] = '\0';
	return number_parse_u32(text, port);
}

int xen_dom0_ring(struct xen *xen, void **page, uint32_t *port)
{
	uint32_t remote = 0;
	void *mapped;
	int fd, rc;

	rc = read_port(&remote);
	if (rc)
		return rc;
	fd = open("/proc/xen/xsd_kva", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fd = open("/dev/xen/xsd_kva", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	mapped = mmap(NULL, XC_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	rc = mapped == MAP_FAILED ? -errno : 0;
	close(fd);
	if (rc)
		return rc;
	rc = bind_port(xen, 0, remote);
	if (rc < 0) {
		munmap(mapped, XC_PAGE_SIZE);
		return rc;
	}
	*page = mapped;
	*port = rc;
	notify(xen, rc);
	return 0;
}
