/* What one of the two ABIs of event channels does alone. */
#include "tests/unit/check.h"
#include "tests/unit/pvh_events.h"

#include <string.h>

START_TEST(scan_is_fair)
{
	struct owner a[3];

	world_make(0);
	for (unsigned i = 0; i < 3; i++) {
		world.xen->first_port = 1 + 70 * i;
		owner_bind(&a[i], 0);
	}
	/* The first two: the third is to be the next that is looked at. */
	xen_event(world.xen, a[0].channel.port);
	xen_event(world.xen, a[1].channel.port);
	dispatch(0);
	ordered = 0;
	for (unsigned i = 0; i < 3; i++)
		xen_event(world.xen, a[i].channel.port);
	dispatch(0);
	ck_assert_int_eq(ordered, 3);
	ck_assert_int_eq(order[0], a[2].channel.port);
	ck_assert_int_eq(order[1], a[0].channel.port);
	ck_assert_int_eq(order[2], a[1].channel.port);
}
END_TEST

START_TEST(priorities_come_first)
{
	struct owner low, high;

	world_make(1);
	memset(&low, 0, sizeof(low));
	memset(&high, 0, sizeof(high));
	low.channel =
		(struct evtchn_channel){.handler = owner_handler, .arg = &low, .priority = 15};
	high.channel =
		(struct evtchn_channel){.handler = owner_handler, .arg = &high, .priority = 0};
	ck_assert_int_eq(evtchn_bind_ipi(&world.evtchn, &low.channel, 0), 0);
	ck_assert_int_eq(evtchn_bind_ipi(&world.evtchn, &high.channel, 0), 0);
	xen_event(world.xen, low.channel.port);
	xen_event(world.xen, high.channel.port);
	ordered = 0;
	dispatch(0);
	ck_assert_int_eq(ordered, 2);
	ck_assert_int_eq(order[0], high.channel.port);
}
END_TEST

START_TEST(array_grows)
{
	struct owner a, b;

	world_make(1);
	owner_bind(&a, 0);
	ck_assert_int_eq(world.evtchn.array_pages, 1);
	world.xen->first_port = 3000;
	owner_bind(&b, 0);
	ck_assert_int_eq(world.evtchn.array_pages, 3);
	xen_event(world.xen, b.channel.port);
	dispatch(0);
	ck_assert_int_eq(b.count, 1);
	world.xen->pages_max = 0;
	world.xen->first_port = 4090;
	b.channel.kind = EVTCHN_CLOSED;
	ck_assert_int_eq(evtchn_bind_ipi(&world.evtchn, &b.channel, 0), -ENOMEM);
	ck_assert_msg(world.xen->port[4090].kind == XEN_FREE, "a port was left bound");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pvh_abi");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, scan_is_fair);
	tcase_add_test(tc, priorities_come_first);
	tcase_add_test(tc, array_grows);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
