/* The form of a domain's core: each section where the one before ends, the pages on a page's edge,
 * the notes whole. */
#include <string.h>
#include <xen/elfnote.h>

#include "tests/unit/check.h"
#include "toolstack/xen/core.h"

static const struct {
	const char *what;
	struct core_shape shape;
	const char *names[CORE_SECTIONS_MAX]; /* in the order of the file */
	uint64_t sizes[CORE_SECTIONS_MAX];
} shapes[] = {
	{"pv, 64 bits",
	 {.shared_info = true,
	  .width = 8,
	  .contexts = 2,
	  .context = 5168,
	  .alignment = 16,
	  .pages = 3},
	 {".note.Xen", ".xen_prstatus", ".xen_shared_info", ".xen_pages", ".xen_p2m", ".shstrtab"},
	 {1384, 10336, 4096, 12288, 48, 72}},
	{"pv, 32 bits, no page",
	 {.shared_info = true, .width = 4, .contexts = 1, .context = 5168, .alignment = 16},
	 {".note.Xen", ".xen_prstatus", ".xen_shared_info", ".xen_pages", ".xen_p2m", ".shstrtab"},
	 {1384, 5168, 4096, 0, 0, 72}},
	{"pvh without a shared info page, more than 4 GiB",
	 {.translated = true,
	  .width = 8,
	  .contexts = 1,
	  .context = 5168,
	  .alignment = 16,
	  .pages = 1 << 21},
	 {".note.Xen", ".xen_prstatus", ".xen_pages", ".xen_pfn", ".shstrtab"},
	 {1384, 5168, 1ull << 33, 1ull << 24, 55}},
	{"hvm",
	 {.translated = true,
	  .shared_info = true,
	  .width = 8,
	  .contexts = 128,
	  .context = 5168,
	  .alignment = 16,
	  .pages = 5},
	 {".note.Xen", ".xen_prstatus", ".xen_shared_info", ".xen_pages", ".xen_pfn", ".shstrtab"},
	 {1384, 661504, 4096, 20480, 40, 72}},
};

static const Elf64_Shdr *section(const struct core_head *head, const char *name)
{
	for (unsigned n = 1; n < head->sections; n++)
		if (!strcmp(head->names + head->section[n].sh_name, name))
			return &head->section[n];
	ck_abort_msg("no section %s", name);
}

START_TEST(sections_follow)
{
	const struct core_xen xen = {.major = 4, .minor = 17, .page_size = 4096};
	struct core_head head;
	uint64_t at;

	core_head_fill(&head, &shapes[_i].shape, &xen);
	ck_assert_msg(!memcmp(head.elf.e_ident, ELFMAG, SELFMAG), "%s", shapes[_i].what);
	ck_assert_uint_eq(head.elf.e_shnum, head.sections);
	ck_assert_uint_eq(head.elf.e_shoff, sizeof(head.elf));
	ck_assert_str_eq(head.names + head.section[head.elf.e_shstrndx].sh_name, ".shstrtab");
	at = sizeof(head.elf) + head.sections * sizeof(head.section[0]);
	for (unsigned n = 0; shapes[_i].names[n]; n++) {
		const Elf64_Shdr *found = section(&head, shapes[_i].names[n]);

		if (!strcmp(shapes[_i].names[n], ".xen_pages")) {
			ck_assert_uint_lt(head.padding, 4096);
			at += head.padding;
			ck_assert_uint_eq(at % 4096, 0);
		}
		ck_assert_msg(found->sh_offset == at, "%s: %s begins at %lu, not %lu",
			      shapes[_i].what, shapes[_i].names[n], found->sh_offset, at);
		ck_assert_msg(found->sh_size == shapes[_i].sizes[n],
			      "%s: %s has %lu bytes, not %lu", shapes[_i].what, shapes[_i].names[n],
			      found->sh_size, shapes[_i].sizes[n]);
		at += found->sh_size;
	}
}
END_TEST

/* What a reader of notes meets: size after size leads to the end. */
START_TEST(notes_are_whole)
{
	static const uint32_t types[] = {XEN_ELFNOTE_DUMPCORE_NONE, XEN_ELFNOTE_DUMPCORE_HEADER,
					 XEN_ELFNOTE_DUMPCORE_XEN_VERSION,
					 XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION};
	const struct core_shape *shape = &shapes[_i].shape;
	const struct core_xen xen = {.major = 4, .minor = 17, .page_size = 4096};
	const uint8_t *at, *pages;
	struct core_head head;
	uint64_t page;

	core_head_fill(&head, shape, &xen);
	at = (const uint8_t *)&head.notes;
	for (size_t n = 0; n < sizeof(types) / sizeof(types[0]); n++) {
		const struct core_note *note = (const struct core_note *)at;

		ck_assert_uint_eq(note->type, types[n]);
		ck_assert_str_eq(note->name, "Xen");
		at += sizeof(*note) + note->size;
	}
	ck_assert_ptr_eq(at, (const uint8_t *)(&head.notes + 1));
	ck_assert_uint_eq(head.notes.magic, shape->translated ? 0xf00febee : 0xf00febed);
	ck_assert_uint_eq(head.notes.vcpus, shape->contexts);
	ck_assert_uint_eq(head.notes.pages, shape->pages);
	ck_assert_uint_eq(head.notes.format_version, 1);
	pages = (const uint8_t *)&head.notes.version.page_size - (shape->width == 4 ? 4 : 0);
	memcpy(&page, pages, sizeof(page));
	ck_assert_uint_eq(page, 4096);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core");
	TCase *tc = tcase_create("core");

	tcase_add_loop_test(tc, sections_follow, 0, TABLE_SIZE(shapes));
	tcase_add_loop_test(tc, notes_are_whole, 0, TABLE_SIZE(shapes));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
