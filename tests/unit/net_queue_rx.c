/* A queue between a guest's rings and a TAP: packets to the guest. */
#include <errno.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "tests/unit/net_guest.h"

#define RING 256u

static struct guest *guest;

static void setup(void)
{
	guest = guest_make();
}

static void teardown(void)
{
	guest_free(guest);
}

START_TEST(rx_index_lies)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest->rx->req_prod = GUEST_START + guest_lies[_i].first;
	for (int i = 0; i < 3; i++)
		network_write(guest, NULL, 1, 60);
	guest_settle(guest);
	guest->rx->req_prod = GUEST_START + guest_lies[_i].then;
	network_write(guest, NULL, 1, 60);
	guest_settle(guest);
	guest_kick(guest, GUEST_RX_PORT);
	ck_assert_msg(guest->errors == 1, "%s: %d errors", guest_lies[_i].what, guest->errors);
	ck_assert_uint_le(answered_rx(guest), 4);
}
END_TEST

START_TEST(rx_index_lies_in_between)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest->rx->req_prod = GUEST_START + 10;
	network_write_gso(guest, 65000);
	guest_settle(guest);
	guest->rx->req_prod = GUEST_START + 10 + RING;
	guest_kick(guest, GUEST_RX_PORT);
	guest_kick(guest, GUEST_RX_PORT);
	ck_assert_int_eq(guest->errors, 1);
	ck_assert_uint_eq(answered_rx(guest), 0);
}
END_TEST

START_TEST(receives_in_order)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, RING, 0);
	for (uint8_t i = 0; i < 30; i++)
		network_write(guest, NULL, i, 100 + i);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(guest), 30);
	for (uint32_t i = 0; i < 30; i++) {
		struct netif_rx_response response = guest_rx_response(guest, GUEST_START + i);

		ck_assert_uint_eq(response.id, (GUEST_START + i) % 256 + 2000);
		ck_assert_int_eq(response.status, 100 + (int)i);
		ck_assert_uint_eq(guest->page[i][99], i);
		ck_assert_uint_eq(guest->page[i][100 + i], i % 251);
	}
	ck_assert_int_eq(guest->copies, 1);
	ck_assert_int_eq(guest->notified[GUEST_RX_PORT], 1);
}
END_TEST

/* Killed after it had put its answers over the requests, before it showed them: the packets are
 * lost, the requests are not. */
START_TEST(killed_over_its_answers)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 8, 0);
	for (uint8_t i = 0; i < 5; i++)
		network_write(guest, NULL, i, 100);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(guest), 5);
	net_queue_close(guest->queue);
	guest->queue = NULL;
	guest->rx->rsp_prod = GUEST_START;
	memset(guest->page, 0xee, 8 * sizeof(guest->page[0]));
	ck_assert_int_eq(guest_open(guest), 0);
	for (uint8_t i = 10; i < 17; i++)
		network_write(guest, NULL, i, 100);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(guest), 7);
	for (uint32_t i = 0; i < 7; i++) {
		ck_assert_int_eq(guest_rx_response(guest, GUEST_START + i).status, 100);
		ck_assert_uint_eq(guest->page[i][99], 10 + i);
	}
	ck_assert_int_eq(guest->errors, 0);
}
END_TEST

START_TEST(never_more_than_posted)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 3, 0);
	for (uint8_t i = 0; i < 10; i++)
		network_write(guest, NULL, i, 60);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(guest), 3);
	ck_assert_uint_eq(guest->rx->req_event, GUEST_START + 4);
	guest_post(guest, 4, 3);
	guest_kick(guest, GUEST_RX_PORT);
	ck_assert_uint_eq(answered_rx(guest), 7);
	guest_post(guest, 10, 7);
	guest_kick(guest, GUEST_RX_PORT);
	ck_assert_uint_eq(answered_rx(guest), 10);
	ck_assert_uint_eq(guest->page[9][0], 9);
}
END_TEST

START_TEST(a_large_packet_waits)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 5, 0);
	network_write_gso(guest, 65000);
	network_write(guest, NULL, 77, 60);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(guest), 0);
	ck_assert_uint_eq(guest->rx->req_event, GUEST_START + 17);
	guest_post(guest, 11, 5);
	guest_kick(guest, GUEST_RX_PORT);
	ck_assert_uint_eq(answered_rx(guest), 0);
	guest_post(guest, 2, 16);
	guest_kick(guest, GUEST_RX_PORT);
	ck_assert_uint_eq(answered_rx(guest), 18);
	ck_assert_uint_eq(guest_rx_response(guest, GUEST_START).flags, 15);
	ck_assert_int_eq(guest_rx_response(guest, GUEST_START + 16).status, 65000 - 15 * 4096);
	ck_assert_int_eq(guest_rx_response(guest, GUEST_START + 17).status, 60);
	ck_assert_uint_eq(guest->page[17][0], 77);
}
END_TEST

static void post_enough(struct guest *g)
{
	g->during_copy = NULL;
	guest_post(g, 16, 2);
}

/* The guest, which was not asked for it yet, posts before we look again; and nothing more comes. */
START_TEST(a_large_packet_waits_no_longer)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 2, 0);
	network_write(guest, NULL, 1, 60);
	network_write_gso(guest, 65000);
	guest->during_copy = post_enough;
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(guest), 18);
}
END_TEST

START_TEST(a_bad_page_fails_the_chain)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 3, 0);
	guest_post(guest, 1, GUEST_PAGES + 3);
	guest_post(guest, 2, 3);
	network_write(guest, NULL, 1, 5000);
	network_write(guest, NULL, 1, 9000);
	network_write(guest, NULL, 2, 60);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(guest), 6);
	ck_assert_int_eq(guest_rx_response(guest, GUEST_START).status, 4096);
	ck_assert_int_eq(guest_rx_response(guest, GUEST_START + 1).status, 904);
	for (uint32_t i = 2; i < 5; i++)
		ck_assert_int_eq(guest_rx_response(guest, GUEST_START + i).status, NETIF_RSP_ERROR);
	ck_assert_uint_eq(guest_rx_response(guest, GUEST_START + 2).flags, NETRXF_more_data);
	ck_assert_int_eq(guest_rx_response(guest, GUEST_START + 5).status, 60);
}
END_TEST

START_TEST(without_sg_one_slot)
{
	guest->config.features = (struct net_features){0};
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 10, 0);
	network_write(guest, NULL, 1, 4097);
	network_write_gso(guest, 3000);
	network_write(guest, NULL, 2, 4096);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(guest), 1);
	ck_assert_int_eq(guest_rx_response(guest, GUEST_START).status, 4096);
}
END_TEST

/* One packet is lost, the others come segmented. */
START_TEST(tagged_gso_is_left_to_the_kernel)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 10, 0);
	network_write_tagged_gso(guest, 3000, 4);
	network_write_tagged_gso(guest, 3000, 4);
	network_write(guest, NULL, 2, 60);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(guest), 1);
	ck_assert_int_eq(guest->offload_calls, 1);
	ck_assert_uint_eq(guest->offload, TUN_F_CSUM);
}
END_TEST

/* Without feature-rx-notify nobody tells us of new requests (mini-os, Unikraft). */
START_TEST(polls_without_rx_notify)
{
	guest->config.rx_notify = false;
	ck_assert_int_eq(guest_open(guest), 0);
	network_write(guest, NULL, 1, 60);
	guest_settle(guest);
	guest_post(guest, 1, 0);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(guest), 0);
	guest_wait(guest, 20);
	ck_assert_uint_eq(answered_rx(guest), 1);
}
END_TEST

START_TEST(a_stall_gives_up_the_large_packet)
{
	guest->config.rx_notify = _i;
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 2, 0);
	network_write_gso(guest, 65000);
	network_write(guest, NULL, 3, 60);
	guest_settle(guest);
	guest_wait(guest, 50000);
	ck_assert_uint_eq(answered_rx(guest), 0);
	guest_wait(guest, 20000);
	ck_assert_uint_eq(answered_rx(guest), 1);
	ck_assert_int_eq(guest_rx_response(guest, GUEST_START).status, 60);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net_queue_rx");
	TCase *tcase = tcase_create("queue");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, rx_index_lies, 0, GUEST_LIES);
	tcase_add_test(tcase, rx_index_lies_in_between);
	tcase_add_test(tcase, receives_in_order);
	tcase_add_test(tcase, killed_over_its_answers);
	tcase_add_test(tcase, never_more_than_posted);
	tcase_add_test(tcase, a_large_packet_waits);
	tcase_add_test(tcase, a_large_packet_waits_no_longer);
	tcase_add_test(tcase, a_bad_page_fails_the_chain);
	tcase_add_test(tcase, without_sg_one_slot);
	tcase_add_test(tcase, tagged_gso_is_left_to_the_kernel);
	tcase_add_test(tcase, polls_without_rx_notify);
	tcase_add_loop_test(tcase, a_stall_gives_up_the_large_packet, 0, 2);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return check_main(suite);
}
