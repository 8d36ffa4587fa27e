/* A queue between a guest's rings and a TAP: packets from the guest, connecting and leaving. */
#include <errno.h>
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

START_TEST(sends_in_order)
{
	uint8_t data[5000];

	ck_assert_int_eq(guest_open(guest), 0);
	guest_send(guest, 1, 10, 60, 0);
	guest_send(guest, 2, 0, 4196, NETTXF_more_data);
	guest_send(guest, 3, 96, 100, 0);
	guest_send(guest, 4, 0, 14, 0);
	guest_push(guest);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), 60);
	ck_assert_uint_eq(data[59], 1);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), 4196);
	ck_assert_uint_eq(data[4095], 2);
	ck_assert_uint_eq(data[4096], 3);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), 14);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), -1);
	ck_assert_uint_eq(answered_tx(guest), 4);
	for (uint32_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(guest_tx_response(guest, GUEST_START + i).id,
				  (GUEST_START + i) % 256 + 1000);
		ck_assert_int_eq(guest_tx_response(guest, GUEST_START + i).status, NETIF_RSP_OKAY);
	}
	ck_assert_int_eq(guest->copies, 1);
	ck_assert_int_eq(guest->notified[GUEST_TX_PORT], 1);
	ck_assert_int_eq(guest->errors, 0);
}
END_TEST

START_TEST(sends_a_full_ring)
{
	uint8_t data[5000];

	ck_assert_int_eq(guest_open(guest), 0);
	for (int round = 0; round < 5; round++) {
		for (uint32_t i = 0; i < RING; i++)
			guest_send(guest, i, 0, 4096, 0);
		guest_push(guest);
		for (uint32_t i = 0; i < RING; i++) {
			ck_assert_int_eq(network_read(guest, data, sizeof(data)), 4096);
			ck_assert_uint_eq(data[7], i % 251);
		}
	}
	ck_assert_uint_eq(answered_tx(guest), 5 * RING);
}
END_TEST

START_TEST(a_bad_grant_costs_its_packet_alone)
{
	uint8_t data[100];

	ck_assert_int_eq(guest_open(guest), 0);
	guest_send(guest, 1, 0, 60, 0);
	guest_send(guest, 1, 0, 60, NETTXF_more_data);
	guest_send(guest, GUEST_PAGES + 7, 0, 20, 0);
	guest_send(guest, 3, 0, 60, 0);
	guest_push(guest);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), 60);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), 60);
	ck_assert_uint_eq(data[0], 3);
	ck_assert_int_eq(guest_tx_response(guest, GUEST_START).status, NETIF_RSP_OKAY);
	ck_assert_int_eq(guest_tx_response(guest, GUEST_START + 1).status, NETIF_RSP_ERROR);
	ck_assert_int_eq(guest_tx_response(guest, GUEST_START + 2).status, NETIF_RSP_ERROR);
	ck_assert_int_eq(guest_tx_response(guest, GUEST_START + 3).status, NETIF_RSP_OKAY);
}
END_TEST

START_TEST(a_failed_copy_call_fails_all)
{
	uint8_t data[100];

	ck_assert_int_eq(guest_open(guest), 0);
	guest->fail_copy = true;
	guest_send(guest, 1, 0, 60, 0);
	guest_push(guest);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), -1);
	ck_assert_int_eq(guest_tx_response(guest, GUEST_START).status, NETIF_RSP_ERROR);
	guest_post(guest, 1, 0);
	network_write(guest, NULL, 1, 60);
	guest_settle(guest);
	ck_assert_int_eq(guest_rx_response(guest, GUEST_START).status, NETIF_RSP_ERROR);
}
END_TEST

static void rewrite_slots(struct guest *g)
{
	memset(g->tx->ring, 0xff, RING * sizeof(g->tx->ring[0]));
	memset(g->rx->ring, 0xff, RING * sizeof(g->rx->ring[0]));
}

/* XSA-155: the guest rewrites its slots while they are worked on. */
START_TEST(slots_are_read_once)
{
	uint8_t data[100];

	ck_assert_int_eq(guest_open(guest), 0);
	guest->during_copy = rewrite_slots;
	guest_send(guest, 1, 0, 60, 0);
	guest_push(guest);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), 60);
	ck_assert_uint_eq(guest_tx_response(guest, GUEST_START).id, GUEST_START % 256 + 1000);
	ck_assert_int_eq(guest_tx_response(guest, GUEST_START).status, NETIF_RSP_OKAY);
	guest_post(guest, 1, 0);
	network_write(guest, NULL, 1, 60);
	guest_settle(guest);
	ck_assert_uint_eq(guest_rx_response(guest, GUEST_START).id, GUEST_START % 256 + 2000);
	ck_assert_int_eq(guest_rx_response(guest, GUEST_START).status, 60);
}
END_TEST

START_TEST(tx_index_lies)
{
	uint8_t data[100];

	ck_assert_int_eq(guest_open(guest), 0);
	for (uint32_t i = 0; i < 4; i++)
		guest_send(guest, i, 0, 60, 0);
	guest->tx->req_prod = GUEST_START + guest_lies[_i].first;
	guest_kick(guest, GUEST_TX_PORT);
	guest->tx->req_prod = GUEST_START + guest_lies[_i].then;
	guest_kick(guest, GUEST_TX_PORT);
	guest_kick(guest, GUEST_TX_PORT);
	ck_assert_msg(guest->errors == 1, "%s: %d errors", guest_lies[_i].what, guest->errors);
	/* It stays stopped, even when the guest mends its ways. */
	guest->tx->req_prod = GUEST_START + 4;
	guest_kick(guest, GUEST_TX_PORT);
	ck_assert_uint_le(answered_tx(guest), 4);
	ck_assert_int_eq(guest->errors, 1);
	while (network_read(guest, data, sizeof(data)) >= 0)
		;
	/* The other ring goes on. */
	guest_post(guest, 1, 0);
	network_write(guest, NULL, 9, 60);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(guest), 1);
}
END_TEST

static void lie_backwards(struct guest *g)
{
	g->tx->req_prod = GUEST_START + RING - 1;
}

static void lie_forwards(struct guest *g)
{
	g->tx->req_prod = GUEST_START + RING + 100;
}

/* The same while a part of what was posted is still to be worked on. */
START_TEST(tx_index_lies_in_between)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest->during_copy = _i ? lie_backwards : lie_forwards;
	for (uint32_t i = 0; i < RING; i++)
		guest_send(guest, i, 0, 4096, 0);
	guest_push(guest);
	ck_assert_int_eq(guest->errors, 1);
	ck_assert_uint_lt(answered_tx(guest), RING);
	ck_assert_int_eq(guest->copies, 1);
}
END_TEST

static void post_another(struct guest *g)
{
	g->during_copy = NULL;
	guest_send(g, 7, 0, 60, 0);
	g->tx->req_prod = g->tx_next;
}

/* Who posts while we work need not kick; who posts later must. */
START_TEST(no_request_is_missed)
{
	ck_assert_int_eq(guest_open(guest), 0);
	ck_assert_uint_eq(guest->tx->req_event, GUEST_START + 1);
	guest->during_copy = post_another;
	guest_send(guest, 1, 0, 60, 0);
	guest_push(guest);
	ck_assert_uint_eq(answered_tx(guest), 2);
	ck_assert_uint_eq(guest->tx->req_event, GUEST_START + 3);
}
END_TEST

START_TEST(a_cut_chain_stops_after_the_good)
{
	uint8_t data[100];

	ck_assert_int_eq(guest_open(guest), 0);
	guest_send(guest, 1, 0, 60, 0);
	guest_send(guest, 1, 0, 60, NETTXF_more_data);
	guest_push(guest);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), 60);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), -1);
	ck_assert_uint_eq(answered_tx(guest), 1);
	ck_assert_int_eq(guest->errors, 1);
}
END_TEST

/* XSA-332: kicks without work cost no copies. */
START_TEST(a_storm_of_kicks)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 4, 0);
	for (int i = 0; i < 1000; i++) {
		guest->port[GUEST_TX_PORT].handler(guest->port[GUEST_TX_PORT].arg);
		guest->port[GUEST_RX_PORT].handler(guest->port[GUEST_RX_PORT].arg);
	}
	ck_assert_int_eq(guest->copies, 0);
	ck_assert_int_eq(guest->notified[GUEST_TX_PORT], 0);
	ck_assert_int_eq(guest->notified[GUEST_RX_PORT], 0);
}
END_TEST

START_TEST(one_channel_for_both)
{
	uint8_t data[100];

	guest->config.rx_port = guest->config.tx_port;
	ck_assert_int_eq(guest_open(guest), 0);
	ck_assert_int_eq(guest->bound, 1);
	network_write(guest, NULL, 1, 60);
	guest_settle(guest);
	guest_post(guest, 1, 0);
	guest_send(guest, 1, 0, 60, 0);
	guest_push(guest);
	ck_assert_uint_eq(answered_rx(guest), 1);
	ck_assert_uint_eq(answered_tx(guest), 1);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), 60);
	ck_assert_int_eq(guest->notified[GUEST_TX_PORT], 2);
}
END_TEST

/* A ring is taken up where it is: requests that nobody answered are worked on at once. */
START_TEST(takes_up_a_used_ring)
{
	uint8_t data[100];

	guest_send(guest, 1, 0, 60, 0);
	guest_send(guest, 2, 0, 61, 0);
	guest->tx->req_prod = guest->tx_next;
	guest->tx->rsp_prod = GUEST_START + 1;
	ck_assert_int_eq(guest_open(guest), 0);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), 61);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), -1);
	ck_assert_uint_eq(answered_tx(guest), 2);
}
END_TEST

/* Killed after it had put its answers over the requests, before it showed them. */
START_TEST(killed_over_its_answers)
{
	uint8_t data[5000];

	ck_assert_int_eq(guest_open(guest), 0);
	guest_send(guest, 1, 10, 60, 0);
	guest_send(guest, 2, 0, 4196, NETTXF_more_data);
	guest_send(guest, 3, 96, 100, 0);
	guest_push(guest);
	while (network_read(guest, data, sizeof(data)) > 0)
		;
	net_queue_close(guest->queue);
	guest->queue = NULL;
	guest->tx->rsp_prod = GUEST_START;
	guest_send(guest, 4, 0, 14, 0);
	guest->tx->req_prod = guest->tx_next;
	memset(guest->notified, 0, sizeof(guest->notified));
	ck_assert_int_eq(guest_open(guest), 0);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), 60);
	ck_assert_uint_eq(data[59], 1);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), 4196);
	ck_assert_uint_eq(data[4096], 3);
	ck_assert_int_eq(network_read(guest, data, sizeof(data)), 14);
	ck_assert_uint_eq(answered_tx(guest), 4);
	ck_assert_int_ge(guest->notified[GUEST_TX_PORT], 1);
	ck_assert_int_eq(guest->errors, 0);
}
END_TEST

START_TEST(a_log_that_contradicts_its_ring)
{
	ck_assert_int_eq(guest_open(guest), 0);
	net_queue_close(guest->queue);
	guest->queue = NULL;
	if (_i)
		guest->log.rx.taken += RING + 1;
	else
		guest->log.tx.taken += RING + 1;
	ck_assert_int_eq(guest_open(guest), -EPROTO);
}
END_TEST

START_TEST(impossible_from_the_start)
{
	(_i ? &guest->rx->req_prod : &guest->tx->req_prod)[0] = GUEST_START + RING + 1;
	ck_assert_int_eq(guest_open(guest), -EPROTO);
	ck_assert_ptr_null(guest->queue);
	ck_assert_int_eq(guest->mapped, 0);
	ck_assert_int_eq(guest->bound, 0);
}
END_TEST

/* Each step of connecting fails once; nothing is left behind. */
static const struct {
	unsigned int map, bind;
} steps[] = {{1, 0}, {2, 0}, {0, 1}, {0, 2}};

START_TEST(failed_connects)
{
	guest->fail_map = steps[_i].map;
	guest->fail_bind = steps[_i].bind;
	ck_assert_int_lt(guest_open(guest), 0);
	ck_assert_ptr_null(guest->queue);
	ck_assert_int_eq(guest->mapped, 0);
	ck_assert_int_eq(guest->bound, 0);
}
END_TEST

START_TEST(the_tap_is_gone)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	close(guest->config.tap);
	close(ends[0]);
	guest->config.tap = ends[1];
	guest_post(guest, 4, 0);
	ck_assert_int_eq(guest_open(guest), 0);
	ck_assert_int_eq(guest->errors, 1);
}
END_TEST

START_TEST(garbage)
{
	uint8_t data[100];

	srandom((unsigned int)_i);
	for (uint32_t i = 0; i < XEN_PAGE; i++) {
		guest->tx_page[i] = (uint8_t)random();
		guest->rx_page[i] = (uint8_t)random();
	}
	guest->tx->rsp_prod = guest->rx->rsp_prod = GUEST_START;
	guest->tx->req_prod = guest->rx->req_prod = GUEST_START + RING;
	if (guest_open(guest) != 0)
		return;
	for (int i = 0; i < 100; i++) {
		network_write(guest, NULL, 1, 60 + (size_t)(random() % 9000));
		guest->tx->req_prod = guest->tx->rsp_prod + (uint32_t)random() % (RING + 1);
		guest->tx_page[64 + random() % (XEN_PAGE - 64)] = (uint8_t)random();
		guest_kick(guest, GUEST_TX_PORT);
		while (network_read(guest, data, sizeof(data)) >= 0)
			;
	}
	ck_assert_int_le(guest->errors, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net_queue");
	TCase *tcase = tcase_create("queue");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, sends_in_order);
	tcase_add_test(tcase, sends_a_full_ring);
	tcase_add_test(tcase, a_bad_grant_costs_its_packet_alone);
	tcase_add_test(tcase, a_failed_copy_call_fails_all);
	tcase_add_test(tcase, slots_are_read_once);
	tcase_add_loop_test(tcase, tx_index_lies, 0, GUEST_LIES);
	tcase_add_loop_test(tcase, tx_index_lies_in_between, 0, 2);
	tcase_add_test(tcase, no_request_is_missed);
	tcase_add_test(tcase, a_cut_chain_stops_after_the_good);
	tcase_add_test(tcase, a_storm_of_kicks);
	tcase_add_test(tcase, one_channel_for_both);
	tcase_add_test(tcase, takes_up_a_used_ring);
	tcase_add_test(tcase, killed_over_its_answers);
	tcase_add_loop_test(tcase, a_log_that_contradicts_its_ring, 0, 2);
	tcase_add_loop_test(tcase, impossible_from_the_start, 0, 2);
	tcase_add_loop_test(tcase, failed_connects, 0, TABLE_SIZE(steps));
	tcase_add_test(tcase, the_tap_is_gone);
	tcase_add_loop_test(tcase, garbage, 0, 20);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return check_main(suite);
}
