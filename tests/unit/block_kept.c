/*
 * What is copied from and to a guest's pages, with those that it uses again and again kept mapped:
 * always the right bytes, few calls, never more pages than are allowed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/block/copier.h"
#include "tests/unit/check.h"

#define PAGE   4096u
#define GRANTS 4000u
#define BAD    5000u /* no such grant */

/* ---- the guest's memory behind libxengnttab ---- */

static int memory;
static uint8_t (*pages)[PAGE], (*model)[PAGE];
static unsigned map_calls, maps, mapped, most, copy_calls, copied;

void *xengnttab_map_domain_grant_refs(xengnttab_handle *gnttab, uint32_t count, uint32_t domid,
				      uint32_t *refs, int prot)
{
	uint8_t *area;

	map_calls++;
	ck_assert_uint_eq(domid, 5);
	for (uint32_t n = 0; n < count; n++)
		if (refs[n] >= GRANTS) {
			errno = EINVAL;
			return NULL;
		}
	area = mmap(NULL, (size_t)count * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (uint32_t n = 0; n < count; n++)
		ck_assert_ptr_ne(mmap(area + (size_t)n * PAGE, PAGE, prot, MAP_SHARED | MAP_FIXED,
				      memory, (off_t)refs[n] * PAGE),
				 MAP_FAILED);
	maps++;
	mapped += count;
	if (mapped > most)
		most = mapped;
	return area;
}

int xengnttab_unmap(xengnttab_handle *gnttab, void *start_address, uint32_t count)
{
	mapped -= count;
	return munmap(start_address, (size_t)count * PAGE);
}

int xengnttab_grant_copy(xengnttab_handle *gnttab, uint32_t count,
			 xengnttab_grant_copy_segment_t *segment)
{
	copy_calls++;
	copied += count;
	for (uint32_t n = 0; n < count; n++, segment++) {
		bool to_guest = segment->flags == GNTCOPY_dest_gref;
		uint32_t ref = to_guest ? segment->dest.foreign.ref : segment->source.foreign.ref;

		segment->status = ref < GRANTS ? GNTST_okay : GNTST_bad_gntref;
		if (ref >= GRANTS)
			continue;
		if (to_guest)
			memcpy(pages[ref] + segment->dest.foreign.offset, segment->source.virt,
			       segment->len);
		else
			memcpy(segment->dest.virt, pages[ref] + segment->source.foreign.offset,
			       segment->len);
	}
	return 0;
}

/* ---- what a ring does ---- */

static struct copier *copier;
static uint8_t local[PAGE], other[PAGE];
static int rc, other_rc;

static void set_up_as(bool persistent)
{
	memory = memfd_create("guest", 0);
	ck_assert_int_eq(ftruncate(memory, (off_t)GRANTS * PAGE), 0);
	pages = mmap(NULL, (size_t)GRANTS * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	copier = malloc(sizeof(*copier));
	copier_init(copier, NULL, 5, persistent);
	map_calls = maps = mapped = most = copy_calls = copied = 0;
	rc = other_rc = 0;
}

static void set_up(void)
{
	set_up_as(true);
}

static void tear_down(void)
{
	copier_close(copier);
	ck_assert_uint_eq(mapped, 0);
	free(copier);
	munmap(pages, (size_t)GRANTS * PAGE);
	close(memory);
}

static void fetch(uint32_t gref)
{
	copier_from_guest(copier, local, gref, 0, PAGE, &rc);
	copier_run(copier);
}

START_TEST(a_page_used_again_is_mapped_once)
{
	for (unsigned n = 1; n <= 100; n++) {
		memset(pages[7], (int)n, PAGE);
		fetch(7);
		ck_assert_int_eq(rc, 0);
		ck_assert_mem_eq(local, pages[7], PAGE);
		memset(local + 512, 0xaa, 1024);
		copier_to_guest(copier, 7, 1024, local + 512, 1024, &rc);
		copier_run(copier);
		ck_assert_uint_eq(pages[7][1023], n);
		ck_assert_uint_eq(pages[7][1024], 0xaa);
		ck_assert_uint_eq(pages[7][2047], 0xaa);
		ck_assert_uint_eq(pages[7][2048], n);
	}
	ck_assert_uint_eq(maps, 1);
	ck_assert_uint_eq(copy_calls, 0);
	ck_assert_uint_eq(copier->near, 200);
}
END_TEST

START_TEST(twice_in_one_pass)
{
	memset(pages[7], 1, PAGE);
	copier_from_guest(copier, local, 7, 0, 512, &rc);
	copier_from_guest(copier, other, 7, 512, 512, &rc);
	copier_run(copier);
	ck_assert_uint_eq(mapped, 1);
	ck_assert_uint_eq(local[511], 1);
	ck_assert_uint_eq(other[511], 1);
}
END_TEST

START_TEST(a_frontend_that_promises_nothing)
{
	tear_down();
	set_up_as(false);
	for (unsigned n = 0; n < 100; n++)
		fetch(7);
	ck_assert_uint_eq(maps, 0);
	ck_assert_uint_eq(copy_calls, 100);
}
END_TEST

START_TEST(a_bad_grant_fails_alone)
{
	fetch(1);
	memset(pages[7], 9, PAGE);
	copier_from_guest(copier, local, 7, 0, PAGE, &rc);
	copier_from_guest(copier, other, BAD, 0, PAGE, &other_rc);
	copier_run(copier);
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_eq(local[PAGE - 1], 9);
	ck_assert_int_eq(other_rc, -EFAULT);
	ck_assert_uint_eq(mapped, 1);
	copy_calls = map_calls = 0;
	fetch(1);
	fetch(7);
	ck_assert_uint_eq(copy_calls, 1);
	ck_assert_uint_eq(map_calls, 0);
	/* Its failure is its own, wherever it stands in the call. */
	other_rc = 0;
	copier_from_guest(copier, local, 8, 0, PAGE, &rc);
	copier_from_guest(copier, other, BAD, 0, PAGE, &other_rc);
	copier_run(copier);
	ck_assert_uint_eq(mapped, 2);
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(other_rc, -EFAULT);
}
END_TEST

/* What cannot be mapped is left out when areas become one. */
START_TEST(a_bad_grant_among_many_areas)
{
	fetch(BAD);
	for (unsigned n = 10; n < 10 + 2 * KEPT_AREAS_MAX; n++)
		fetch(n);
	ck_assert_uint_eq(mapped, 2 * KEPT_AREAS_MAX);
}
END_TEST

/* More than one call takes, all of the same page, of a frontend that keeps its grants and one that
 * does not. */
START_TEST(more_than_a_call_takes)
{
	static int rcs[3 * COPIER_SEGMENTS];

	tear_down();
	set_up_as(_i);
	memset(pages[3], 5, PAGE);
	for (unsigned n = 0; n < 3 * COPIER_SEGMENTS; n++)
		copier_from_guest(copier, local, n % 5 ? 3 : BAD, 0, 512, &rcs[n]);
	copier_run(copier);
	for (unsigned n = 0; n < 3 * COPIER_SEGMENTS; n++)
		ck_assert_int_eq(rcs[n], n % 5 ? 0 : -EFAULT);
	ck_assert_uint_eq(local[511], 5);
}
END_TEST

START_TEST(bad_grants_again_and_again)
{
	fetch(1);
	map_calls = 0;
	for (unsigned n = 0; n < 100; n++) {
		other_rc = 0;
		copier_from_guest(copier, other, BAD + n, 0, PAGE, &other_rc);
		copier_run(copier);
		ck_assert_int_eq(other_rc, -EFAULT);
	}
	ck_assert_uint_le(map_calls, 10);
	copy_calls = 0;
	fetch(1);
	ck_assert_uint_eq(copy_calls, 0);
	fetch(2);
	ck_assert_uint_eq(mapped, 1);
}
END_TEST

START_TEST(no_more_than_allowed)
{
	for (unsigned n = 0; n < GRANTS; n++) {
		memset(pages[n], (int)n, PAGE);
		copier_from_guest(copier, local, n, 0, PAGE, &rc);
		if (n % 32 == 31)
			copier_run(copier);
	}
	copier_run(copier);
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_eq(local[0], (uint8_t)(GRANTS - 1));
	ck_assert_uint_le(most, KEPT_PAGES_MAX);
	for (unsigned n = 0; n < GRANTS; n++)
		fetch(n);
	ck_assert_uint_le(most, KEPT_PAGES_MAX);
}
END_TEST

START_TEST(one_at_a_time)
{
	for (unsigned n = 0; n < KEPT_PAGES_MAX; n++) {
		memset(pages[n], (int)n, PAGE);
		fetch(n);
	}
	ck_assert_uint_eq(mapped, KEPT_PAGES_MAX);
	for (unsigned n = 0; n < KEPT_PAGES_MAX; n++) {
		fetch(n);
		ck_assert_uint_eq(local[17], (uint8_t)n);
	}
	ck_assert_uint_eq(copy_calls, 0);
	ck_assert_uint_eq(maps, KEPT_PAGES_MAX);
}
END_TEST

/* What it uses by now is kept in the end, though others have filled the room. */
START_TEST(other_grants_than_before)
{
	unsigned calls;

	for (unsigned n = 0; n < KEPT_PAGES_MAX; n++) {
		copier_from_guest(copier, local, n, 0, PAGE, &rc);
		if (n % 32 == 31)
			copier_run(copier);
	}
	for (unsigned n = 0; n < 3 * KEPT_PAGES_MAX; n++)
		fetch(2000 + n % 8);
	calls = copy_calls;
	for (unsigned n = 0; n < 100; n++)
		fetch(2000 + n % 8);
	ck_assert_uint_eq(copy_calls, calls);
}
END_TEST

/* A few that do not fit are no reason to start over. */
START_TEST(some_more_than_there_is_room_for)
{
	for (unsigned n = 0; n < KEPT_PAGES_MAX; n++) {
		copier_from_guest(copier, local, n, 0, PAGE, &rc);
		if (n % 32 == 31)
			copier_run(copier);
	}
	maps = 0;
	for (unsigned n = 0; n < 20 * KEPT_PAGES_MAX; n++)
		fetch(n % (KEPT_PAGES_MAX + 100));
	ck_assert_uint_eq(maps, 0);
}
END_TEST

/* After a minute, not a moment before, and whole; then it is kept anew. */
START_TEST(what_is_not_used_goes)
{
	const uint64_t minute = 60000000000u;
	struct kept *kept = &copier->kept;

	ck_assert_uint_eq(kept_idle(kept, 10 * minute), 0);
	kept->used = 1000;
	fetch(7);
	fetch(8);
	ck_assert_uint_eq(kept_idle(kept, 1000), minute);
	kept->used = 5000;
	ck_assert_uint_eq(kept_idle(kept, minute + 1000), 4000);
	ck_assert_uint_eq(kept_idle(kept, minute + 4999), 1);
	ck_assert_uint_eq(mapped, 2);
	ck_assert_uint_eq(kept_idle(kept, minute + 5000), 0);
	ck_assert_uint_eq(mapped, 0);
	fetch(7);
	ck_assert_uint_eq(mapped, 1);
	kept->used = 2 * minute;
	ck_assert_uint_eq(kept_idle(kept, 2 * minute + 1), minute - 1);
}
END_TEST

/* Any copies in any order: the guest's pages are what plain memory would be. */
START_TEST(as_plain_memory)
{
	static uint8_t from[64][PAGE];

	srandom((unsigned)_i);
	model = calloc(GRANTS, PAGE);
	for (unsigned pass = 0; pass < 2000; pass++) {
		unsigned count = (unsigned)random() % 64, reach = random() % 8 ? 100 : GRANTS;
		bool write = random() % 2;

		for (unsigned n = 0; n < count; n++) {
			uint32_t gref = (uint32_t)random() % reach;
			uint16_t offset = (uint16_t)(random() % 8 * 512);
			uint16_t length = (uint16_t)(512 + random() % (8 - offset / 512) * 512);

			if (write) {
				memset(from[n], (int)random(), length);
				memcpy(model[gref] + offset, from[n], length);
				/* The order within a call is nobody's promise. */
				copier_to_guest(copier, gref, offset, from[n], length, &rc);
				copier_run(copier);
			} else {
				copier_from_guest(copier, from[n], gref, offset, length, &rc);
				copier_run(copier);
				ck_assert_mem_eq(from[n], model[gref] + offset, length);
			}
		}
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_mem_eq(pages, model, (size_t)GRANTS * PAGE);
	ck_assert_uint_le(most, KEPT_PAGES_MAX);
	free(model);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_kept");
	TCase *tc = tcase_create("kept");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_page_used_again_is_mapped_once);
	tcase_add_test(tc, twice_in_one_pass);
	tcase_add_test(tc, a_frontend_that_promises_nothing);
	tcase_add_test(tc, a_bad_grant_fails_alone);
	tcase_add_test(tc, a_bad_grant_among_many_areas);
	tcase_add_loop_test(tc, more_than_a_call_takes, 0, 2);
	tcase_add_test(tc, bad_grants_again_and_again);
	tcase_add_test(tc, no_more_than_allowed);
	tcase_add_test(tc, one_at_a_time);
	tcase_add_test(tc, other_grants_than_before);
	tcase_add_test(tc, some_more_than_there_is_room_for);
	tcase_add_test(tc, what_is_not_used_goes);
	tcase_add_loop_test(tc, as_plain_memory, 0, 4);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
