/* Event channels on the scripted hypervisor, with both ABIs: each check runs twice. */
#include "tests/unit/check.h"
#include "tests/unit/pvh_events.h"

#include <string.h>

START_TEST(sent_and_handled)
{
	struct owner a, b;

	world_make(_i);
	owner_bind(&a, 0);
	owner_bind(&b, 2);
	ck_assert_int_eq(evtchn_send(&world.evtchn, &a.channel), 0);
	ck_assert_int_eq(evtchn_send(&world.evtchn, &a.channel), 0);
	ck_assert_int_eq(evtchn_send(&world.evtchn, &b.channel), 0);
	ck_assert_int_eq(dispatch(0), 1);
	ck_assert_int_eq(dispatch(1), 0);
	ck_assert(a.count == 1 && b.count == 0);
	ck_assert_int_eq(dispatch(2), 1);
	ck_assert(a.count == 1 && b.count == 1);
	ck_assert_int_eq(dispatch(0), 0);
}
END_TEST

START_TEST(sent_while_handled_is_handled_again)
{
	struct owner a;

	world_make(_i);
	owner_bind(&a, 0);
	a.again = 3;
	xen_event(world.xen, a.channel.port);
	dispatch(0);
	ck_assert_int_eq(a.count, 4);
}
END_TEST

START_TEST(masked_is_kept)
{
	struct owner a;

	world_make(_i);
	owner_bind(&a, 0);
	evtchn_mask(&world.evtchn, &a.channel);
	xen_event(world.xen, a.channel.port);
	ck_assert_int_eq(dispatch(0), 0);
	evtchn_unmask(&world.evtchn, &a.channel);
	ck_assert_int_eq(dispatch(0), 1);
	ck_assert_msg(world.anomalies.count[ANOMALY_UNMASK_RACE] == 1, "found by unmasking");
	/* From another vcpu as well. */
	evtchn_mask(&world.evtchn, &a.channel);
	xen_event(world.xen, a.channel.port);
	world.xen->vcpu = 1;
	evtchn_unmask(&world.evtchn, &a.channel);
	ck_assert_int_eq(dispatch(0), 1);
	ck_assert_int_eq(a.count, 2);
}
END_TEST

START_TEST(masked_after_it_was_told)
{
	struct owner a;

	world_make(_i);
	owner_bind(&a, 0);
	xen_event(world.xen, a.channel.port);
	evtchn_mask(&world.evtchn, &a.channel);
	dispatch(0);
	ck_assert_int_eq(a.count, 0);
	evtchn_unmask(&world.evtchn, &a.channel);
	dispatch(0);
	ck_assert_int_eq(a.count, 1);
}
END_TEST

START_TEST(moved)
{
	struct owner a, pinned;

	world_make(_i);
	owner_interdomain(&a);
	owner_bind(&pinned, 1);
	ck_assert_int_eq(evtchn_move(&world.evtchn, &pinned.channel, 2), -EINVAL);
	xen_event(world.xen, pinned.channel.port);
	ck_assert_msg(dispatch(1) == 1, "a move that failed leaves it where it was, unmasked");
	/* Told to vcpu 0, then moved: whoever gets it, it is handled. */
	xen_event(world.xen, a.channel.port);
	ck_assert_int_eq(evtchn_move(&world.evtchn, &a.channel, 3), 0);
	dispatch(0);
	dispatch(3);
	ck_assert_int_eq(a.count, 1);
	xen_event(world.xen, a.channel.port);
	ck_assert_int_eq(dispatch(0), 0);
	ck_assert_int_eq(dispatch(3), 1);
}
END_TEST

START_TEST(closed)
{
	struct owner a, b;
	uint32_t port;

	world_make(_i);
	owner_bind(&a, 0);
	port = a.channel.port;
	xen_event(world.xen, port);
	evtchn_close(&world.evtchn, &a.channel);
	evtchn_close(&world.evtchn, &a.channel);
	dispatch(0);
	ck_assert_int_eq(a.count, 0);
	owner_bind(&b, 0);
	ck_assert_int_eq(b.channel.port, port);
	dispatch(0);
	ck_assert_msg(b.count == 0, "an old event met the new owner of its number");
	xen_event(world.xen, port);
	dispatch(0);
	ck_assert_int_eq(b.count, 1);
}
END_TEST

START_TEST(unknown_port_is_masked)
{
	struct owner a;

	world_make(_i);
	owner_bind(&a, 0);
	if (_i)
		*(&world.evtchn.array[0][9]) = 0;
	else
		world.xen->shared->evtchn_mask[0] &= ~(1ul << 9);
	xen_event(world.xen, 9);
	dispatch(0);
	xen_event(world.xen, 9);
	dispatch(0);
	ck_assert_int_eq(world.anomalies.count[ANOMALY_EVENT_UNBOUND], 1);
}
END_TEST

START_TEST(adopted_runs_once)
{
	struct owner a = {0};

	world_make(_i);
	world.xen->port[5] = (struct xen_port){.kind = XEN_INTERDOMAIN, .remote = 0, .priority = 7};
	a.channel = (struct evtchn_channel){.handler = owner_handler, .arg = &a};
	ck_assert_int_eq(evtchn_adopt(&world.evtchn, &a.channel, 5), 0);
	dispatch(0);
	ck_assert_int_eq(a.count, 1);
	a.channel.kind = EVTCHN_CLOSED;
	ck_assert_int_eq(evtchn_adopt(&world.evtchn, &a.channel, 9), -ENOENT);
}
END_TEST

START_TEST(bound_anew)
{
	struct owner ipi, timer, card;

	world_make(_i);
	owner_bind(&ipi, 1);
	memset(&timer, 0, sizeof(timer));
	timer.channel = (struct evtchn_channel){.handler = owner_handler, .arg = &timer};
	ck_assert_int_eq(evtchn_bind_virq(&world.evtchn, &timer.channel, VIRQ_TIMER, 2), 0);
	owner_interdomain(&card);
	evtchn_mask(&world.evtchn, &ipi.channel);

	xen_forget(world.xen, 5000);
	world.xen->shared = world.evtchn.shared;
	for (unsigned vcpu = 0; vcpu < VCPUS; vcpu++)
		world.xen->info[vcpu] = world.evtchn.vcpu[vcpu].info;
	memset(world.xen->shared, 0, PVH_PAGE_SIZE);
	world.xen->first_port = 40;
	ck_assert_int_eq(evtchn_rebind(&world.evtchn), 0);

	ck_assert(ipi.channel.port >= 40 && timer.channel.port >= 40);
	ck_assert_int_eq(card.channel.kind, EVTCHN_CLOSED);
	xen_event(world.xen, timer.channel.port);
	ck_assert_int_eq(dispatch(2), 1);
	xen_event(world.xen, ipi.channel.port);
	ck_assert_msg(dispatch(1) == 0, "its owner had masked it");
	evtchn_unmask(&world.evtchn, &ipi.channel);
	ck_assert_int_eq(dispatch(1), 1);
	ck_assert_int_eq(evtchn_check(&world.evtchn), 0);
}
END_TEST

START_TEST(reset_saves_the_toolstacks_ports)
{
	struct owner store = {0}, ipi;

	world_make(_i);
	world.xen->port[5] = (struct xen_port){
		.kind = XEN_INTERDOMAIN, .remote = 0, .remote_port = 77, .priority = 7};
	store.channel = (struct evtchn_channel){.handler = owner_handler, .arg = &store};
	ck_assert_int_eq(evtchn_adopt(&world.evtchn, &store.channel, 5), 0);
	world.xen->param[HVM_PARAM_STORE_EVTCHN] = 5;
	world.xen->param[HVM_PARAM_CONSOLE_EVTCHN] = 4095;
	owner_bind(&ipi, 3);
	dispatch(0);
	ck_assert_int_eq(evtchn_reset(&world.evtchn), 0);
	ck_assert_int_eq(store.channel.kind, EVTCHN_ADOPTED);
	ck_assert_int_eq(world.xen->port[store.channel.port].remote_port, 77);
	ck_assert(store.channel.port != 5);
	ck_assert_int_eq(world.xen->param[HVM_PARAM_STORE_EVTCHN], store.channel.port);
	ck_assert_int_eq(world.xen->param[HVM_PARAM_CONSOLE_EVTCHN], 4095);
	store.count = 0;
	xen_event(world.xen, store.channel.port);
	dispatch(0);
	ck_assert_int_eq(store.count, 1);
	xen_event(world.xen, ipi.channel.port);
	ck_assert_int_eq(dispatch(3), 1);
}
END_TEST

START_TEST(lost_event_is_found)
{
	struct owner a, b;

	world_make(_i);
	owner_bind(&a, 0);
	owner_bind(&b, 0);
	ck_assert_int_eq(evtchn_check(&world.evtchn), 0);
	/* As a guest that forgets to look again after it unmasks. */
	world.evtchn.abi->pend(&world.evtchn, a.channel.port);
	world.xen->vcpu = 0;
	ck_assert_int_eq(evtchn_check(&world.evtchn), 1);
	ck_assert_int_eq(world.anomalies.count[ANOMALY_EVENT_RECOVERED], 1);
	dispatch(0);
	ck_assert_int_eq(a.count, 1);
	world.xen->port[b.channel.port].kind = XEN_FREE;
	ck_assert_int_eq(evtchn_check(&world.evtchn), 1);
	ck_assert_int_eq(world.anomalies.count[ANOMALY_BINDING_LOST], 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pvh_evtchn");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, sent_and_handled, 0, 2);
	tcase_add_loop_test(tc, sent_while_handled_is_handled_again, 0, 2);
	tcase_add_loop_test(tc, masked_is_kept, 0, 2);
	tcase_add_loop_test(tc, masked_after_it_was_told, 0, 2);
	tcase_add_loop_test(tc, moved, 0, 2);
	tcase_add_loop_test(tc, closed, 0, 2);
	tcase_add_loop_test(tc, unknown_port_is_masked, 0, 2);
	tcase_add_loop_test(tc, adopted_runs_once, 0, 2);
	tcase_add_loop_test(tc, bound_anew, 0, 2);
	tcase_add_loop_test(tc, reset_saves_the_toolstacks_ports, 0, 2);
	tcase_add_loop_test(tc, lost_event_is_found, 0, 2);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
