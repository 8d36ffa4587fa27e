#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "toolstack/xen/internal.h"
#include "toolstack/xen/unpacked.h"

/* xc_dom_p2m(), which is in the library's header, calls it by this name. */
bool xc_dom_translated(const struct xc_dom_image *dom)
{
	return LATE(LATE_XENGUEST, xc_dom_translated)(dom);
}

static const char *files_load(struct xc_dom_image *dom, const struct xen_image *image,
			      struct unpacked *unpacked)
{
	unpacked_find(unpacked, image->kernel);
	if (xc_dom_kernel_file(dom, unpacked->there ? unpacked->path : image->kernel))
		return "xc_dom_kernel_file";
	unpacked->packed = dom->kernel_blob;
	if (image->ramdisk && xc_dom_module_file(dom, image->ramdisk, NULL))
		return "xc_dom_module_file";
	return NULL;
}

/* The order of libxl__build_dom, libxl_dom.c. */
static const char *build(struct xc_dom_image *dom, struct xen *xen, uint16_t domid, uint64_t mib)
{
	if (xc_dom_boot_xen_init(dom, xen->xc, domid))
		return "xc_dom_boot_xen_init";
	if (xc_dom_parse_image(dom))
		return "xc_dom_parse_image";
	if (xc_dom_mem_init(dom, (unsigned)mib))
		return "xc_dom_mem_init";
	if (xc_dom_boot_mem_init(dom))
		return "xc_dom_boot_mem_init";
	if (dom->e820 && xc_domain_set_memory_map(xen->xc, domid, dom->e820, dom->e820_entries))
		return "xc_domain_set_memory_map";
	if (xc_dom_build_image(dom))
		return "xc_dom_build_image";
	if (xc_dom_boot_image(dom))
		return "xc_dom_boot_image";
	if (xc_dom_gnttab_init(dom))
		return "xc_dom_gnttab_init";
	return NULL;
}

static const char *pv_build(struct xc_dom_image *dom, struct xen *xen, uint16_t domid,
			    const struct xen_image *image)
{
	dom->container_type = XC_DOM_PV_CONTAINER;
	return build(dom, xen, domid, image->memory_kib >> 10);
}

static const char *pvh_build(struct xc_dom_image *dom, struct xen *xen, uint16_t domid,
			     const struct xen_image *image)
{
	struct pvh_machine *machine = pvh_machine_make(dom, image);
	const char *call = machine ? NULL : "malloc";

	if (!call)
		call = build(dom, xen, domid, image->maxmem_kib >> 10);
	pvh_machine_free(machine);
	return call;
}

static const char *hvm_build(struct xc_dom_image *dom, struct xen *xen, uint16_t domid,
			     const struct xen_image *image)
{
	struct hvm_machine *machine = NULL;
	const char *call = hvm_machine_make(dom, image, &machine) ? image->firmware : NULL;

	if (!call)
		call = build(dom, xen, domid, (image->maxmem_kib - image->video_kib) >> 10);
	if (!call && hvm_table_fill(dom, image))
		call = "xc_map_foreign_range";
	hvm_machine_free(machine);
	return call;
}

/* libxenguest: "segment kernel too large (0x... > 0x...)" */
static int build_failed(struct xen *xen, struct fault *fault, uint16_t domid,
			const struct xen_image *image, const char *call)
{
	const char *words = strstr(xen->report.text, "segment "), *end;

	end = words ? strstr(words, " too large") : NULL;
	if (!end)
		return xen_failed(xen, fault, domid, call);
	words += strlen("segment ");
	return fault_set(fault, -ENOMEM,
			 "domain %u: its %.*s does not fit into memory=%" PRIu64
			 ": %s; raise memory=",
			 domid, (int)(end - words), words, image->memory_kib >> 10,
			 xen->report.text);
}

int xen_domain_build(struct xen *xen, uint16_t domid, const struct xen_image *image,
		     struct xen_built *built, struct fault *fault)
{
	static const char *(*const builders[])(struct xc_dom_image *, struct xen *, uint16_t,
					       const struct xen_image *) = {
		[XEN_PV] = pv_build, [XEN_PVH] = pvh_build, [XEN_HVM] = hvm_build};
	struct xc_dom_image *dom;
	struct unpacked unpacked;
	const char *call;
	int rc = 0;

	xen_fresh(xen);
	xc_dom_loginit(xen->xc);
	dom = xc_dom_allocate(xen->xc, image->cmdline, NULL);
	if (!dom)
		return xen_failed(xen, fault, domid, "xc_dom_allocate");
	dom->max_vcpus = image->vcpus;
	dom->xenstore_evtchn = image->xenstore_port;
	dom->console_evtchn = image->console_port;
	xen_fresh(xen);
	call = files_load(dom, image, &unpacked);
	if (!call)
		call = builders[image->container](dom, xen, domid, image);
	if (call) {
		rc = build_failed(xen, fault, domid, image, call);
	} else {
		unpacked_keep(&unpacked, image->kernel, dom);
		/* Of any but a PV guest these are its own frame numbers. */
		built->xenstore_frame = xc_dom_p2m(dom, dom->xenstore_pfn);
		built->console_frame = xc_dom_p2m(dom, dom->console_pfn);
	}
	xc_dom_release(dom);
	return rc;
}
