#include "toolstack/xen/core.h"

#include <string.h>
#include <xen/elfnote.h>

#define PAGE 4096u

/* XC_CORE_MAGIC, XC_CORE_MAGIC_HVM of xenctrl.h */
#define MAGIC_PV         0xf00febedu
#define MAGIC_TRANSLATED 0xf00febeeu

/* Sections that are not there have no size. */
static Elf64_Shdr *section_add(struct core_head *head, const char *name, uint32_t type,
			       uint64_t size)
{
	Elf64_Shdr *section = &head->section[head->sections++];
	size_t length = strlen(name) + 1;

	section->sh_name = (uint32_t)head->names_size;
	section->sh_type = type;
	section->sh_size = size;
	memcpy(head->names + head->names_size, name, length);
	head->names_size += length;
	return section;
}

static void data_add(struct core_head *head, const char *name, uint64_t size, uint64_t alignment,
		     uint64_t entry)
{
	Elf64_Shdr *section = section_add(head, name, SHT_PROGBITS, size);

	section->sh_addralign = alignment;
	section->sh_entsize = entry;
}

static void sections_fill(struct core_head *head, const struct core_shape *shape)
{
	size_t entry = shape->translated ? sizeof(uint64_t) : sizeof(struct core_place);

	head->sections = 1;
	head->names_size = 1;
	section_add(head, ".shstrtab", SHT_STRTAB, 0);
	section_add(head, ".note.Xen", SHT_NOTE, sizeof(head->notes));
	data_add(head, ".xen_prstatus", shape->contexts * shape->context, shape->alignment,
		 shape->context);
	if (shape->shared_info)
		data_add(head, ".xen_shared_info", PAGE, sizeof(uint64_t), PAGE);
	data_add(head, ".xen_pages", shape->pages * PAGE, PAGE, PAGE);
	data_add(head, shape->translated ? ".xen_pfn" : ".xen_p2m", shape->pages * entry,
		 sizeof(uint64_t), entry);
}

/* The names come last, though their section is the first. */
static void places_fill(struct core_head *head)
{
	uint64_t at = sizeof(head->elf) + head->sections * sizeof(head->section[0]);

	for (unsigned n = 2; n < head->sections; n++) {
		if (n == head->sections - 2) {
			head->padding = -at % PAGE;
			at += head->padding;
		}
		head->section[n].sh_offset = at;
		at += head->section[n].sh_size;
	}
	head->section[1].sh_offset = at;
	head->section[1].sh_size = head->names_size;
}

static void elf_fill(Elf64_Ehdr *elf, unsigned sections)
{
	memcpy(elf->e_ident, ELFMAG, SELFMAG);
	elf->e_ident[EI_CLASS] = ELFCLASS64;
	elf->e_ident[EI_DATA] = ELFDATA2LSB;
	elf->e_ident[EI_VERSION] = EV_CURRENT;
	elf->e_ident[EI_OSABI] = ELFOSABI_SYSV;
	elf->e_ident[EI_ABIVERSION] = EV_CURRENT;
	elf->e_type = ET_CORE;
	elf->e_machine = EM_X86_64;
	elf->e_version = EV_CURRENT;
	elf->e_shoff = sizeof(*elf);
	elf->e_ehsize = sizeof(*elf);
	elf->e_phentsize = sizeof(Elf64_Phdr);
	elf->e_shentsize = sizeof(Elf64_Shdr);
	elf->e_shnum = (uint16_t)sections;
	elf->e_shstrndx = 1;
}

static struct core_note note(uint32_t type, size_t size)
{
	return (struct core_note){sizeof("Xen"), (uint32_t)size, type, "Xen"};
}

static void notes_fill(struct core_notes *notes, const struct core_shape *shape,
		       const struct core_xen *xen)
{
	notes->none = note(XEN_ELFNOTE_DUMPCORE_NONE, 0);
	notes->header = note(XEN_ELFNOTE_DUMPCORE_HEADER, 4 * sizeof(uint64_t));
	notes->magic = shape->translated ? MAGIC_TRANSLATED : MAGIC_PV;
	notes->vcpus = shape->contexts;
	notes->pages = shape->pages;
	notes->page_size = PAGE;
	notes->xen = note(XEN_ELFNOTE_DUMPCORE_XEN_VERSION, sizeof(*xen));
	notes->version = *xen;
	/* A 32-bit reader of a 32-bit guest's core aligns it to four bytes. */
	if (shape->width < sizeof(uint64_t))
		memmove((char *)&notes->version.page_size - 4, &notes->version.page_size,
			sizeof(notes->version.page_size));
	notes->format = note(XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION, sizeof(uint64_t));
	notes->format_version = 1; /* 0.1 */
}

void core_head_fill(struct core_head *head, const struct core_shape *shape,
		    const struct core_xen *xen)
{
	memset(head, 0, sizeof(*head));
	sections_fill(head, shape);
	places_fill(head);
	elf_fill(&head->elf, head->sections);
	notes_fill(&head->notes, shape, xen);
}
