/* Xen's grant table rules on shared memory (embedded/grant.c), and what survives a process's death.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "embedded/grant.h"
#include "tests/unit/check.h"

#define FRAMES 64u
#define REF    20u

static const struct grant_user user = {.session = 100, .domid = 7};
static const struct grant_user other = {.session = 101, .domid = 8};

static struct shared_table *table;
static struct maptrack_slot slots[4];

static void setup(void)
{
	table = mmap(NULL, shared_table_size(FRAMES), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(table, MAP_FAILED);
	table->domid = 3;
	table->serial = 33;
	table->frames = FRAMES;
	for (uint32_t i = 0; i < SHARED_FRAMES_RESERVED; i++)
		table->frame_owner[i] = OWNER_HOST;
	for (uint32_t i = 0; i < SHARED_REFS_RESERVED; i++)
		table->ref_owner[i] = OWNER_HOST;
	memset(slots, 0, sizeof(slots));
}

static void teardown(void)
{
	munmap(table, shared_table_size(FRAMES));
}

static const struct {
	const char *what;
	uint16_t flags, domid;
	uint32_t frame;
	bool write;
	int16_t status;
} entries[] = {
	{"a writable page, to write", GTF_permit_access, 7, 5, true, GNTST_okay},
	{"a writable page, to read", GTF_permit_access, 7, 5, false, GNTST_okay},
	{"a read-only page, to read", GTF_permit_access | GTF_readonly, 7, 5, false, GNTST_okay},
	{"a read-only page, to write", GTF_permit_access | GTF_readonly, 7, 5, true,
	 GNTST_general_error},
	{"not granted", GTF_invalid, 7, 5, false, GNTST_general_error},
	{"granted to another", GTF_permit_access, 8, 5, false, GNTST_general_error},
	{"offered for transfer", GTF_accept_transfer, 7, 5, false, GNTST_general_error},
	{"transitive, which is version 2", GTF_transitive, 7, 5, false, GNTST_general_error},
	{"a frame that is none", GTF_permit_access, 7, FRAMES, true, GNTST_bad_page},
};

START_TEST(entry)
{
	grant_entry_v1_t *granted = &table->grants[REF];
	uint32_t frame = 0;
	uint16_t used = entries[_i].write ? GTF_reading | GTF_writing : GTF_reading;

	granted->flags = entries[_i].flags;
	granted->domid = entries[_i].domid;
	granted->frame = entries[_i].frame;
	ck_assert_msg(grant_pin(table, REF, &user, entries[_i].write, slots, &frame) ==
			      entries[_i].status,
		      "%s", entries[_i].what);
	if (!entries[_i].status) {
		ck_assert_uint_eq(frame, 5);
		ck_assert_uint_eq(granted->flags, entries[_i].flags | used);
		ck_assert(grant_unpin(table, &user, slots));
	}
	ck_assert_uint_eq(granted->flags, entries[_i].flags);
	ck_assert_uint_eq(slots[0].state, MAPTRACK_FREE);
	ck_assert_uint_eq(table->active[REF].lock, OWNER_NONE);
}
END_TEST

START_TEST(range)
{
	uint32_t frame;

	ck_assert_int_eq(grant_pin(table, SHARED_REFS, &user, false, slots, &frame),
			 GNTST_bad_gntref);
	table->domid = DOMID_INVALID;
	ck_assert_int_eq(grant_pin(table, REF, &user, false, slots, &frame), GNTST_bad_domain);
}
END_TEST

/* The flags say what is left of the pins, and a page in use cannot be revoked. */
START_TEST(pins)
{
	const grant_entry_v1_t *granted = &table->grants[REF];
	uint32_t frame;

	grant_allow(table, REF, 7, 9, false);
	ck_assert_int_eq(grant_pin(table, REF, &user, false, &slots[0], &frame), GNTST_okay);
	ck_assert_uint_eq(granted->flags, GTF_permit_access | GTF_reading);
	ck_assert_int_eq(grant_pin(table, REF, &user, true, &slots[1], &frame), GNTST_okay);
	ck_assert_int_eq(grant_pin(table, REF, &user, true, &slots[2], &frame), GNTST_okay);
	ck_assert_uint_eq(granted->flags, GTF_permit_access | GTF_reading | GTF_writing);
	ck_assert_int_eq(grant_pin(table, REF, &other, false, &slots[3], &frame),
			 GNTST_general_error);
	ck_assert(!grant_revoke(table, REF));

	ck_assert(grant_unpin(table, &user, &slots[1]));
	ck_assert_uint_eq(granted->flags, GTF_permit_access | GTF_reading | GTF_writing);
	ck_assert(grant_unpin(table, &user, &slots[2]));
	ck_assert_uint_eq(granted->flags, GTF_permit_access | GTF_reading);
	ck_assert(!grant_revoke(table, REF));
	ck_assert(grant_unpin(table, &user, &slots[0]));
	ck_assert_uint_eq(granted->flags, GTF_permit_access);
	ck_assert(grant_revoke(table, REF));
	ck_assert_uint_eq(granted->flags, 0);
}
END_TEST

/* A process died while it held the lock, after one pin was counted that it had not recorded. */
START_TEST(recount)
{
	struct shared_active *active = &table->active[REF];
	uint32_t frame;

	grant_allow(table, REF, 7, 9, false);
	ck_assert_int_eq(grant_pin(table, REF, &user, false, &slots[0], &frame), GNTST_okay);
	ck_assert_int_eq(grant_pin(table, REF, &user, true, &slots[1], &frame), GNTST_okay);
	ck_assert(grant_trylock(active, OWNER_NONE, 55));
	slots[1].state = MAPTRACK_TRYING;

	ck_assert(!grant_trylock(active, OWNER_NONE, OWNER_HOST));
	ck_assert(!grant_trylock(active, 56, OWNER_HOST));
	ck_assert(grant_trylock(active, 55, OWNER_HOST));
	grant_recount(table, REF, 1, 0);
	grant_unlock(active);
	ck_assert_uint_eq(table->grants[REF].flags, GTF_permit_access | GTF_reading);
	ck_assert(grant_unpin(table, &user, &slots[0]));
	ck_assert_uint_eq(table->grants[REF].flags, GTF_permit_access);
}
END_TEST

START_TEST(taking)
{
	uint32_t first = grant_frame_take(table, 100), last = first, next;

	for (next = first; next; next = grant_frame_take(table, 100)) {
		ck_assert_uint_ge(next, last);
		last = next;
	}
	ck_assert_uint_eq(first, SHARED_FRAMES_RESERVED);
	ck_assert_uint_eq(last, FRAMES - 1);
	ck_assert_uint_eq(table->frame_top, FRAMES);
	grant_frame_give(table, 30, 999); /* not the owner */
	ck_assert_uint_eq(grant_frame_take(table, 100), 0);
	grant_frame_give(table, 30, 100);
	grant_frame_give(table, 20, 100);
	ck_assert_uint_eq(grant_frame_take(table, 101), 20);
	table->frame_hint = 50; /* as after a race of take and give */
	ck_assert_uint_eq(grant_frame_take(table, 101), 30);
	ck_assert_uint_eq(table->frame_owner[30], 101);
}
END_TEST

/* A reference that ends while in use keeps itself and its page from being given out again. */
START_TEST(deferred)
{
	uint32_t frame = grant_frame_take(table, 100), ref = grant_ref_take(table, 100), pinned;

	grant_allow(table, ref, 7, frame, false);
	ck_assert_int_eq(grant_pin(table, ref, &user, true, slots, &pinned), GNTST_okay);
	ck_assert_uint_eq(pinned, frame);
	ck_assert(!grant_end(table, ref, 100));
	ck_assert_uint_eq(table->ref_owner[ref], OWNER_DEFERRED);
	ck_assert_uint_eq(table->frame_owner[frame], OWNER_DEFERRED);

	grant_reap(table, 200);
	ck_assert_uint_eq(table->ref_owner[ref], OWNER_DEFERRED);
	ck_assert(grant_unpin(table, &user, slots));
	grant_reap(table, 200);
	ck_assert_uint_eq(table->ref_owner[ref], OWNER_NONE);
	ck_assert_uint_eq(table->frame_owner[frame], OWNER_NONE);
	ck_assert_uint_eq(table->grants[ref].flags, 0);
	ck_assert_int_eq(grant_pin(table, ref, &user, false, slots, &pinned), GNTST_general_error);
}
END_TEST

#define ROUNDS 20000

/* Return: NULL when all went as it must. */
static void *pin_often(void *arg)
{
	struct maptrack_slot *slot = arg;
	const struct grant_user self = {.session = 200 + (uint32_t)(slot - slots), .domid = 7};
	uint32_t frame;

	for (int i = 0; i < ROUNDS; i++)
		if (grant_pin(table, REF, &self, i & 1, slot, &frame) || grant_revoke(table, REF) ||
		    !grant_unpin(table, &self, slot))
			return arg;
	return NULL;
}

START_TEST(many_at_once)
{
	pthread_t threads[4];
	void *wrong;

	grant_allow(table, REF, 7, 9, false);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, pin_often, &slots[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		ck_assert_ptr_null(wrong);
	}
	ck_assert_uint_eq(table->grants[REF].flags, GTF_permit_access);
	ck_assert_uint_eq(table->active[REF].readers + table->active[REF].writers, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("embedded_grant");
	TCase *tc = tcase_create("grant");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, entry, 0, TABLE_SIZE(entries));
	tcase_add_test(tc, range);
	tcase_add_test(tc, pins);
	tcase_add_test(tc, recount);
	tcase_add_test(tc, taking);
	tcase_add_test(tc, deferred);
	tcase_add_test(tc, many_at_once);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
