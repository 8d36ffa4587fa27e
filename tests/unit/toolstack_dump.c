/* Which pages of a domain get into its core, in which order, and what its table says of them; Xen
 * is played. */
#define XC_WANT_COMPAT_MAP_FOREIGN_API
#include "toolstack/xen/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "toolstack/xen/core.h"
#include "toolstack/xen/stream.h"

#define PAGE  4096u
#define DOMID 7

int xc_get_pfn_type_batch(xc_interface *xch, uint32_t dom, unsigned int num, xen_pfn_t *types);

/* The domain: its frames (places, of one that is translated), and what its table of frames says. */
static struct {
	bool translated, no_shared_info;
	uint64_t pages; /* as Xen counts them */
	uint64_t frame[64];
	unsigned frames;
	uint64_t *table;
	uint64_t places;
	unsigned width;
	uint64_t pages_max;
	unsigned mapped; /* calls of xc_map_foreign_bulk() */
	unsigned asked;  /* calls of xc_get_pfn_type_batch() */
} domain;

static bool is_there(uint64_t frame)
{
	for (unsigned n = 0; n < domain.frames; n++)
		if (domain.frame[n] == frame)
			return true;
	return false;
}

/* A page has its frame in its first bytes and in its last. */
static void page_fill(uint8_t *page, uint64_t frame)
{
	memset(page, (uint8_t)frame, PAGE);
	memcpy(page, &frame, sizeof(frame));
	memcpy(page + PAGE - sizeof(frame), &frame, sizeof(frame));
}

static uint8_t *map(size_t pages)
{
	uint8_t *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	ck_assert_ptr_ne(at, MAP_FAILED);
	return at;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned int most,
			  xc_domaininfo_t *info)
{
	(void)xch;
	(void)most;
	*info = (xc_domaininfo_t){.domain = (domid_t)first,
				  .flags = domain.translated ? XEN_DOMINF_hvm_guest : 0,
				  .tot_pages = domain.pages,
				  .max_pages = domain.pages_max,
				  .shared_info_frame = 999,
				  .max_vcpu_id = 2};
	return 1;
}

void *xc_map_foreign_range(xc_interface *xch, uint32_t dom, int size, int prot, unsigned long frame)
{
	uint8_t *page = domain.no_shared_info ? NULL : map(1);

	(void)xch;
	(void)prot;
	ck_assert_uint_eq(dom, DOMID);
	ck_assert_int_eq(size, PAGE);
	ck_assert_uint_eq(frame, 999);
	if (page)
		page_fill(page, frame);
	return page;
}

void *xc_map_foreign_bulk(xc_interface *xch, uint32_t dom, int prot, const xen_pfn_t *frames,
			  int *error, unsigned int count)
{
	uint8_t *pages = map(count);

	(void)xch;
	(void)prot;
	ck_assert_uint_eq(dom, DOMID);
	ck_assert_uint_le(count, 1024);
	domain.mapped++;
	for (unsigned n = 0; n < count; n++) {
		error[n] = is_there(frames[n]) ? 0 : -EINVAL;
		if (error[n])
			mprotect(pages + n * PAGE, PAGE, PROT_NONE);
		else
			page_fill(pages + n * PAGE, frames[n]);
	}
	return pages;
}

int xc_get_pfn_type_batch(xc_interface *xch, uint32_t dom, unsigned int num, xen_pfn_t *types)
{
	(void)xch;
	(void)dom;
	domain.asked++;
	for (unsigned n = 0; n < num; n++)
		types[n] = is_there(types[n]) ? 0 : XEN_DOMCTL_PFINFO_XTAB;
	return 0;
}

/* Of three the second was never brought up. */
int xc_vcpu_getcontext(xc_interface *xch, uint32_t domid, uint32_t vcpu,
		       vcpu_guest_context_any_t *context)
{
	(void)xch;
	(void)domid;
	if (vcpu == 1) {
		errno = ENODATA;
		return -1;
	}
	memset(context, 0x40 + (int)vcpu, sizeof(*context));
	return 0;
}

int xc_version(xc_interface *xch, int command, void *arg)
{
	(void)xch;
	(void)arg;
	return command == XENVER_version    ? 4 << 16 | 17
	       : command == XENVER_pagesize ? (int)PAGE
					    : 0;
}

int xc_domain_nr_gpfns(xc_interface *xch, uint32_t domid, xen_pfn_t *end)
{
	(void)xch;
	(void)domid;
	*end = domain.places;
	return 0;
}

int xc_maximum_ram_page(xc_interface *xch, unsigned long *most)
{
	(void)xch;
	*most = 0xffff;
	return 0;
}

int xc_domain_get_guest_width(xc_interface *xch, uint32_t domid, unsigned int *width)
{
	(void)xch;
	(void)domid;
	*width = domain.width;
	return 0;
}

static int meminfo_map(xc_interface *xch, uint32_t domid, struct xc_domain_meminfo *info)
{
	(void)xch;
	(void)domid;
	info->guest_width = domain.width;
	info->p2m_size = domain.places;
	info->p2m_table = domain.table;
	return 0;
}

static int meminfo_unmap(xc_interface *xch, struct xc_domain_meminfo *info)
{
	(void)xch;
	info->p2m_table = NULL;
	return 0;
}

void *late_find(enum late_library library, const char *name)
{
	ck_assert_int_eq(library, LATE_XENGUEST);
	return !strcmp(name, "xc_map_domain_meminfo") ? (void *)meminfo_map : (void *)meminfo_unmap;
}

void xen_fresh(struct xen *xen)
{
	(void)xen;
	errno = 0;
}

int xen_failed(struct xen *xen, struct fault *fault, uint16_t domid, const char *call)
{
	(void)xen;
	return fault_set(fault, -EIO, "domain %u: %s", domid, call);
}

static uint8_t *core;
static const Elf64_Shdr *sections;
static unsigned sections_count;

static const Elf64_Shdr *section(const char *name)
{
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)core;
	const char *names = (const char *)core + sections[head->e_shstrndx].sh_offset;

	for (unsigned n = 1; n < sections_count; n++)
		if (!strcmp(names + sections[n].sh_name, name))
			return &sections[n];
	return NULL;
}

static unsigned told;

static void progress(const char *doing, unsigned long done, unsigned long total, void *arg)
{
	ck_assert_ptr_eq(arg, &told);
	ck_assert_str_eq(doing, "writing its memory");
	ck_assert_uint_le(done, total);
	told++;
}

static void dump(void)
{
	char path[200];
	struct xen xen = {0};
	struct fault fault = {0};
	struct stat size;
	int fd;

	scratch(path, sizeof(path), "core");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_msg(!xen_domain_dump(&xen, DOMID, path, progress, &told, &fault), "%s",
		      fault.text);
	ck_assert_int_eq(fstat(fd, &size), 0);
	core = mmap(NULL, (size_t)size.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	ck_assert_ptr_ne(core, MAP_FAILED);
	close(fd);
	sections = (const Elf64_Shdr *)(core + sizeof(Elf64_Ehdr));
	sections_count = ((const Elf64_Ehdr *)core)->e_shnum;
	/* The names end the file. */
	ck_assert_uint_eq(sections[1].sh_offset + sections[1].sh_size, (uint64_t)size.st_size);
	ck_assert_uint_gt(told, 0);
}

/* The n-th page of the core is that of @frame. */
static void page_is(uint64_t n, uint64_t frame)
{
	const uint8_t *page = core + section(".xen_pages")->sh_offset + n * PAGE;
	uint8_t want[PAGE];

	page_fill(want, frame);
	ck_assert_msg(!memcmp(page, want, PAGE), "page %lu is not that of frame %#lx", n, frame);
}

static void page_is_empty(uint64_t n)
{
	const uint8_t *page = core + section(".xen_pages")->sh_offset + n * PAGE;

	for (size_t i = 0; i < PAGE; i++)
		ck_assert_uint_eq(page[i], 0);
}

static void processors_are_right(void)
{
	const Elf64_Shdr *found = section(".xen_prstatus");
	size_t size = sizeof(vcpu_guest_context_any_t);

	ck_assert_uint_eq(found->sh_size, 2 * size);
	ck_assert_uint_eq(core[found->sh_offset], 0x40);
	ck_assert_uint_eq(core[found->sh_offset + size], 0x42);
}

/* Devices are no memory, two of what Xen counts lie there, and one more was never found. */
START_TEST(translated)
{
	static const uint64_t there[] = {0,      1,       0x9f,    0xa0,     0xc0,
					 0x2000, 0xeffff, 0xf0000, 0x100000, 0x2345678};
	static const uint64_t kept[] = {0, 1, 0x9f, 0xc0, 0x2000, 0xeffff, 0x100000, 0x2345678};
	const size_t count = sizeof(kept) / sizeof(kept[0]);
	const uint64_t *table;

	domain.translated = true;
	domain.no_shared_info = true;
	memcpy(domain.frame, there, sizeof(there));
	domain.frames = sizeof(there) / sizeof(there[0]);
	domain.pages = domain.frames + 1;
	domain.pages_max = domain.places = 0x2345679;
	dump();
	ck_assert_ptr_null(section(".xen_shared_info"));
	table = (const uint64_t *)(core + section(".xen_pfn")->sh_offset);
	ck_assert_uint_eq(section(".xen_pages")->sh_size, domain.pages * PAGE);
	ck_assert_uint_eq(section(".xen_pfn")->sh_size, domain.pages * sizeof(*table));
	for (size_t n = 0; n < domain.pages; n++) {
		ck_assert_uint_eq(table[n], n < count ? kept[n] : UINT64_MAX);
		if (n < count)
			page_is(n, kept[n]);
		else
			page_is_empty(n);
	}
	/* Most of its addresses are empty, and cost no mapping. */
	ck_assert_uint_le(domain.mapped, count);
	processors_are_right();
}
END_TEST

/* A guest put a page as far away as there are addresses: its place is not found, nor looked for. */
START_TEST(far_away)
{
	const uint64_t *table;

	domain.translated = true;
	domain.frame[1] = UINT64_C(1) << 40;
	domain.frames = domain.pages = 2;
	domain.pages_max = 4096;
	domain.places = (UINT64_C(1) << 40) + 1;
	dump();
	table = (const uint64_t *)(core + section(".xen_pfn")->sh_offset);
	ck_assert_uint_eq(table[0], 0);
	page_is(0, 0);
	ck_assert_uint_eq(table[1], UINT64_MAX);
	page_is_empty(1);
	ck_assert_uint_le(domain.asked, 4 * ((UINT64_C(4) << 30) / PAGE + domain.pages_max) / 1024);
}
END_TEST

/* Its table: no page, another's, one that Xen does not give, one of no machine's memory. */
static void table_fill(unsigned width)
{
	static const uint64_t frames[] = {0x10,   UINT64_MAX, 0x11, 0x8000000000000012,
					  0x1013, 0x10000,    0x14, UINT64_MAX};
	static uint32_t narrow[8];
	static uint64_t wide[8];

	for (unsigned n = 0; n < 8; n++) {
		wide[n] = frames[n];
		/* The mark of another's is the top bit in both. */
		narrow[n] = (uint32_t)frames[n] | (uint32_t)(n == 3) << 31;
	}
	domain.table = width == 8 ? wide : (uint64_t *)narrow;
	domain.width = width;
	domain.places = 8;
	domain.frame[0] = 0x10;
	domain.frame[1] = 0x11;
	domain.frame[2] = 0x14;
	domain.frames = 3;
}

START_TEST(untranslated)
{
	static const struct core_place places[] = {
		{0, 0x10}, {2, 0x11}, {6, 0x14}, {UINT64_MAX, UINT64_MAX}};
	const struct core_place *table;

	table_fill((unsigned)_i);
	domain.pages = 4;
	dump();
	table = (const struct core_place *)(core + section(".xen_p2m")->sh_offset);
	ck_assert_uint_eq(section(".xen_p2m")->sh_size, sizeof(places));
	for (size_t n = 0; n < 4; n++) {
		ck_assert_uint_eq(table[n].pfn, places[n].pfn);
		ck_assert_uint_eq(table[n].gmfn, places[n].gmfn);
	}
	page_is(0, 0x10);
	page_is(1, 0x11);
	page_is(2, 0x14);
	page_is_empty(3);
	ck_assert_uint_eq(core[section(".xen_shared_info")->sh_offset], 999 & 0xff);
	processors_are_right();
}
END_TEST

/* A table that names a page more often than the domain has pages fills no more than these. */
START_TEST(too_many)
{
	static uint64_t again[5000];

	for (size_t n = 0; n < 5000; n++)
		again[n] = 0x10;
	table_fill(8);
	domain.table = again;
	domain.places = 5000;
	domain.pages = 1500;
	dump();
	ck_assert_uint_eq(section(".xen_pages")->sh_size, 1500 * PAGE);
	for (unsigned n = 0; n < 1500; n++)
		page_is(n, 0x10);
}
END_TEST

START_TEST(without_shared_info)
{
	struct xen xen = {0};
	struct fault fault = {0};

	table_fill(8);
	domain.no_shared_info = true;
	domain.pages = 3;
	ck_assert_int_eq(xen_domain_dump(&xen, DOMID, "/dev/null", NULL, NULL, &fault), -EIO);
	ck_assert_str_eq(fault.text, "domain 7: xc_map_foreign_range");
}
END_TEST

START_TEST(no_room)
{
	struct xen xen = {0};
	struct fault fault = {0};

	table_fill(8);
	domain.pages = 3;
	ck_assert_int_eq(xen_domain_dump(&xen, DOMID, "/dev/full", NULL, NULL, &fault), -ENOSPC);
	ck_assert_str_eq(fault.text, "domain 7: writing its core: No space left on device");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dump");
	TCase *tc = tcase_create("dump");

	tcase_add_test(tc, translated);
	tcase_add_test(tc, far_away);
	tcase_add_loop_test(tc, untranslated, 8, 9);
	tcase_add_loop_test(tc, untranslated, 4, 5);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, without_shared_info);
	tcase_add_test(tc, no_room);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
