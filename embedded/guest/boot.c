/* From a domain without anything in it to one that can be unpaused. */
#include "embedded/guest/image.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/grant_table.h>
#include <xen/hvm/params.h>
#include <xen/version.h>

#include "embedded/memory/map.h"

int xc_dom_boot_xen_init(struct xc_dom_image *dom, xc_interface *xch, uint32_t domid)
{
	dom->xch = xch;
	dom->guest_domid = domid;
	dom->xen_version = xc_version(xch, XENVER_version, NULL);
	return xc_version(xch, XENVER_capabilities, &dom->xen_caps);
}

int xc_dom_rambase_init(struct xc_dom_image *dom, uint64_t rambase)
{
	dom->rambase_pfn = rambase >> XC_PAGE_SHIFT;
	return 0;
}

int xc_dom_mem_init(struct xc_dom_image *dom, unsigned int mem_mb)
{
	dom->total_pages = (xen_pfn_t)mem_mb << (20 - XC_PAGE_SHIFT);
	return 0;
}

/* Pages of a builder before this one must not show through. */
static int frames_clear(struct xc_dom_image *dom)
{
	static const uint64_t frames[] = {IMAGE_FRAME_START_INFO, IMAGE_FRAME_STORE,
					  IMAGE_FRAME_CONSOLE};
	const size_t count = sizeof(frames) / sizeof(frames[0]);
	struct client *client = interface_client(dom->xch);
	void *mapped;

	if (!client)
		return -1;
	mapped = map_frames(client, dom->guest_domid, NULL, PROT_READ | PROT_WRITE, 0, count,
			    frames, NULL);
	if (!mapped)
		return -1;
	memset(mapped, 0, count * XC_PAGE_SIZE);
	munmap(mapped, count * XC_PAGE_SIZE);
	return 0;
}

int xc_dom_boot_mem_init(struct xc_dom_image *dom)
{
	if (interface_set(dom->xch, dom->guest_domid, WIRE_ITEM_PAGES, dom->total_pages))
		return image_fail(dom, -errno, "domain %u: cannot have %llu pages: %s",
				  dom->guest_domid, (unsigned long long)dom->total_pages,
				  strerror(errno));
	dom->p2m_size = dom->total_pages;
	return 0;
}

int xc_dom_build_image(struct xc_dom_image *dom)
{
	if (!dom->private_loader)
		return image_fail(dom, -EINVAL, "xc_dom_parse_image comes first");
	if (frames_clear(dom))
		return image_fail(dom, -errno, "domain %u: cannot map its memory: %s",
				  dom->guest_domid, strerror(errno));
	dom->start_info_pfn = IMAGE_FRAME_START_INFO;
	dom->xenstore_pfn = IMAGE_FRAME_STORE;
	dom->console_pfn = IMAGE_FRAME_CONSOLE;
	return 0;
}

/* What a PV guest reads in its start_info page, and an HVM guest here. */
static int params_set(struct xc_dom_image *dom)
{
	const struct {
		uint32_t index;
		uint64_t value;
	} params[] = {
		{HVM_PARAM_STORE_PFN, dom->xenstore_pfn},
		{HVM_PARAM_STORE_EVTCHN, dom->xenstore_evtchn},
		{HVM_PARAM_CONSOLE_PFN, dom->console_pfn},
		{HVM_PARAM_CONSOLE_EVTCHN, dom->console_evtchn},
	};

	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		if (xc_hvm_param_set(dom->xch, dom->guest_domid, params[i].index, params[i].value))
			return -1;
	}
	return 0;
}

int xc_dom_boot_image(struct xc_dom_image *dom)
{
	const struct image_program *program = dom->private_loader;
	struct wire_domain_program request = {
		.opcode = WIRE_DOMAIN_PROGRAM,
		.domid = dom->guest_domid,
		.count = (uint32_t)program->count,
		.length = (uint32_t)program->length,
	};
	struct wire_result reply;

	memcpy(request.text, program->text, program->length);
	if (params_set(dom) ||
	    interface_call(dom->xch, &request, sizeof(request), &reply, sizeof(reply)))
		return image_fail(dom, -errno, "domain %u: cannot be built: %s", dom->guest_domid,
				  strerror(errno));
	return 0;
}

static void grant_seed(struct shared_table *table, uint32_t ref, xen_pfn_t frame, uint32_t domid)
{
	grant_entry_v1_t *entry = &table->grants[ref];

	entry->domid = (domid_t)domid;
	entry->frame = (uint32_t)frame;
	__atomic_store_n(&entry->flags, GTF_permit_access, __ATOMIC_RELEASE);
}

int xc_dom_gnttab_seed(xc_interface *xch, uint32_t guest_domid, bool is_hvm, xen_pfn_t console_gfn,
		       xen_pfn_t xenstore_gfn, uint32_t console_domid, uint32_t xenstore_domid)
{
	struct client *client = interface_client(xch);
	struct client_domain domain;
	int rc;

	if (!client)
		return -1;
	rc = client_domain_open(client, guest_domid, &domain);
	if (rc)
		return interface_fail(rc);
	if (guest_domid != console_domid && console_gfn != (xen_pfn_t)-1)
		grant_seed(domain.table, GNTTAB_RESERVED_CONSOLE, console_gfn, console_domid);
	if (guest_domid != xenstore_domid && xenstore_gfn != (xen_pfn_t)-1)
		grant_seed(domain.table, GNTTAB_RESERVED_XENSTORE, xenstore_gfn, xenstore_domid);
	client_domain_close(&domain);
	return 0;
}

int xc_dom_gnttab_init(struct xc_dom_image *dom)
{
	return xc_dom_gnttab_seed(dom->xch, dom->guest_domid, false, dom->console_pfn,
				  dom->xenstore_pfn, dom->console_domid, dom->xenstore_domid);
}

int xc_dom_compat_check(struct xc_dom_image *dom)
{
	return 0;
}
