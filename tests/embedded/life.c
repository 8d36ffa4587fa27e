/*
 * life - the life of a process guest, by the calls of libxenctrl and libxenguest alone.
 *
 * Runs in dom0 of a host without xenstored, for VIRQ_DOM_EXC is this program's then.
 * life DIR: DIR is an empty directory that the guests write into.
 */
#define XC_WANT_COMPAT_MAP_FOREIGN_API 1
#include <stdint.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenguest.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/hvm/params.h>
#include <xen/io/xs_wire.h>

#define NEVER 5000 /* milliseconds */

struct life {
	const char *dir;
	const char *socket; /* of dom0 */
	xc_interface *xc;
	xenevtchn_handle *evtchn;
	evtchn_port_t virq;
	uint32_t last; /* domain made */
};

#define check(condition)                                                                  \
	do {                                                                              \
		if (!(condition)) {                                                       \
			(void)fprintf(stderr, "life: line %d: not true: %s (errno %s)\n", \
				      __LINE__, #condition, strerror(errno));             \
			exit(EXIT_FAILURE);                                               \
		}                                                                         \
	} while (0)

/* The call fails with this errno. */
#define check_fails(call, error)         \
	do {                             \
		errno = 0;               \
		check((call) == -1);     \
		check(errno == (error)); \
	} while (0)

static xc_dominfo_t info_of(struct life *life, uint32_t domid)
{
	xc_dominfo_t info;

	check(xc_domain_getinfo(life->xc, domid, 1, &info) == 1);
	check(info.domid == domid);
	return info;
}

static bool is_there(struct life *life, uint32_t domid)
{
	xc_dominfo_t info;

	return xc_domain_getinfo(life->xc, domid, 1, &info) == 1 && info.domid == domid;
}

/* Until VIRQ_DOM_EXC was raised. */
static void await_change(struct life *life)
{
	struct pollfd polled = {.fd = xenevtchn_fd(life->evtchn), .events = POLLIN};

	check(poll(&polled, 1, NEVER) == 1);
	check(xenevtchn_pending(life->evtchn) == (int)life->virq);
	check(xenevtchn_unmask(life->evtchn, life->virq) == 0);
}

static bool no_change(struct life *life)
{
	struct pollfd polled = {.fd = xenevtchn_fd(life->evtchn), .events = POLLIN};

	return poll(&polled, 1, 0) == 0;
}

static uint32_t create(struct life *life)
{
	struct xen_domctl_createdomain config = {.max_vcpus = 1,
						 .max_evtchn_port = 1023,
						 .grant_opts = 1,
						 .handle = "0123456789abcde"};
	uint32_t domid = 0;

	check(xc_domain_create(life->xc, &domid, &config) == 0);
	check(domid > life->last && domid < DOMID_FIRST_RESERVED);
	life->last = domid;
	check(xc_domain_max_vcpus(life->xc, domid, 1) == 0);
	check(xc_domain_setmaxmem(life->xc, domid, 17 << 10) == 0);
	return domid;
}

/* As libxl builds a PV guest. */
static void build(struct life *life, uint32_t domid, const char *script)
{
	char cmdline[512];
	struct xc_dom_image *dom;
	xc_evtchn_port_or_error_t port = xc_evtchn_alloc_unbound(life->xc, domid, 0);

	check(port > 0);
	(void)snprintf(cmdline, sizeof(cmdline), "-c \"cd %s; %s\"", life->dir, script);
	xc_dom_loginit(life->xc);
	dom = xc_dom_allocate(life->xc, cmdline, NULL);
	check(dom);
	dom->container_type = XC_DOM_PV_CONTAINER;
	dom->xenstore_evtchn = (unsigned int)port;
	check(xc_dom_kernel_file(dom, "/bin/sh") == 0);
	check(xc_dom_boot_xen_init(dom, life->xc, domid) == 0);
	check(xc_dom_parse_image(dom) == 0);
	check(xc_dom_mem_init(dom, 16) == 0);
	check(xc_dom_boot_mem_init(dom) == 0);
	check(xc_dom_build_image(dom) == 0);
	check(xc_dom_boot_image(dom) == 0);
	check(xc_dom_gnttab_init(dom) == 0);
	xc_dom_release(dom);
}

static uint32_t guest(struct life *life, const char *script)
{
	uint32_t domid = create(life);

	build(life, domid, script);
	return domid;
}

static void destroy(struct life *life, uint32_t domid)
{
	check(xc_domain_destroy(life->xc, domid) == 0);
	check(!is_there(life, domid));
	await_change(life);
}

static bool exists(const struct life *life, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", life->dir, name);
	return access(path, F_OK) == 0;
}

static void await_file(const struct life *life, const char *name)
{
	for (int i = 0; i < NEVER / 10 && !exists(life, name); i++)
		usleep(10000);
	check(exists(life, name));
}

static void test_create(struct life *life)
{
	uint32_t domid = create(life);
	xc_dominfo_t info = info_of(life, domid);
	xc_domaininfo_t list[4];

	check(info.paused && !info.shutdown && !info.crashed && !info.dying && !info.hvm);
	check(!memcmp(info.handle, "0123456789abcde", 16));
	check(info.max_memkb == 17 << 10 && info.nr_pages == 0);
	check(info.nr_online_vcpus == 1 && info.max_vcpu_id == 0);

	check(xc_domain_getinfolist(life->xc, 0, 4, list) == 2);
	check(list[0].domain == 0 && list[1].domain == domid);
	check(list[0].flags & XEN_DOMINF_running);
	check(xc_domain_getinfolist(life->xc, 1, 4, list) == 1);
	check(xc_domain_getinfolist(life->xc, domid + 1, 4, list) == 0);
	check_fails(xc_domain_getinfo(life->xc, domid + 1, 1, &info), ESRCH);

	check_fails(xc_domain_max_vcpus(life->xc, domid, 2), EINVAL);
	check_fails(xc_domain_create(life->xc, &domid, &(struct xen_domctl_createdomain){0}),
		    EEXIST);
	check_fails(xc_domain_pause(life->xc, domid + 1), ESRCH);
	check_fails(xc_domain_destroy(life->xc, domid + 1), ESRCH);
	check_fails(xc_domain_destroy(life->xc, 0), EINVAL);
	check(no_change(life));
	destroy(life, domid);
}

/* What grants 0 and 1 and the parameters say of the pages that the builder made. */
static void test_pages(struct life *life)
{
	uint32_t domid = guest(life, "true");
	xengnttab_handle *gnttab = xengnttab_open(NULL, 0);
	struct xenstore_domain_interface *granted, *mapped;
	uint64_t frame, port;

	check(xc_hvm_param_get(life->xc, domid, HVM_PARAM_STORE_PFN, &frame) == 0 && frame);
	check(xc_hvm_param_get(life->xc, domid, HVM_PARAM_STORE_EVTCHN, &port) == 0 && port);
	check_fails(xc_hvm_param_get(life->xc, domid, HVM_NR_PARAMS, &port), EINVAL);
	mapped = xc_map_foreign_range(life->xc, domid, XC_PAGE_SIZE, PROT_READ | PROT_WRITE, frame);
	check(mapped);
	check(gnttab);
	granted = xengnttab_map_grant_ref(gnttab, domid, GNTTAB_RESERVED_XENSTORE,
					  PROT_READ | PROT_WRITE);
	check(granted);
	check(mapped->req_prod == 0);
	granted->req_prod = 77;
	check(mapped->req_prod == 77);
	check(!xc_map_foreign_range(life->xc, domid, XC_PAGE_SIZE, PROT_READ, 1u << 30));
	check(info_of(life, domid).nr_pages == 16 << 8);
	xengnttab_unmap(gnttab, granted, 1);
	granted = xengnttab_map_grant_ref(gnttab, domid, GNTTAB_RESERVED_CONSOLE, PROT_READ);
	check(granted);
	xengnttab_unmap(gnttab, granted, 1);
	munmap(mapped, XC_PAGE_SIZE);
	xengnttab_close(gnttab);
	destroy(life, domid);
}

static void test_ports(struct life *life)
{
	uint32_t domid = create(life);
	xc_evtchn_port_or_error_t port = xc_evtchn_alloc_unbound(life->xc, domid, 0);
	xc_evtchn_status_t status = {.dom = (domid_t)domid, .port = (evtchn_port_t)port};
	int bound;

	check(port > 0 && xc_evtchn_status(life->xc, &status) == 0);
	check(status.status == EVTCHNSTAT_unbound && status.u.unbound.dom == 0);
	bound = xenevtchn_bind_interdomain(life->evtchn, domid, (evtchn_port_t)port);
	check(bound > 0 && xc_evtchn_status(life->xc, &status) == 0);
	check(status.status == EVTCHNSTAT_interdomain && status.u.interdomain.dom == 0);
	check(status.u.interdomain.port == (evtchn_port_t)bound);
	status = (xc_evtchn_status_t){.dom = DOMID_SELF, .port = life->virq};
	check(xc_evtchn_status(life->xc, &status) == 0);
	check(status.status == EVTCHNSTAT_virq && status.u.virq == VIRQ_DOM_EXC);
	status = (xc_evtchn_status_t){.dom = (domid_t)domid, .port = (evtchn_port_t)port + 1};
	check(xc_evtchn_status(life->xc, &status) == 0 && status.status == EVTCHNSTAT_closed);
	status.port = 1u << 20;
	check_fails(xc_evtchn_status(life->xc, &status), EINVAL);
	/* A bound port starts pending: not to be mistaken for the VIRQ. */
	check(xenevtchn_pending(life->evtchn) == bound);
	check(xenevtchn_unbind(life->evtchn, (evtchn_port_t)bound) == 0);
	destroy(life, domid);
}

static const struct {
	const char *what, *script;
	int reason; /* that xc_domain_shutdown() is called with, or -1 */
	unsigned int wanted;
} ends[] = {
	{"exit 0 is poweroff", "exit 0", -1, SHUTDOWN_poweroff},
	{"exit 3 is a crash", "exit 3", -1, SHUTDOWN_crash},
	{"a signal is a crash", "kill -9 \\$\\$", -1, SHUTDOWN_crash},
	{"with children left", "setsid sleep 1000 & exit 0", -1, SHUTDOWN_poweroff},
	{"told to reboot", "sleep 1000", SHUTDOWN_reboot, SHUTDOWN_reboot},
	{"told to crash", "sleep 1000", SHUTDOWN_crash, SHUTDOWN_crash},
};

static void test_ends(struct life *life)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		uint32_t domid = guest(life, ends[i].script);
		xc_dominfo_t info;

		(void)fprintf(stderr, "life: %s\n", ends[i].what);
		check(info_of(life, domid).paused);
		check(xc_domain_unpause(life->xc, domid) == 0);
		if (ends[i].reason >= 0) {
			check(info_of(life, domid).running);
			check(xc_domain_shutdown(life->xc, domid, ends[i].reason) == 0);
		}
		await_change(life);
		info = info_of(life, domid);
		check(!info.dying && !info.running && !info.paused);
		check(info.shutdown_reason == ends[i].wanted);
		check(info.crashed == (ends[i].wanted == SHUTDOWN_crash));
		check(info.shutdown == (ends[i].wanted != SHUTDOWN_crash));
		/* One end is all that a domain has. */
		check(xc_domain_shutdown(life->xc, domid, SHUTDOWN_suspend) == 0);
		check(info_of(life, domid).shutdown_reason == ends[i].wanted);
		check(no_change(life));
		destroy(life, domid);
	}
}

static bool moves(const struct life *life)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/tick", life->dir);
	(void)unlink(path);
	for (int i = 0; i < 30; i++) {
		usleep(10000);
		if (!access(path, F_OK))
			return true;
	}
	return false;
}

static void test_pause(struct life *life)
{
	uint32_t domid = guest(life, "while :; do (:; : >tick); sleep 0.01; done");

	check(!moves(life));
	check(xc_domain_unpause(life->xc, domid) == 0);
	check(moves(life));
	check_fails(xc_domain_unpause(life->xc, domid), EINVAL);
	check(xc_domain_pause(life->xc, domid) == 0);
	check(xc_domain_pause(life->xc, domid) == 0);
	check(info_of(life, domid).paused && !info_of(life, domid).running);
	check(!moves(life));
	check(xc_domain_unpause(life->xc, domid) == 0);
	check(!moves(life));
	check(xc_domain_unpause(life->xc, domid) == 0);
	check(moves(life));
	check_fails(xc_domain_pause(life->xc, 0), EINVAL);
	for (unsigned pauses = 0; pauses < 255; pauses++)
		check(xc_domain_pause(life->xc, domid) == 0);
	check_fails(xc_domain_pause(life->xc, domid), EOVERFLOW);
	for (unsigned pauses = 0; pauses < 255; pauses++)
		check(xc_domain_unpause(life->xc, domid) == 0);
	check(moves(life));
	/* Paused or not, it can be destroyed. */
	check(xc_domain_pause(life->xc, domid) == 0);
	destroy(life, domid);
	check(!moves(life));
}

/* Whatever a guest started, in whatever session, ends with it. */
static void test_descendants(struct life *life)
{
	uint32_t domid = guest(life, "(setsid setsid sh -c 'trap : 1 2 15; : >up; while :; do "
				     ": >tick; sleep 0.01; done' &); sleep 1000");

	check(xc_domain_unpause(life->xc, domid) == 0);
	await_file(life, "up");
	check(moves(life));
	destroy(life, domid);
	check(!moves(life));
}

static const struct {
	const char *file;
	int error;
} kernels[] = {
	{"/no/such/file", ENOENT},
	{"/", EACCES},
	{"/etc/passwd", EACCES},
};

static void test_kernels(struct life *life)
{
	struct xc_dom_image *dom = xc_dom_allocate(life->xc, "a 'b", NULL);
	char text[512];
	FILE *file;

	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		check_fails(xc_dom_kernel_file(dom, kernels[i].file), kernels[i].error);
		check(strstr(xc_get_last_error(life->xc)->message, kernels[i].file));
	}
	(void)snprintf(text, sizeof(text), "%s/text", life->dir);
	file = fopen(text, "w");
	check(file && fputs("not a program", file) >= 0 && !fclose(file) && !chmod(text, 0755));
	check_fails(xc_dom_kernel_file(dom, text), ENOEXEC);
	check(xc_dom_kernel_file(dom, "/bin/sh") == 0);
	check_fails(xc_dom_parse_image(dom), EINVAL);
	check_fails(xc_dom_module_file(dom, "/bin/sh", NULL), ENOTSUP);
	xc_dom_release(dom);
}

/* More than its maximum is refused, as Xen refuses to populate it. */
static void test_memory(struct life *life)
{
	uint32_t domid = create(life);
	struct xc_dom_image *dom = xc_dom_allocate(life->xc, "", NULL);

	check(xc_dom_boot_xen_init(dom, life->xc, domid) == 0);
	check(xc_dom_mem_init(dom, 18) == 0);
	check_fails(xc_dom_boot_mem_init(dom), ENOMEM);
	check(xc_dom_mem_init(dom, 17) == 0);
	check(xc_dom_boot_mem_init(dom) == 0);
	xc_dom_release(dom);
	destroy(life, domid);
}

/* A guest's own calls: domain control is dom0's, its own parameters are not. */
static void test_rights(struct life *life)
{
	uint32_t domid = guest(life, "true");
	char path[512];
	xc_interface *xc;
	uint64_t frame;
	xc_dominfo_t info;

	(void)snprintf(path, sizeof(path), "%.*s/dom%u/host",
		       (int)(strlen(life->socket) - strlen("/dom0/host")), life->socket, domid);
	setenv("XSPLIT_EMBEDDED", path, 1);
	xc = xc_interface_open(NULL, NULL, 0);
	setenv("XSPLIT_EMBEDDED", life->socket, 1);
	check(xc);
	check_fails(xc_domain_getinfo(xc, 0, 1, &info), EPERM);
	check_fails(xc_domain_unpause(xc, domid), EPERM);
	check_fails(xc_domain_destroy(xc, domid), EPERM);
	check_fails(xc_hvm_param_get(xc, 0, HVM_PARAM_STORE_PFN, &frame), EPERM);
	check(xc_hvm_param_get(xc, DOMID_SELF, HVM_PARAM_STORE_PFN, &frame) == 0 && frame);
	errno = 0;
	check(!xc_map_foreign_range(xc, 0, XC_PAGE_SIZE, PROT_READ, 0) && errno == EPERM);
	xc_interface_close(xc);
	destroy(life, domid);
}

int main(int argc, char **argv)
{
	struct life life = {0};
	const char *own = getenv("XSPLIT_EMBEDDED");
	int port;

	check(argc == 2 && own);
	life.dir = argv[1];
	life.socket = strdup(own);
	life.xc = xc_interface_open(NULL, NULL, 0);
	life.evtchn = xenevtchn_open(NULL, 0);
	check(life.xc && life.evtchn);
	port = xenevtchn_bind_virq(life.evtchn, VIRQ_DOM_EXC);
	check(port > 0);
	life.virq = (evtchn_port_t)port;

	test_create(&life);
	test_pages(&life);
	test_ports(&life);
	test_ends(&life);
	test_pause(&life);
	test_descendants(&life);
	test_kernels(&life);
	test_memory(&life);
	test_rights(&life);
	xenevtchn_close(life.evtchn);
	xc_interface_close(life.xc);
	free((char *)life.socket);
	return EXIT_SUCCESS;
}
