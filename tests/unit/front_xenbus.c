/* The frontend's side of the handshake against backends that do as they like. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/core/limbo.h"
#include "frontend/core/throttle.h"
#include "frontend/core/xenbus.h"
#include "tests/unit/check.h"
#include "tests/unit/front_fake.h"

/* One letter an action: . wait, P publish, C connect, f refresh, r reset, o reopen, F finish, E
 * end; one column a backend's state: 0 to 8, then 9 and 2^32 - 1, which nobody defined. */
static const struct {
	const char *what;
	enum xenbus_phase phase;
	bool online;
	const char *actions;
} steps[] = {
	/*                                         012345678 9M */
	{"initialising", XENBUS_INITIALISING, true, "..PPrr....."},
	{"initialising, removed", XENBUS_INITIALISING, false, "..PPrFF...."},
	{"published", XENBUS_PUBLISHED, true, "r...Crr..rr"},
	{"published, removed", XENBUS_PUBLISHED, false, "F...CFF..FF"},
	{"connected", XENBUS_CONNECTED, true, "roP.frr..rr"},
	{"connected, removed", XENBUS_CONNECTED, false, "FoP.fFF..FF"},
	{"closed", XENBUS_CLOSED, true, ".oPP..o...."},
	{"closed, removed", XENBUS_CLOSED, false, "EoPP.FE..EE"},
	{"leaving", XENBUS_LEAVING, true, "FFF..FF..FF"},
	{"finishing", XENBUS_FINISHING, true, "EEE...E..EE"},
	{"ended", XENBUS_ENDED, true, "..........."},
	{"ended, removed", XENBUS_ENDED, false, "..........."},
};

START_TEST(every_state_in_every_phase)
{
	static const char letters[] = {
		[XENBUS_WAIT] = '.',    [XENBUS_PUBLISH] = 'P', [XENBUS_CONNECT] = 'C',
		[XENBUS_REFRESH] = 'f', [XENBUS_RESET] = 'r',   [XENBUS_REOPEN] = 'o',
		[XENBUS_FINISH] = 'F',  [XENBUS_END] = 'E',
	};
	char got[12] = "";

	for (unsigned state = 0; state < 11; state++)
		got[state] = letters[xenbus_next(steps[_i].phase, state < 10 ? state : UINT32_MAX,
						 steps[_i].online)];
	ck_assert_msg(!strcmp(got, steps[_i].actions), "%s: %s, not %s", steps[_i].what, got,
		      steps[_i].actions);
}
END_TEST

/* A class of devices that notes what it is told. */
struct test_device {
	struct xenbus_device xenbus; /* first */
	char told[64];
	bool open_fails, connect_fails;
	struct platform_area *area;
};

static void tell(struct xenbus_device *device, char what)
{
	struct test_device *test = (struct test_device *)device;
	size_t length = strlen(test->told);

	ck_assert_uint_lt(length, sizeof(test->told) - 1);
	test->told[length] = what;
}

static int test_open(struct xenbus_device *device)
{
	struct test_device *test = (struct test_device *)device;

	tell(device, 'O');
	if (test->open_fails)
		return -ENOMEM;
	return limbo_share(device->platform, 0, 1, false, &test->area);
}

static int test_offer(struct xenbus_device *device, uint32_t transaction)
{
	return store_write_number(device->platform, transaction, device->path, "ring-ref", 8);
}

static int test_connect(struct xenbus_device *device)
{
	tell(device, 'C');
	return ((struct test_device *)device)->connect_fails ? -EINVAL : 0;
}

static int test_refresh(struct xenbus_device *device)
{
	tell(device, 'f');
	return 0;
}

static void test_close(struct xenbus_device *device)
{
	tell(device, 'X');
	limbo_drop(device->platform, &((struct test_device *)device)->area);
}

static void test_ended(struct xenbus_device *device)
{
	tell(device, 'E');
}

static const struct xenbus_driver test_driver = {
	.published = XenbusStateInitialised,
	.open = test_open,
	.offer = test_offer,
	.connect = test_connect,
	.refresh = test_refresh,
	.close = test_close,
	.ended = test_ended,
};

static void device_make(struct fake *fake, struct test_device *test, const char *backend_state,
			const char *own_state)
{
	fake_open(fake);
	fake_put(fake, "device/vbd/51712/backend", "/local/domain/0/backend/vbd/5/51712");
	fake_put(fake, "device/vbd/51712/backend-id", "0");
	fake_put(fake, "device/vbd/51712/state", own_state);
	fake_put(fake, "/local/domain/0/backend/vbd/5/51712/online", "1");
	fake_put(fake, "/local/domain/0/backend/vbd/5/51712/state", backend_state);
	memset(test, 0, sizeof(*test));
	test->xenbus.platform = &fake->platform;
	test->xenbus.driver = &test_driver;
	ck_assert_int_eq(xenbus_start(&test->xenbus, "device/vbd/51712"), 0);
	fake_set(fake, "/local/domain/0/backend/vbd/5/51712/state", backend_state);
}

/* A story: a digit sets the backend's state; o and O: online is 0, 1; L: we want to leave; a letter
 * b breaks the next open, c the next connect; x: our directory goes; after each step ">N" says what
 * our state node shows ("-": none). What the class was told comes after "|". */
static const struct {
	const char *what, *story;
} stories[] = {
	{"the usual way", "2>3 4>4|OC"},
	{"Connected again is a refresh", "2>3 4>4 4>4|OCf"},
	{"the backend was already there", "0>1 1>1 2>3 3>3 4>4|OC"},
	{"removed in order", "2>3 4>4 o>4 5>6 6>6|OCXE"},
	{"removed in one step", "2>3 4>4 o>4 6>6|OCXE"},
	{"removed with its directories", "2>3 4>4 o>4 x>- 0>-|OCXE"},
	{"a driver domain that starts again", "2>3 4>4 5>6 6>1 1>1 2>3 4>4|OCXOC"},
	{"one that vanishes and comes back", "2>3 4>4 0>6 1>1 2>3 4>4|OCXOC"},
	{"one that starts over without a word", "2>3 4>4 2>3 4>4|OCXOC"},
	{"one that starts from the beginning", "2>3 4>4 1>1 2>3 4>4|OCXOC"},
	{"rings of an earlier life", "4>6 5>6 6>1 2>3 4>4|OC"},
	{"an earlier life that is ending", "5>6 6>1 2>3 4>4|OC"},
	{"we leave", "2>3 4>4 L>5 5>6 6>6|OCXE"},
	{"we leave, the backend skips Closing", "2>3 4>4 L>5 6>6|OCXE"},
	{"we leave before anything was offered", "1>1 L>6|E"},
	{"we leave, the backend is gone", "2>3 4>4 0>6 L>6|OCXE"},
	{"no memory for rings", "b 2>6 6>6|OE"},
	{"properties that make no sense", "2>3 c 4>6 6>6|OCXE"},
	{"states that nobody defined", "2>3 9>6 2>3 4>4 7>4 8>4|OXOC"},
	{"Closed before we were connected", "2>3 6>1 2>3 4>4|OXOC"},
};

static void story_step(struct fake *fake, struct test_device *test, const char **at)
{
	char state[2] = {**at, '\0'};
	char c = *(*at)++;

	if (c == 'L')
		xenbus_leave(&test->xenbus, NULL);
	else if (c == 'b')
		test->open_fails = true;
	else if (c == 'c')
		test->connect_fails = true;
	else if (c == 'o')
		fake_put(fake, "/local/domain/0/backend/vbd/5/51712/online", "0");
	else if (c == 'x')
		fake_put(fake, "device/vbd/51712/state", NULL);
	else
		fake_set(fake, "/local/domain/0/backend/vbd/5/51712/state", state);
}

START_TEST(backend_stories)
{
	const char *what = stories[_i].what, *at = stories[_i].story;
	struct test_device test;
	struct fake fake;

	device_make(&fake, &test, "1", "1");
	while (*at != '|') {
		story_step(&fake, &test, &at);
		if (*at == '>') {
			const char *state = fake_get(&fake, "device/vbd/51712/state");

			ck_assert_msg(at[1] == (*state ? *state : '-'), "%s: \"%s\" at \"%s\"",
				      what, state, at - 1);
			at += 2;
		}
		at += *at == ' ';
	}
	ck_assert_msg(!strcmp(test.told, at + 1), "%s: told %s", what, test.told);
	xenbus_stop(&test.xenbus);
	fake_empty(&fake);
}
END_TEST

START_TEST(going_in_circles_ends)
{
	struct test_device test;
	struct fake fake;
	unsigned circles = 0;

	device_make(&fake, &test, "1", "1");
	while (test.xenbus.phase < XENBUS_FINISHING && circles++ < 100) {
		test.told[0] = '\0';
		memset(test.told, 0, sizeof(test.told));
		fake_set(&fake, "/local/domain/0/backend/vbd/5/51712/state", "2");
		fake_set(&fake, "/local/domain/0/backend/vbd/5/51712/state", "4");
	}
	ck_assert_uint_lt(circles, 20);
	ck_assert_str_eq(fake_get(&fake, "device/vbd/51712/state"), "6");
	xenbus_stop(&test.xenbus);
	fake_empty(&fake);
}
END_TEST

START_TEST(stale_state_at_the_start)
{
	struct test_device test;
	struct fake fake;

	device_make(&fake, &test, "6", "6");
	ck_assert_str_eq(fake_get(&fake, "device/vbd/51712/state"), "1");
	xenbus_stop(&test.xenbus);

	device_make(&fake, &test, "4", "4");
	ck_assert_str_eq(fake_get(&fake, "device/vbd/51712/state"), "6");
	xenbus_stop(&test.xenbus);
	fake_empty(&fake);
}
END_TEST

START_TEST(conflicts_are_bounded)
{
	struct test_device test;
	struct fake fake;

	device_make(&fake, &test, "1", "1");
	fake.conflicts = 60;
	fake_set(&fake, "/local/domain/0/backend/vbd/5/51712/state", "2");
	ck_assert_str_eq(fake_get(&fake, "device/vbd/51712/state"), "3");
	ck_assert_uint_eq(fake.conflicts, 0);
	xenbus_stop(&test.xenbus);

	device_make(&fake, &test, "1", "1");
	fake.conflicts = 100000;
	fake_set(&fake, "/local/domain/0/backend/vbd/5/51712/state", "2");
	ck_assert_int_eq(test.xenbus.phase, XENBUS_ENDED);
	xenbus_stop(&test.xenbus);
	fake_empty(&fake);
}
END_TEST

static const struct {
	const char *what, *missing, *value;
	int rc;
} starts[] = {
	{"no backend", "device/vbd/51712/backend", NULL, -ENOENT},
	{"no backend-id", "device/vbd/51712/backend-id", NULL, -ENOENT},
	{"a domid that is none", "device/vbd/51712/backend-id", "65536", -ERANGE},
	{"a domid that is no number", "device/vbd/51712/backend-id", "dom0", -EINVAL},
};

START_TEST(start_refuses)
{
	struct test_device test = {.xenbus.driver = &test_driver};
	struct fake fake;

	fake_open(&fake);
	fake_put(&fake, "device/vbd/51712/backend", "/b");
	fake_put(&fake, "device/vbd/51712/backend-id", "0");
	fake_put(&fake, "device/vbd/51712/state", "1");
	fake_put(&fake, starts[_i].missing, starts[_i].value);
	test.xenbus.platform = &fake.platform;
	ck_assert_msg(xenbus_start(&test.xenbus, "device/vbd/51712") == starts[_i].rc, "%s",
		      starts[_i].what);
	fake_empty(&fake);
}
END_TEST

/* The domain was restored at some phase; the store is the new host's. */
static const struct {
	const char *what, *before; /* the backend's states until then */
	const char *backend, *backend_id;
	bool leaving;
	int rc;
	const char *told;
	enum xenbus_phase phase;
} resumes[] = {
	{"connected", "24", "/local/domain/0/backend/vbd/9/51712", "0", false, 0, "OCXOC",
	 XENBUS_CONNECTED},
	{"rings offered", "2", "/local/domain/0/backend/vbd/9/51712", "0", false, 0, "OXOC",
	 XENBUS_CONNECTED},
	{"not begun", "1", "/local/domain/0/backend/vbd/9/51712", "0", false, 0, "OC",
	 XENBUS_CONNECTED},
	{"the same backend", "24", "/local/domain/0/backend/vbd/5/51712", "0", false, 0, "OCXOC",
	 XENBUS_CONNECTED},
	{"another domain's backend", "24", "/local/domain/3/backend/vbd/9/51712", "3", false,
	 -EXDEV, "OCXE", XENBUS_ENDED},
	{"it was not restored", "24", NULL, NULL, false, -ENOENT, "OCXE", XENBUS_ENDED},
	{"leaving", "24", "/local/domain/0/backend/vbd/9/51712", "0", true, 0, "OCXE",
	 XENBUS_ENDED},
	{"ended", "24665", "/local/domain/0/backend/vbd/9/51712", "0", true, 0, "OCXE",
	 XENBUS_ENDED},
};

static void backend_state_set(struct fake *fake, const char *backend, char state)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/state", backend);
	fake_set(fake, path, (char[]){state, '\0'});
}

START_TEST(restored)
{
	struct test_device test;
	struct fake fake;

	device_make(&fake, &test, "1", "1");
	for (const char *state = resumes[_i].before; *state; state++) {
		if (*state == '6' && resumes[_i].leaving)
			xenbus_leave(&test.xenbus, NULL);
		backend_state_set(&fake, "/local/domain/0/backend/vbd/5/51712", *state);
	}
	if (resumes[_i].leaving)
		xenbus_leave(&test.xenbus, NULL);
	fake_put(&fake, "device/vbd/51712/backend", resumes[_i].backend);
	fake_put(&fake, "device/vbd/51712/backend-id", resumes[_i].backend_id);
	fake_put(&fake, "device/vbd/51712/state", "1");
	if (resumes[_i].backend)
		backend_state_set(&fake, resumes[_i].backend, '1');
	ck_assert_msg(xenbus_resume(&test.xenbus) == resumes[_i].rc, "%s", resumes[_i].what);
	for (const char *state = "24"; resumes[_i].backend && *state; state++)
		backend_state_set(&fake, resumes[_i].backend, *state);
	ck_assert_msg(!strcmp(test.told, resumes[_i].told), "%s: %s, not %s", resumes[_i].what,
		      test.told, resumes[_i].told);
	ck_assert_msg(test.xenbus.phase == resumes[_i].phase, "%s", resumes[_i].what);
	xenbus_stop(&test.xenbus);
	fake_empty(&fake);
}
END_TEST

START_TEST(a_store_that_fails_ends_nothing)
{
	struct test_device test;
	struct fake fake;

	device_make(&fake, &test, "2", "1");
	fake_set(&fake, "/local/domain/0/backend/vbd/5/51712/state", "4");
	ck_assert_int_eq(test.xenbus.phase, XENBUS_CONNECTED);
	fake.store_fails = true;
	fake_set(&fake, "/local/domain/0/backend/vbd/5/51712/state", "4");
	ck_assert_int_eq(test.xenbus.phase, XENBUS_CONNECTED);
	ck_assert_int_eq(fake_number(&fake, "device/vbd/51712/state"), 4);
	fake.store_fails = false;
	xenbus_stop(&test.xenbus);
	fake_empty(&fake);
}
END_TEST

START_TEST(pages_in_use_wait_in_limbo)
{
	struct platform_area *area[3] = {0}, *more = NULL;
	struct fake fake;

	fake_open(&fake);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(limbo_share(&fake.platform, 0, 300, false, &area[i]), 0);
	fake.revoke_fails = true;
	for (int i = 0; i < 3; i++) {
		limbo_drop(&fake.platform, &area[i]);
		ck_assert_ptr_null(area[i]);
	}
	ck_assert_uint_eq(limbo_retry(&fake.platform), 900);
	ck_assert_int_eq(limbo_share(&fake.platform, 0, 125, false, &more), -EBUSY);
	ck_assert_int_eq(limbo_share(&fake.platform, 0, 124, false, &more), 0);
	fake.revoke_fails = false;
	ck_assert_uint_eq(limbo_retry(&fake.platform), 0);
	limbo_drop(&fake.platform, &more);
	fake_empty(&fake);
}
END_TEST

START_TEST(events_for_nothing_are_slowed)
{
	struct throttle throttle = {0};
	uint32_t total = 0;

	for (unsigned i = 0; i < THROTTLE_FREE; i++)
		ck_assert_uint_eq(throttle_delay(&throttle, false), 0);
	for (int i = 0; i < 100; i++)
		total += throttle_delay(&throttle, false);
	ck_assert_uint_eq(total, 2 + 4 + 8 + 16 + 96 * THROTTLE_MAX_MS);
	ck_assert_uint_eq(throttle_delay(&throttle, true), 0);
	ck_assert_uint_eq(throttle_delay(&throttle, false), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("front_xenbus");
	TCase *tc = tcase_create("front_xenbus");

	tcase_add_loop_test(tc, every_state_in_every_phase, 0, TABLE_SIZE(steps));
	tcase_add_loop_test(tc, backend_stories, 0, TABLE_SIZE(stories));
	tcase_add_loop_test(tc, start_refuses, 0, TABLE_SIZE(starts));
	tcase_add_test(tc, a_store_that_fails_ends_nothing);
	tcase_add_loop_test(tc, restored, 0, TABLE_SIZE(resumes));
	tcase_add_test(tc, going_in_circles_ends);
	tcase_add_test(tc, stale_state_at_the_start);
	tcase_add_test(tc, conflicts_are_bounded);
	tcase_add_test(tc, pages_in_use_wait_in_limbo);
	tcase_add_test(tc, events_for_nothing_are_slowed);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
