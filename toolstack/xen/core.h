/*
 * core.h - the form of a domain's core: an ELF file of sections, docs/misc/dump-core-format.txt.
 *
 * Pure. The file is a head (ELF header, section headers), the notes, the processors, the shared
 * info page, zeros up to a whole page, the pages, the table that says which they are, and the
 * sections' names; in this order, which is libxc's.
 */
#pragma once

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/version.h>

#define CORE_SECTIONS_MAX 7

/** In a table where there is no page. */
#define CORE_NO_PAGE UINT64_MAX

/** What a domain's core has. */
struct core_shape {
	bool translated;   /* PVH, HVM: the table has a page's place, else its frame too */
	bool shared_info;  /* is there */
	uint32_t width;    /* of the guest's words, 4 or 8 bytes */
	uint64_t contexts; /* of processors */
	size_t context;    /* bytes of one */
	size_t alignment;  /* of one */
	uint64_t pages;    /* 4096 bytes each */
};

/** Which Xen it was. */
struct core_xen {
	uint64_t major, minor;
	xen_extraversion_t extra;
	xen_compile_info_t compiled;
	xen_capabilities_info_t capabilities;
	xen_changeset_info_t changeset;
	xen_platform_parameters_t parameters;
	uint64_t page_size;
};

struct core_note {
	uint32_t name_size, size, type;
	char name[4];
};

struct core_notes {
	struct core_note none, header;
	uint64_t magic, vcpus, pages, page_size;
	struct core_note xen;
	struct core_xen version;
	struct core_note format;
	uint64_t format_version;
};

/** One entry of the table of a domain that is not translated. */
struct core_place {
	uint64_t pfn, gmfn;
};

struct core_head {
	Elf64_Ehdr elf;
	Elf64_Shdr section[CORE_SECTIONS_MAX];
	unsigned sections; /* used */
	struct core_notes notes;
	size_t padding; /* bytes of zeros before the pages */
	char names[128];
	size_t names_size;
};

/** core_head_fill - all of a core that does not come out of the domain. */
void core_head_fill(struct core_head *head, const struct core_shape *shape,
		    const struct core_xen *xen);
