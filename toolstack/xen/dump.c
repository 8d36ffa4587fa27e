/* Of libxenctrl, not deprecated but out of its default interface. */
#define XC_WANT_COMPAT_MAP_FOREIGN_API
#include "toolstack/xen/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "toolstack/io.h"
#include "toolstack/xen/core.h"
#include "toolstack/xen/stream.h"

/* Pages asked for at once; Xen takes no more questions about types. */
#define BATCH 1024u

/* What a PC has in place of memory: the video adapter's window, and devices below 4 GiB. libxc
 * leaves these out, whatever is there. */
#define VIDEO_START  0xa0u
#define VIDEO_END    0xc0u
#define DEVICE_START 0xf0000u
#define DEVICE_END   0x100000u

/* A guest may put a page at any address. Its memory lies below 4 GiB and, as much as it may have,
 * above; this many times as far is looked, so that a guest does not keep us for ever. */
#define FAR 4u

/* Exported for libxenguest, which saves with it; XEN_DOMCTL_getpageframeinfo3. */
int xc_get_pfn_type_batch(xc_interface *xch, uint32_t dom, unsigned int num, xen_pfn_t *types);

struct dumping {
	struct xen *xen;
	uint16_t domid;
	int fd;
	struct core_shape shape;
	uint64_t pages_max; /* as many as it may have */
	vcpu_guest_context_any_t *context;
	void *shared_info; /* a mapping, or NULL */
	uint8_t *page;     /* BATCH of them */
	struct core_place *place;
	uint64_t done; /* pages */
	xen_progress progress;
	void *arg;
};

static int bytes_write(struct dumping *d, const void *data, size_t size, struct fault *fault)
{
	int rc = io_write(d->fd, data, size);

	return rc ? fault_set(fault, rc, "domain %u: writing its core: %s", d->domid, strerror(-rc))
		  : 0;
}

static int contexts_get(struct dumping *d, uint32_t vcpus, struct fault *fault)
{
	d->context = calloc(vcpus, sizeof(*d->context));
	if (!d->context)
		return fault_memory(fault);
	xen_fresh(d->xen);
	/* One that was never brought up has none. */
	for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++)
		if (!xc_vcpu_getcontext(d->xen->xc, d->domid, vcpu, &d->context[d->shape.contexts]))
			d->shape.contexts++;
	d->shape.context = sizeof(*d->context);
	d->shape.alignment = _Alignof(vcpu_guest_context_any_t);
	return d->shape.contexts ? 0 : xen_failed(d->xen, fault, d->domid, "xc_vcpu_getcontext");
}

static int shape_get(struct dumping *d, struct fault *fault)
{
	xc_domaininfo_t info;

	xen_fresh(d->xen);
	if (xc_domain_getinfolist(d->xen->xc, d->domid, 1, &info) != 1 || info.domain != d->domid)
		return xen_failed(d->xen, fault, d->domid, "xc_domain_getinfolist");
	d->shape.translated = info.flags & XEN_DOMINF_hvm_guest;
	d->shape.pages = info.tot_pages;
	d->pages_max = info.max_pages;
	d->shape.width = sizeof(uint64_t);
	/* A translated guest need not have put it anywhere. */
	d->shared_info = xc_map_foreign_range(d->xen->xc, d->domid, XC_PAGE_SIZE, PROT_READ,
					      info.shared_info_frame);
	d->shape.shared_info = d->shared_info;
	if (!d->shared_info && !d->shape.translated)
		return xen_failed(d->xen, fault, d->domid, "xc_map_foreign_range");
	d->place = malloc(d->shape.pages * sizeof(*d->place));
	d->page = malloc(BATCH * XC_PAGE_SIZE);
	if (!d->place || !d->page)
		return fault_memory(fault);
	return contexts_get(d, info.max_vcpu_id + 1, fault);
}

static int version_get(struct dumping *d, struct core_xen *xen, struct fault *fault)
{
	xc_interface *xc = d->xen->xc;
	int version, size;

	xen_fresh(d->xen);
	version = xc_version(xc, XENVER_version, NULL);
	size = xc_version(xc, XENVER_pagesize, NULL);
	if (version < 0 || size < 0 || xc_version(xc, XENVER_extraversion, &xen->extra) < 0 ||
	    xc_version(xc, XENVER_compile_info, &xen->compiled) < 0 ||
	    xc_version(xc, XENVER_capabilities, &xen->capabilities) < 0 ||
	    xc_version(xc, XENVER_changeset, &xen->changeset) < 0 ||
	    xc_version(xc, XENVER_platform_parameters, &xen->parameters) < 0)
		return xen_failed(d->xen, fault, d->domid, "xc_version");
	xen->major = (unsigned)version >> 16;
	xen->minor = (unsigned)version & 0xffff;
	xen->page_size = (unsigned)size;
	return 0;
}

static int head_write(struct dumping *d, struct core_head *head, struct fault *fault)
{
	static const uint8_t zeros[XC_PAGE_SIZE];
	struct core_xen xen = {0};
	int rc = version_get(d, &xen, fault);

	if (rc)
		return rc;
	core_head_fill(head, &d->shape, &xen);
	rc = bytes_write(d, &head->elf, sizeof(head->elf), fault);
	if (!rc)
		rc = bytes_write(d, head->section, head->sections * sizeof(head->section[0]),
				 fault);
	if (!rc)
		rc = bytes_write(d, &head->notes, sizeof(head->notes), fault);
	if (!rc)
		rc = bytes_write(d, d->context, d->shape.contexts * d->shape.context, fault);
	if (!rc && d->shared_info)
		rc = bytes_write(d, d->shared_info, XC_PAGE_SIZE, fault);
	return rc ? rc : bytes_write(d, zeros, head->padding, fault);
}

/* Those of a batch that are there; what cannot be mapped is not the domain's. */
static int pages_write(struct dumping *d, const struct core_place *place, const xen_pfn_t *frame,
		       unsigned count, struct fault *fault)
{
	int error[BATCH];
	unsigned got = 0;
	uint8_t *map;

	if (!count)
		return 0;
	xen_fresh(d->xen);
	map = xc_map_foreign_bulk(d->xen->xc, d->domid, PROT_READ, frame, error, count);
	if (!map)
		return xen_failed(d->xen, fault, d->domid, "xc_map_foreign_bulk");
	for (unsigned n = 0; n < count && d->done + got < d->shape.pages; n++) {
		if (error[n])
			continue;
		memcpy(d->page + got * XC_PAGE_SIZE, map + n * XC_PAGE_SIZE, XC_PAGE_SIZE);
		d->place[d->done + got++] = place[n];
	}
	munmap(map, count * XC_PAGE_SIZE);
	d->done += got;
	if (d->progress)
		d->progress("writing its memory", d->done, d->shape.pages, d->arg);
	return bytes_write(d, d->page, got * XC_PAGE_SIZE, fault);
}

/* Mapping what is not there takes as long as mapping what is, and most of a small guest's
 * addresses are empty. */
static bool all_empty(struct dumping *d, const xen_pfn_t *frame, unsigned count)
{
	xen_pfn_t type[BATCH];

	memcpy(type, frame, count * sizeof(*frame));
	if (xc_get_pfn_type_batch(d->xen->xc, d->domid, count, type))
		return false;
	for (unsigned n = 0; n < count; n++)
		if (type[n] != XEN_DOMCTL_PFINFO_XTAB)
			return false;
	return true;
}

static bool is_memory(uint64_t pfn)
{
	return (pfn < VIDEO_START || pfn >= VIDEO_END) && (pfn < DEVICE_START || pfn >= DEVICE_END);
}

static int translated_write(struct dumping *d, struct fault *fault)
{
	struct core_place place[BATCH];
	xen_pfn_t frame[BATCH], end;
	int rc = 0;

	xen_fresh(d->xen);
	if (xc_domain_nr_gpfns(d->xen->xc, d->domid, &end) < 0)
		return xen_failed(d->xen, fault, d->domid, "xc_domain_maximum_gpfn");
	if (end / FAR > DEVICE_END + d->pages_max)
		end = FAR * (DEVICE_END + d->pages_max);
	for (uint64_t pfn = 0; !rc && pfn < end && d->done < d->shape.pages;) {
		unsigned count = 0;

		for (; count < BATCH && pfn < end; pfn++)
			if (is_memory(pfn)) {
				place[count] = (struct core_place){pfn, pfn};
				frame[count++] = pfn;
			}
		if (!all_empty(d, frame, count))
			rc = pages_write(d, place, frame, count, fault);
	}
	return rc;
}

/* The guest writes this table: each entry is read once, and Xen says whether the frame is its. */
static uint64_t frame_of(const struct xc_domain_meminfo *info, uint64_t pfn)
{
	return info->guest_width == sizeof(uint64_t)
		       ? ((const volatile uint64_t *)info->p2m_table)[pfn]
		       : ((const volatile uint32_t *)info->p2m_table)[pfn];
}

static int listed_write(struct dumping *d, const struct xc_domain_meminfo *info,
			unsigned long frames, struct fault *fault)
{
	struct core_place place[BATCH];
	xen_pfn_t frame[BATCH];
	int rc = 0;

	for (uint64_t pfn = 0; !rc && pfn < info->p2m_size && d->done < d->shape.pages;) {
		unsigned count = 0;

		for (; count < BATCH && pfn < info->p2m_size; pfn++) {
			uint64_t gmfn = frame_of(info, pfn);

			if (gmfn <= frames) {
				place[count] = (struct core_place){pfn, gmfn};
				frame[count++] = gmfn;
			}
		}
		rc = pages_write(d, place, frame, count, fault);
	}
	return rc;
}

static int untranslated_write(struct dumping *d, struct fault *fault)
{
	struct xc_domain_meminfo info = {0};
	unsigned long frames;
	int rc;

	xen_fresh(d->xen);
	if (xc_maximum_ram_page(d->xen->xc, &frames))
		return xen_failed(d->xen, fault, d->domid, "xc_maximum_ram_page");
	if (xc_map_domain_meminfo(d->xen->xc, d->domid, &info))
		return xen_failed(d->xen, fault, d->domid, "xc_map_domain_meminfo");
	rc = listed_write(d, &info, frames, fault);
	xc_unmap_domain_meminfo(d->xen->xc, &info);
	return rc;
}

/* Xen counts pages that have no place, or one that is a device's or too far away. */
static int rest_write(struct dumping *d, struct fault *fault)
{
	int rc = 0;

	memset(d->page, 0, BATCH * XC_PAGE_SIZE);
	while (!rc && d->done < d->shape.pages) {
		uint64_t left = d->shape.pages - d->done, count = left < BATCH ? left : BATCH;

		for (uint64_t n = 0; n < count; n++)
			d->place[d->done++] = (struct core_place){CORE_NO_PAGE, CORE_NO_PAGE};
		rc = bytes_write(d, d->page, count * XC_PAGE_SIZE, fault);
	}
	return rc;
}

static int table_write(struct dumping *d, struct fault *fault)
{
	uint64_t *pfn = (uint64_t *)d->place;

	if (!d->shape.translated)
		return bytes_write(d, d->place, d->shape.pages * sizeof(*d->place), fault);
	for (uint64_t n = 0; n < d->shape.pages; n++)
		pfn[n] = d->place[n].pfn;
	return bytes_write(d, pfn, d->shape.pages * sizeof(*pfn), fault);
}

static int core_write(struct dumping *d, struct fault *fault)
{
	struct core_head head = {0};
	int rc = shape_get(d, fault);

	if (!rc && !d->shape.translated &&
	    xc_domain_get_guest_width(d->xen->xc, d->domid, &d->shape.width))
		rc = xen_failed(d->xen, fault, d->domid, "xc_domain_get_guest_width");
	if (!rc)
		rc = head_write(d, &head, fault);
	if (!rc)
		rc = d->shape.translated ? translated_write(d, fault)
					 : untranslated_write(d, fault);
	if (!rc)
		rc = rest_write(d, fault);
	if (!rc)
		rc = table_write(d, fault);
	return rc ? rc : bytes_write(d, head.names, head.names_size, fault);
}

int xen_domain_dump(struct xen *xen, uint16_t domid, const char *path, xen_progress progress,
		    void *arg, struct fault *fault)
{
	struct dumping d = {.xen = xen, .domid = domid, .progress = progress, .arg = arg};
	int rc;

	d.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (d.fd < 0)
		return fault_set(fault, -errno, "%s: cannot write it: %s", path, strerror(errno));
	rc = core_write(&d, fault);
	if (close(d.fd) && !rc)
		rc = fault_set(fault, -errno, "%s: cannot write it: %s", path, strerror(errno));
	if (d.shared_info)
		munmap(d.shared_info, XC_PAGE_SIZE);
	free(d.context);
	free(d.page);
	free(d.place);
	return rc;
}
