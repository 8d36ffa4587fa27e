/* What an image owns, and the bounds of it: the first and last calls of a builder. */
#include "embedded/guest/image.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int image_fail(struct xc_dom_image *dom, int rc, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (dom->xch)
		interface_report(dom->xch, "%s", text);
	return interface_fail(rc);
}

int xc_dom_loginit(xc_interface *xch)
{
	return 0;
}

struct xc_dom_image *xc_dom_allocate(xc_interface *xch, const char *cmdline, const char *features)
{
	struct xc_dom_image *dom = calloc(1, sizeof(*dom));

	if (!dom)
		return NULL;
	dom->xch = xch;
	dom->container_type = XC_DOM_PV_CONTAINER;
	dom->guest_type = "process";
	dom->max_kernel_size = dom->max_module_size = dom->max_devicetree_size =
		XC_DOM_DECOMPRESS_MAX;
	dom->xenstore_pfn = dom->console_pfn = dom->vuart_gfn = (xen_pfn_t)-1;
	if (cmdline) {
		dom->cmdline = xc_dom_strdup(dom, cmdline);
		dom->cmdline_size = strlen(cmdline) + 1;
		if (!dom->cmdline) {
			xc_dom_release(dom);
			return NULL;
		}
	}
	return dom;
}

void xc_dom_release(struct xc_dom_image *dom)
{
	if (!dom)
		return;
	while (dom->memblocks) {
		struct xc_dom_mem *block = dom->memblocks;

		dom->memblocks = block->next;
		if (block->type == XC_DOM_MEM_TYPE_MALLOC_EXTERNAL)
			free(block->ptr);
		free(block);
	}
	free(dom);
}

void *xc_dom_malloc(struct xc_dom_image *dom, size_t size)
{
	struct xc_dom_mem *block = calloc(1, sizeof(*block) + size);

	if (!block)
		return NULL;
	block->type = XC_DOM_MEM_TYPE_MALLOC_INTERNAL;
	block->next = dom->memblocks;
	dom->memblocks = block;
	dom->alloc_malloc += size;
	return block->memory;
}

int xc_dom_register_external(struct xc_dom_image *dom, void *ptr, size_t size)
{
	struct xc_dom_mem *block = calloc(1, sizeof(*block));

	if (!block)
		return -1;
	block->type = XC_DOM_MEM_TYPE_MALLOC_EXTERNAL;
	block->ptr = ptr;
	block->next = dom->memblocks;
	dom->memblocks = block;
	dom->alloc_malloc += size;
	return 0;
}

char *xc_dom_strdup(struct xc_dom_image *dom, const char *str)
{
	size_t size = strlen(str) + 1;
	char *copy = xc_dom_malloc(dom, size);

	return copy ? memcpy(copy, str, size) : NULL;
}

int xc_dom_kernel_check_size(struct xc_dom_image *dom, size_t sz)
{
	return dom->max_kernel_size && sz > dom->max_kernel_size;
}

int xc_dom_kernel_max_size(struct xc_dom_image *dom, size_t sz)
{
	dom->max_kernel_size = sz;
	return 0;
}

int xc_dom_module_max_size(struct xc_dom_image *dom, size_t sz)
{
	dom->max_module_size = sz;
	return 0;
}

/* Nothing is mapped, and nothing of note is used. */
void xc_dom_unmap_all(struct xc_dom_image *dom)
{
}

void xc_dom_log_memory_footprint(struct xc_dom_image *dom)
{
}

void xc_dom_printf(xc_interface *xch, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	xtl_logv(xch->builder_logger, XTL_DETAIL, -1, "domainbuilder", fmt, args);
	va_end(args);
}

void xc_dom_panic_func(xc_interface *xch, const char *file, int line, xc_error_code err,
		       const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	interface_report(xch, "%s:%d: %s", file, line, text);
}
