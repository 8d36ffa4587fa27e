/* The life of a domain: xenctrl.h, "DOMAIN MANAGEMENT FUNCTIONS". */
#include "embedded/ctrl/interface.h"

#include <errno.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "embedded/ctrl/calls.h"

/*
 * How far frame numbers of a domain go: 4 GiB. What its toolstack says of its memory is written
 * down only: its processes take their memory from Linux, its frames cost nothing until used.
 */
#define DOMAIN_FRAMES (1u << 20)

int xc_domain_create(xc_interface *xch, uint32_t *pdomid, struct xen_domctl_createdomain *config)
{
	struct wire_domain_create request = {
		.opcode = WIRE_DOMAIN_CREATE,
		.domid = *pdomid,
		.frames = DOMAIN_FRAMES,
		.hvm = !!(config->flags & XEN_DOMCTL_CDF_hvm),
		.ssidref = config->ssidref,
	};
	struct wire_domain_created reply;

	memcpy(request.handle, config->handle, sizeof(request.handle));
	if (interface_call(xch, &request, sizeof(request), &reply, sizeof(reply)))
		return -1;
	*pdomid = reply.domid;
	return 0;
}

int xc_domain_destroy(xc_interface *xch, uint32_t domid)
{
	struct client *client = interface_client(xch);
	int rc;

	if (!client)
		return -1;
	rc = calls_destroy(client, domid);
	return rc ? interface_fail(rc) : 0;
}

static int control(xc_interface *xch, uint32_t domid, enum wire_domain_action action,
		   uint32_t reason)
{
	struct wire_domain_control request = {
		.opcode = WIRE_DOMAIN_CONTROL, .domid = domid, .action = action, .reason = reason};
	struct wire_result reply;

	return interface_call(xch, &request, sizeof(request), &reply, sizeof(reply));
}

int xc_domain_pause(xc_interface *xch, uint32_t domid)
{
	return control(xch, domid, WIRE_ACTION_PAUSE, 0);
}

int xc_domain_unpause(xc_interface *xch, uint32_t domid)
{
	return control(xch, domid, WIRE_ACTION_UNPAUSE, 0);
}

int xc_domain_shutdown(xc_interface *xch, uint32_t domid, int reason)
{
	return control(xch, domid, WIRE_ACTION_SHUTDOWN, (uint32_t)reason);
}

int xc_domain_max_vcpus(xc_interface *xch, uint32_t domid, unsigned int max)
{
	return interface_set(xch, domid, WIRE_ITEM_MAX_VCPUS, max);
}

int xc_domain_setmaxmem(xc_interface *xch, uint32_t domid, uint64_t max_memkb)
{
	return interface_set(xch, domid, WIRE_ITEM_MAX_PAGES, max_memkb >> (XC_PAGE_SHIFT - 10));
}

int xc_domain_sethandle(xc_interface *xch, uint32_t domid, xen_domain_handle_t handle)
{
	struct wire_domain_set request = {
		.opcode = WIRE_DOMAIN_SET, .domid = domid, .item = WIRE_ITEM_HANDLE};
	struct wire_result reply;

	memcpy(request.handle, handle, sizeof(request.handle));
	return interface_call(xch, &request, sizeof(request), &reply, sizeof(reply));
}

/* dom0 is this machine: nobody set its memory and processors. */
static void info_dom0(xc_domaininfo_t *info)
{
	struct sysinfo machine;

	if (!sysinfo(&machine))
		info->tot_pages = info->max_pages =
			(uint64_t)machine.totalram * machine.mem_unit / XC_PAGE_SIZE;
	info->nr_online_vcpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	info->max_vcpu_id = info->nr_online_vcpus - 1;
}

static void info_take(const struct wire_info *from, xc_domaininfo_t *info)
{
	static const struct {
		uint32_t ours, xens;
	} flags[] = {
		{WIRE_INFO_DYING, XEN_DOMINF_dying},     {WIRE_INFO_SHUTDOWN, XEN_DOMINF_shutdown},
		{WIRE_INFO_PAUSED, XEN_DOMINF_paused},   {WIRE_INFO_HVM, XEN_DOMINF_hvm_guest},
		{WIRE_INFO_RUNNING, XEN_DOMINF_running},
	};

	*info = (xc_domaininfo_t){
		.domain = (domid_t)from->domid,
		.tot_pages = from->pages,
		.max_pages = from->max_pages,
		.nr_online_vcpus = from->max_vcpus,
		.max_vcpu_id = from->max_vcpus ? from->max_vcpus - 1 : XEN_INVALID_MAX_VCPU_ID,
		.ssidref = from->ssidref,
	};
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		info->flags |= from->flags & flags[i].ours ? flags[i].xens : 0;
	if (from->flags & WIRE_INFO_SHUTDOWN)
		info->flags |= (from->reason & XEN_DOMINF_shutdownmask) << XEN_DOMINF_shutdownshift;
	memcpy(info->handle, from->handle, sizeof(info->handle));
	if (!from->domid)
		info_dom0(info);
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain, unsigned int max_domains,
			  xc_domaininfo_t *info)
{
	struct client *client = interface_client(xch);
	struct wire_info some[WIRE_INFO_MAX];
	unsigned int got = 0;

	if (!client)
		return -1;
	while (got < max_domains) {
		unsigned int wanted = max_domains - got;
		int n;

		if (wanted > WIRE_INFO_MAX)
			wanted = WIRE_INFO_MAX;
		n = calls_info(client, first_domain, wanted, some);
		if (n < 0)
			return interface_fail(n);
		for (int i = 0; i < n; i++)
			info_take(&some[i], &info[got++]);
		if (n < (int)wanted)
			break;
		first_domain = some[n - 1].domid + 1;
	}
	return (int)got;
}

static void dominfo_take(const xc_domaininfo_t *from, xc_dominfo_t *info)
{
	*info = (xc_dominfo_t){
		.domid = from->domain,
		.ssidref = from->ssidref,
		.dying = !!(from->flags & XEN_DOMINF_dying),
		.shutdown = !!(from->flags & XEN_DOMINF_shutdown),
		.paused = !!(from->flags & XEN_DOMINF_paused),
		.blocked = !!(from->flags & XEN_DOMINF_blocked),
		.running = !!(from->flags & XEN_DOMINF_running),
		.hvm = !!(from->flags & XEN_DOMINF_hvm_guest),
		.shutdown_reason = (from->flags >> XEN_DOMINF_shutdownshift) &
				   XEN_DOMINF_shutdownmask,
		.nr_pages = from->tot_pages,
		.max_memkb = from->max_pages << (XC_PAGE_SHIFT - 10),
		.cpu_time = from->cpu_time,
		.nr_online_vcpus = from->nr_online_vcpus,
		.max_vcpu_id = from->max_vcpu_id,
	};
	memcpy(info->handle, from->handle, sizeof(info->handle));
	/* As the real one has it: a crashed domain is not also a shut down one. */
	if (info->shutdown && info->shutdown_reason == SHUTDOWN_crash) {
		info->shutdown = 0;
		info->crashed = 1;
	}
}

int xc_domain_getinfo(xc_interface *xch, uint32_t first_domid, unsigned int max_doms,
		      xc_dominfo_t *info)
{
	unsigned int got = 0;
	xc_domaininfo_t one = {0};
	int n = 0;

	while (got < max_doms && (n = xc_domain_getinfolist(xch, first_domid, 1, &one)) == 1) {
		dominfo_take(&one, &info[got++]);
		first_domid = one.domain + 1u;
	}
	if (got)
		return (int)got;
	return n < 0 ? -1 : interface_fail(-ESRCH);
}
