/* Event channels that fire too often, and those that wait for their owner. */
#include "tests/unit/check.h"
#include "tests/unit/pvh_events.h"

#include <string.h>

START_TEST(storm_is_held_and_let_go)
{
	struct owner a, b;
	unsigned after;

	world_make(_i);
	owner_bind(&a, 0);
	owner_bind(&b, 0);
	a.again = 100000;
	xen_event(world.xen, a.channel.port);
	xen_event(world.xen, b.channel.port);
	dispatch(0);
	after = a.count;
	ck_assert_msg(after <= EVTCHN_BURST + 1, "%u in one upcall", after);
	ck_assert_msg(b.count == 1, "the storm starved another");
	ck_assert_int_eq(world.anomalies.count[ANOMALY_EVENT_STORM], 1);
	ck_assert(evtchn_tick(&world.evtchn, world.xen->host_now));
	xen_advance(world.xen, 2000000);
	ck_assert(!evtchn_tick(&world.evtchn, world.xen->host_now));
	dispatch(0);
	ck_assert_msg(a.count > after, "what came while it was held is lost");
}
END_TEST

START_TEST(useless_events_are_held_longer_and_longer)
{
	struct owner a;
	uint64_t until = 0;

	world_make(_i);
	owner_interdomain(&a);
	a.useless = true;
	for (unsigned i = 0; i < EVTCHN_IDLE_FREE; i++) {
		xen_event(world.xen, a.channel.port);
		dispatch(0);
	}
	ck_assert_int_eq(world.evtchn.held, 0);
	for (unsigned i = 0; i < 8; i++) {
		xen_event(world.xen, a.channel.port);
		dispatch(0);
		ck_assert_int_eq(world.evtchn.held, 1);
		until = a.channel.until - world.xen->host_now;
		xen_advance(world.xen, until);
		evtchn_tick(&world.evtchn, world.xen->host_now);
		ck_assert_int_eq(world.evtchn.held, 0);
	}
	ck_assert_int_eq(until, EVTCHN_HOLD_MS_MAX * 1000000);
	a.useless = false;
	xen_event(world.xen, a.channel.port);
	dispatch(0);
	ck_assert_int_eq(world.evtchn.held, 0);
}
END_TEST

START_TEST(late_waits_for_its_owner)
{
	struct owner a;

	world_make(_i);
	memset(&a, 0, sizeof(a));
	a.channel = (struct evtchn_channel){.handler = owner_handler, .arg = &a, .late = true};
	ck_assert_int_eq(evtchn_bind_ipi(&world.evtchn, &a.channel, 0), 0);
	xen_event(world.xen, a.channel.port);
	dispatch(0);
	xen_event(world.xen, a.channel.port);
	dispatch(0);
	ck_assert_int_eq(a.count, 1);
	evtchn_done(&world.evtchn, &a.channel, true);
	dispatch(0);
	ck_assert_int_eq(a.count, 2);
}
END_TEST

static struct owner busy;

static bool port_masked(uint32_t port)
{
	if (world.xen->fifo)
		return world.xen->array[0][port] >> EVTCHN_FIFO_MASKED & 1;
	return world.xen->shared->evtchn_mask[0] >> port & 1;
}

/* Its work is done before it returns, by somebody else, and another event comes to another vcpu. */
static bool overtaken(void *arg)
{
	ck_assert_msg(port_masked(busy.channel.port), "not masked until its work is done");
	if (busy.count++)
		return true;
	evtchn_done(&world.evtchn, &busy.channel, true);
	ck_assert_int_eq(evtchn_move(&world.evtchn, &busy.channel, 1), 0);
	xen_event(world.xen, busy.channel.port);
	dispatch(1);
	world.xen->vcpu = 0;
	return true;
}

START_TEST(late_is_masked_again_before_it_goes_round)
{
	world_make(_i);
	memset(&busy, 0, sizeof(busy));
	busy.channel = (struct evtchn_channel){.handler = overtaken, .late = true};
	ck_assert_int_eq(evtchn_bind_interdomain(&world.evtchn, &busy.channel, 3, 17), 0);
	dispatch(0);
	ck_assert_int_eq(busy.count, 2);
	ck_assert_int_eq(world.anomalies.count[ANOMALY_EVENT_CONCURRENT], 1);
	ck_assert_msg(port_masked(busy.channel.port), "who sends on and on is heard each time");
	evtchn_done(&world.evtchn, &busy.channel, true);
	ck_assert(!port_masked(busy.channel.port));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pvh_throttle");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, storm_is_held_and_let_go, 0, 2);
	tcase_add_loop_test(tc, useless_events_are_held_longer_and_longer, 0, 2);
	tcase_add_loop_test(tc, late_waits_for_its_owner, 0, 2);
	tcase_add_loop_test(tc, late_is_masked_again_before_it_goes_round, 0, 2);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
