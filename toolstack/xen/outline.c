#include "toolstack/xen/outline.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct outline {
	struct xen_step *step;
	size_t count;
};

static void add(struct outline *o, const char *call, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add(struct outline *o, const char *call, const char *format, ...)
{
	struct xen_step *step = &o->step[o->count];
	va_list args;

	if (o->count == XEN_STEPS_MAX)
		return;
	step->call = call;
	va_start(args, format);
	vsnprintf(step->what, sizeof(step->what), format, args);
	va_end(args);
	o->count++;
}

/* xen_domain_create() */
static void create_add(struct outline *o, const struct xen_limits *limits)
{
	static const char *const containers[] = {
		[XEN_PV] = "pv", [XEN_PVH] = "pvh", [XEN_HVM] = "hvm"};

	add(o, "xc_physinfo", "can this host contain it");
	add(o, "xc_domain_create",
	    "%s, vcpus %" PRIu32 ", event channels %" PRIu32 ", pool %" PRIu32,
	    containers[limits->container], limits->vcpus, limits->event_channels, limits->pool);
	add(o, "xc_domain_max_vcpus", "%" PRIu32, limits->vcpus);
	add(o, "xc_domain_setmaxmem", "%" PRIu64 " KiB", limits->memory_kib + limits->model_kib);
	if (limits->container == XEN_PV) {
		add(o, "xc_domain_set_memmap_limit", "%" PRIu64 " KiB", limits->maxmem_kib);
	} else {
		if (limits->container == XEN_HVM) {
			add(o, "xc_hvm_param_set", "HVM_PARAM_HPET_ENABLED %d", limits->hpet);
			add(o, "xc_hvm_param_set", "HVM_PARAM_VPT_ALIGN 1");
		}
		add(o, "xc_hvm_param_set", "HVM_PARAM_TIMER_MODE %u", limits->timer_mode);
		add(o, "xc_set_paging_mempool_size", "for %" PRIu64 " KiB", limits->maxmem_kib);
	}
	add(o, "xc_domain_set_tsc_info", "mode %u", limits->tsc_mode);
	add(o, "xc_cpuid_apply_policy", "%zu leaves, %zu MSRs", limits->cpuid.leaves,
	    limits->cpuid.msrs);
}

/* xen_domain_build() */
static void build_add(struct outline *o, const struct xen_image *image)
{
	uint64_t kib = image->container == XEN_PV ? image->memory_kib
						  : image->maxmem_kib - image->video_kib;

	add(o, "xc_dom_allocate", "command line \"%.60s\"", image->cmdline ? image->cmdline : "");
	add(o, "xc_dom_kernel_file", "%.80s", image->kernel ? image->kernel : "found at boot");
	if (image->ramdisk)
		add(o, "xc_dom_module_file", "%.80s", image->ramdisk);
	if (image->firmware)
		add(o, "xc_dom_image.system_firmware_module", "%.80s", image->firmware);
	add(o, "xc_dom_boot_xen_init", "%s", "");
	add(o, "xc_dom_parse_image", "%s", "");
	add(o, "xc_dom_mem_init", "%" PRIu64 " MiB", kib >> 10);
	add(o, "xc_dom_boot_mem_init", "%s", "");
	if (image->container != XEN_PV)
		add(o, "xc_domain_set_memory_map", "%s", "");
	add(o, "xc_dom_build_image", "%s", "");
	add(o, "xc_dom_boot_image", "%s", "");
	add(o, "xc_dom_gnttab_init", "the store's page and the console's");
	if (image->container == XEN_HVM)
		add(o, "xc_map_foreign_range", "the table of hvmloader");
}

size_t xen_outline(const struct xen_limits *limits, const struct xen_image *image,
		   struct xen_step step[XEN_STEPS_MAX])
{
	struct outline o = {.step = step};

	create_add(&o, limits);
	add(&o, "xc_domain_claim_pages", "%" PRIu64 " KiB", limits->memory_kib);
	add(&o, "xc_evtchn_alloc_unbound", "for the store");
	add(&o, "xc_evtchn_alloc_unbound", "for the console");
	build_add(&o, image);
	add(&o, "xs_introduce_domain", "%s", "");
	add(&o, "xc_domain_claim_pages", "what is left is free again");
	add(&o, "xc_domain_unpause", "%s", "");
	return o.count;
}
