/*
 * store_stub.c - just enough of Xen's libraries for a xenstored, ours or C's, to serve rings that a
 * test owns. Preloaded; $STORE_STUB names a directory with
 *
 *   domains   16 bytes: '1' alive, 's' shut down, 'd' dying, anything else: no such domain
 *   ring-N    the page of domain N; ring-0 is what dom0's kernel would have
 *   events    a datagram socket, made here: a 32-bit local port is an event. 99 is VIRQ_DOM_EXC,
 *             100 + N belongs to domain N. What the daemon notifies, nobody hears.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#define DOMAINS     16
#define PORT_VIRQ   99
#define PORT_DOMAIN 100

static struct {
	const char *domains;
	void *ring[DOMAINS];
	int events;
} stub;

static void *map_file(const char *name, size_t size, int prot)
{
	char path[256];
	void *page;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", getenv("STORE_STUB"), name);
	fd = openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	page = mmap(NULL, size, prot, MAP_SHARED, fd, 0);
	close(fd);
	return page == MAP_FAILED ? NULL : page;
}

/* Everything is mapped before the daemon locks itself in. */
static void __attribute__((constructor)) stub_open(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[32];

	if (!getenv("STORE_STUB"))
		return;
	stub.domains = map_file("domains", DOMAINS, PROT_READ);
	for (int i = 0; i < DOMAINS; i++) {
		snprintf(name, sizeof(name), "ring-%d", i);
		stub.ring[i] = map_file(name, XC_PAGE_SIZE, PROT_READ | PROT_WRITE);
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/events", getenv("STORE_STUB"));
	stub.events = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!stub.domains || bind(stub.events, (struct sockaddr *)&address, sizeof(address)))
		abort();
}

static int stub_file(const char *path)
{
	char kva[256];
	int fd;

	if (!strcmp(path, "/proc/xen/xsd_kva")) {
		snprintf(kva, sizeof(kva), "%s/ring-0", getenv("STORE_STUB"));
		return openat(AT_FDCWD, kva, O_RDWR);
	}
	fd = memfd_create("xsd_port", 0);
	(void)!pwrite(fd, "1", 1, 0);
	return fd;
}

int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);

int open(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	if (!strncmp(path, "/proc/xen/xsd_", 14))
		return stub_file(path);
	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, int) : 0;
	va_end(args);
	return openat(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

static bool exists(uint32_t domid)
{
	return domid < DOMAINS && stub.domains[domid] && strchr("1sd", stub.domains[domid]);
}

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *builder,
				unsigned flags)
{
	return (xc_interface *)&stub;
}

int xc_interface_close(xc_interface *xch)
{
	return 0;
}

int xc_domain_getinfo(xc_interface *xch, uint32_t first, unsigned max, xc_dominfo_t *info)
{
	int count = 0;

	for (uint32_t i = first; i < DOMAINS && count < (int)max; i++) {
		if (!exists(i))
			continue;
		memset(&info[count], 0, sizeof(*info));
		info[count].domid = i;
		info[count].shutdown = stub.domains[i] == 's';
		info[count++].dying = stub.domains[i] == 'd';
	}
	return count;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned int max,
			  xc_domaininfo_t *info)
{
	int count = 0;

	for (uint32_t i = first; i < DOMAINS && count < (int)max; i++) {
		if (!exists(i))
			continue;
		memset(&info[count], 0, sizeof(*info));
		info[count].domain = i;
		info[count++].flags = (stub.domains[i] == 's' ? XEN_DOMINF_shutdown : 0) |
				      (stub.domains[i] == 'd' ? XEN_DOMINF_dying : 0);
	}
	return count;
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned flags)
{
	return (xengnttab_handle *)&stub;
}

int xengnttab_close(xengnttab_handle *xgt)
{
	return 0;
}

int xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t count)
{
	return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
	errno = ESRCH;
	return exists(domid) && ref == GNTTAB_RESERVED_XENSTORE ? stub.ring[domid] : NULL;
}

int xengnttab_unmap(xengnttab_handle *xgt, void *page, uint32_t count)
{
	return 0;
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	return (xenevtchn_handle *)&stub;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
	return 0;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
	return stub.events;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
	uint32_t port;

	return read(stub.events, &port, sizeof(port)) == sizeof(port) ? (int)port : -1;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	return 0;
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid,
						     evtchn_port_t port)
{
	errno = EINVAL;
	return exists(domid) ? PORT_DOMAIN + (int)domid : -1;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
	return PORT_VIRQ;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	return 0;
}
