/* A queue between a guest's rings and a TAP: in order, bounded, and deaf to a guest that lies. */
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "tests/unit/net_guest.h"

#define RING   256u
#define HEADER sizeof(struct virtio_net_hdr)

static struct guest *guest;

/* Rings start shortly before their indices wrap, so that most tests pass over it. */
#define START (UINT32_MAX - 20)

static void setup(void)
{
	guest = guest_make(START);
	for (uint32_t page = 0; page < GUEST_PAGES; page++)
		memset(guest->page[page], (int)(page % 251), XEN_PAGE);
}

static void teardown(void)
{
	guest_free(guest);
}

/* A packet as the network sees it: its length, or -1. */
static ssize_t network_read(uint8_t *data, size_t size)
{
	struct virtio_net_hdr header;
	uint8_t raw[70000];
	ssize_t got = read(guest->network, raw, sizeof(raw));

	if (got < (ssize_t)HEADER)
		return -1;
	memcpy(&header, raw, sizeof(header));
	memcpy(data, raw + HEADER, (size_t)got - HEADER < size ? (size_t)got - HEADER : size);
	return got - (ssize_t)HEADER;
}

static void network_write(const struct virtio_net_hdr *header, uint8_t fill, size_t length)
{
	static const struct virtio_net_hdr no_header;
	uint8_t raw[70000];

	memcpy(raw, header ? header : &no_header, HEADER);
	memset(raw + HEADER, fill, length);
	ck_assert_int_eq(write(guest->network, raw, HEADER + length), (ssize_t)(HEADER + length));
}

/* TCP over IPv4 to be segmented, with the headers that it needs, behind @tag bytes of tags. */
static void network_write_tagged_gso(size_t length, uint16_t tag)
{
	struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
					.hdr_len = (uint16_t)(tag + 54),
					.gso_size = 1448,
					.csum_start = (uint16_t)(tag + 34),
					.csum_offset = 16};
	uint8_t raw[70000] = {0};

	memcpy(raw, &header, HEADER);
	raw[HEADER + 12] = 0x81;
	raw[HEADER + tag + 12] = 8;
	raw[HEADER + tag + 14] = 0x45;
	raw[HEADER + tag + 14 + 9] = 6;
	ck_assert_int_eq(write(guest->network, raw, HEADER + length), (ssize_t)(HEADER + length));
}

static void network_write_gso(size_t length)
{
	network_write_tagged_gso(length, 0);
}

static uint32_t answered_tx(void)
{
	return guest->tx->rsp_prod - START;
}

static uint32_t answered_rx(void)
{
	return guest->rx->rsp_prod - START;
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
	ck_assert_int_eq(network_read(data, sizeof(data)), 60);
	ck_assert_uint_eq(data[59], 1);
	ck_assert_int_eq(network_read(data, sizeof(data)), 4196);
	ck_assert_uint_eq(data[4095], 2);
	ck_assert_uint_eq(data[4096], 3);
	ck_assert_int_eq(network_read(data, sizeof(data)), 14);
	ck_assert_int_eq(network_read(data, sizeof(data)), -1);
	ck_assert_uint_eq(answered_tx(), 4);
	for (uint32_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(guest_tx_response(guest, START + i).id, (START + i) % 256 + 1000);
		ck_assert_int_eq(guest_tx_response(guest, START + i).status, NETIF_RSP_OKAY);
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
			ck_assert_int_eq(network_read(data, sizeof(data)), 4096);
			ck_assert_uint_eq(data[7], i % 251);
		}
	}
	ck_assert_uint_eq(answered_tx(), 5 * RING);
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
	ck_assert_int_eq(network_read(data, sizeof(data)), 60);
	ck_assert_int_eq(network_read(data, sizeof(data)), 60);
	ck_assert_uint_eq(data[0], 3);
	ck_assert_int_eq(guest_tx_response(guest, START).status, NETIF_RSP_OKAY);
	ck_assert_int_eq(guest_tx_response(guest, START + 1).status, NETIF_RSP_ERROR);
	ck_assert_int_eq(guest_tx_response(guest, START + 2).status, NETIF_RSP_ERROR);
	ck_assert_int_eq(guest_tx_response(guest, START + 3).status, NETIF_RSP_OKAY);
}
END_TEST

START_TEST(a_failed_copy_call_fails_all)
{
	uint8_t data[100];

	ck_assert_int_eq(guest_open(guest), 0);
	guest->fail_copy = true;
	guest_send(guest, 1, 0, 60, 0);
	guest_push(guest);
	ck_assert_int_eq(network_read(data, sizeof(data)), -1);
	ck_assert_int_eq(guest_tx_response(guest, START).status, NETIF_RSP_ERROR);
	guest_post(guest, 1, 0);
	network_write(NULL, 1, 60);
	guest_settle(guest);
	ck_assert_int_eq(guest_rx_response(guest, START).status, NETIF_RSP_ERROR);
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
	ck_assert_int_eq(network_read(data, sizeof(data)), 60);
	ck_assert_uint_eq(guest_tx_response(guest, START).id, START % 256 + 1000);
	ck_assert_int_eq(guest_tx_response(guest, START).status, NETIF_RSP_OKAY);
	guest_post(guest, 1, 0);
	network_write(NULL, 1, 60);
	guest_settle(guest);
	ck_assert_uint_eq(guest_rx_response(guest, START).id, START % 256 + 2000);
	ck_assert_int_eq(guest_rx_response(guest, START).status, 60);
}
END_TEST

/* Indices that no guest can have; the ring is given up, once. */
static const struct {
	const char *what;
	uint32_t first, then; /* req_prod, away from START */
} lies[] = {
	{"more than a ring", RING + 1, RING + 1},
	{"half of all indices", 0x80000000u, 0x80000000u},
	{"backwards", 4, 3},
	{"far backwards", 4, (uint32_t)-100},
};

START_TEST(tx_index_lies)
{
	uint8_t data[100];

	ck_assert_int_eq(guest_open(guest), 0);
	for (uint32_t i = 0; i < 4; i++)
		guest_send(guest, i, 0, 60, 0);
	guest->tx->req_prod = START + lies[_i].first;
	guest_kick(guest, GUEST_TX_PORT);
	guest->tx->req_prod = START + lies[_i].then;
	guest_kick(guest, GUEST_TX_PORT);
	guest_kick(guest, GUEST_TX_PORT);
	ck_assert_msg(guest->errors == 1, "%s: %d errors", lies[_i].what, guest->errors);
	/* It stays stopped, even when the guest mends its ways. */
	guest->tx->req_prod = START + 4;
	guest_kick(guest, GUEST_TX_PORT);
	ck_assert_uint_le(answered_tx(), 4);
	ck_assert_int_eq(guest->errors, 1);
	while (network_read(data, sizeof(data)) >= 0)
		;
	/* The other ring goes on. */
	guest_post(guest, 1, 0);
	network_write(NULL, 9, 60);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(), 1);
}
END_TEST

START_TEST(rx_index_lies)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest->rx->req_prod = START + lies[_i].first;
	for (int i = 0; i < 3; i++)
		network_write(NULL, 1, 60);
	guest_settle(guest);
	guest->rx->req_prod = START + lies[_i].then;
	network_write(NULL, 1, 60);
	guest_settle(guest);
	guest_kick(guest, GUEST_RX_PORT);
	ck_assert_msg(guest->errors == 1, "%s: %d errors", lies[_i].what, guest->errors);
	ck_assert_uint_le(answered_rx(), 4);
}
END_TEST

static void lie_backwards(struct guest *g)
{
	g->tx->req_prod = START + RING - 1;
}

static void lie_forwards(struct guest *g)
{
	g->tx->req_prod = START + RING + 100;
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
	ck_assert_uint_lt(answered_tx(), RING);
	ck_assert_int_eq(guest->copies, 1);
}
END_TEST

START_TEST(rx_index_lies_in_between)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest->rx->req_prod = START + 10;
	network_write_gso(65000);
	guest_settle(guest);
	guest->rx->req_prod = START + 10 + RING;
	guest_kick(guest, GUEST_RX_PORT);
	guest_kick(guest, GUEST_RX_PORT);
	ck_assert_int_eq(guest->errors, 1);
	ck_assert_uint_eq(answered_rx(), 0);
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
	ck_assert_uint_eq(guest->tx->req_event, START + 1);
	guest->during_copy = post_another;
	guest_send(guest, 1, 0, 60, 0);
	guest_push(guest);
	ck_assert_uint_eq(answered_tx(), 2);
	ck_assert_uint_eq(guest->tx->req_event, START + 3);
}
END_TEST

START_TEST(a_cut_chain_stops_after_the_good)
{
	uint8_t data[100];

	ck_assert_int_eq(guest_open(guest), 0);
	guest_send(guest, 1, 0, 60, 0);
	guest_send(guest, 1, 0, 60, NETTXF_more_data);
	guest_push(guest);
	ck_assert_int_eq(network_read(data, sizeof(data)), 60);
	ck_assert_int_eq(network_read(data, sizeof(data)), -1);
	ck_assert_uint_eq(answered_tx(), 1);
	ck_assert_int_eq(guest->errors, 1);
}
END_TEST

START_TEST(receives_in_order)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, RING, 0);
	for (uint8_t i = 0; i < 30; i++)
		network_write(NULL, i, 100 + i);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(), 30);
	for (uint32_t i = 0; i < 30; i++) {
		struct netif_rx_response response = guest_rx_response(guest, START + i);

		ck_assert_uint_eq(response.id, (START + i) % 256 + 2000);
		ck_assert_int_eq(response.status, 100 + (int)i);
		ck_assert_uint_eq(guest->page[i][99], i);
		ck_assert_uint_eq(guest->page[i][100 + i], i % 251);
	}
	ck_assert_int_eq(guest->copies, 1);
	ck_assert_int_eq(guest->notified[GUEST_RX_PORT], 1);
}
END_TEST

START_TEST(never_more_than_posted)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 3, 0);
	for (uint8_t i = 0; i < 10; i++)
		network_write(NULL, i, 60);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(), 3);
	ck_assert_uint_eq(guest->rx->req_event, START + 4);
	guest_post(guest, 4, 3);
	guest_kick(guest, GUEST_RX_PORT);
	ck_assert_uint_eq(answered_rx(), 7);
	guest_post(guest, 10, 7);
	guest_kick(guest, GUEST_RX_PORT);
	ck_assert_uint_eq(answered_rx(), 10);
	ck_assert_uint_eq(guest->page[9][0], 9);
}
END_TEST

START_TEST(a_large_packet_waits)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 5, 0);
	network_write_gso(65000);
	network_write(NULL, 77, 60);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(), 0);
	ck_assert_uint_eq(guest->rx->req_event, START + 17);
	guest_post(guest, 11, 5);
	guest_kick(guest, GUEST_RX_PORT);
	ck_assert_uint_eq(answered_rx(), 0);
	guest_post(guest, 2, 16);
	guest_kick(guest, GUEST_RX_PORT);
	ck_assert_uint_eq(answered_rx(), 18);
	ck_assert_uint_eq(guest_rx_response(guest, START).flags, 15);
	ck_assert_int_eq(guest_rx_response(guest, START + 16).status, 65000 - 15 * 4096);
	ck_assert_int_eq(guest_rx_response(guest, START + 17).status, 60);
	ck_assert_uint_eq(guest->page[17][0], 77);
}
END_TEST

START_TEST(a_bad_page_fails_the_chain)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 3, 0);
	guest_post(guest, 1, GUEST_PAGES + 3);
	guest_post(guest, 2, 3);
	network_write(NULL, 1, 5000);
	network_write(NULL, 1, 9000);
	network_write(NULL, 2, 60);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(), 6);
	ck_assert_int_eq(guest_rx_response(guest, START).status, 4096);
	ck_assert_int_eq(guest_rx_response(guest, START + 1).status, 904);
	for (uint32_t i = 2; i < 5; i++)
		ck_assert_int_eq(guest_rx_response(guest, START + i).status, NETIF_RSP_ERROR);
	ck_assert_uint_eq(guest_rx_response(guest, START + 2).flags, NETRXF_more_data);
	ck_assert_int_eq(guest_rx_response(guest, START + 5).status, 60);
}
END_TEST

START_TEST(without_sg_one_slot)
{
	guest->config.features = (struct net_features){0};
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 10, 0);
	network_write(NULL, 1, 4097);
	network_write_gso(3000);
	network_write(NULL, 2, 4096);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(), 1);
	ck_assert_int_eq(guest_rx_response(guest, START).status, 4096);
}
END_TEST

/* One packet is lost, the others come segmented. */
START_TEST(tagged_gso_is_left_to_the_kernel)
{
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 10, 0);
	network_write_tagged_gso(3000, 4);
	network_write_tagged_gso(3000, 4);
	network_write(NULL, 2, 60);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(), 1);
	ck_assert_int_eq(guest->offload_calls, 1);
	ck_assert_uint_eq(guest->offload, TUN_F_CSUM);
}
END_TEST

/* Without feature-rx-notify nobody tells us of new requests (mini-os, Unikraft). */
START_TEST(polls_without_rx_notify)
{
	guest->config.rx_notify = false;
	ck_assert_int_eq(guest_open(guest), 0);
	network_write(NULL, 1, 60);
	guest_settle(guest);
	guest_post(guest, 1, 0);
	guest_settle(guest);
	ck_assert_uint_eq(answered_rx(), 0);
	guest_wait(guest, 20);
	ck_assert_uint_eq(answered_rx(), 1);
}
END_TEST

START_TEST(a_stall_gives_up_the_large_packet)
{
	guest->config.rx_notify = _i;
	ck_assert_int_eq(guest_open(guest), 0);
	guest_post(guest, 2, 0);
	network_write_gso(65000);
	network_write(NULL, 3, 60);
	guest_settle(guest);
	guest_wait(guest, 50000);
	ck_assert_uint_eq(answered_rx(), 0);
	guest_wait(guest, 20000);
	ck_assert_uint_eq(answered_rx(), 1);
	ck_assert_int_eq(guest_rx_response(guest, START).status, 60);
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
	network_write(NULL, 1, 60);
	guest_settle(guest);
	guest_post(guest, 1, 0);
	guest_send(guest, 1, 0, 60, 0);
	guest_push(guest);
	ck_assert_uint_eq(answered_rx(), 1);
	ck_assert_uint_eq(answered_tx(), 1);
	ck_assert_int_eq(network_read(data, sizeof(data)), 60);
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
	guest->tx->rsp_prod = START + 1;
	ck_assert_int_eq(guest_open(guest), 0);
	ck_assert_int_eq(network_read(data, sizeof(data)), 61);
	ck_assert_int_eq(network_read(data, sizeof(data)), -1);
	ck_assert_uint_eq(answered_tx(), 2);
}
END_TEST

START_TEST(impossible_from_the_start)
{
	(_i ? &guest->rx->req_prod : &guest->tx->req_prod)[0] = START + RING + 1;
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
	guest->tx->rsp_prod = guest->rx->rsp_prod = START;
	guest->tx->req_prod = guest->rx->req_prod = START + RING;
	if (guest_open(guest) != 0)
		return;
	for (int i = 0; i < 100; i++) {
		network_write(NULL, 1, 60 + (size_t)(random() % 9000));
		guest->tx->req_prod = guest->tx->rsp_prod + (uint32_t)random() % (RING + 1);
		guest->tx_page[64 + random() % (XEN_PAGE - 64)] = (uint8_t)random();
		guest_kick(guest, GUEST_TX_PORT);
		while (network_read(data, sizeof(data)) >= 0)
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
	tcase_add_loop_test(tcase, tx_index_lies, 0, TABLE_SIZE(lies));
	tcase_add_loop_test(tcase, rx_index_lies, 0, TABLE_SIZE(lies));
	tcase_add_loop_test(tcase, tx_index_lies_in_between, 0, 2);
	tcase_add_test(tcase, rx_index_lies_in_between);
	tcase_add_test(tcase, no_request_is_missed);
	tcase_add_test(tcase, a_cut_chain_stops_after_the_good);
	tcase_add_test(tcase, receives_in_order);
	tcase_add_test(tcase, never_more_than_posted);
	tcase_add_test(tcase, a_large_packet_waits);
	tcase_add_test(tcase, a_bad_page_fails_the_chain);
	tcase_add_test(tcase, without_sg_one_slot);
	tcase_add_test(tcase, tagged_gso_is_left_to_the_kernel);
	tcase_add_test(tcase, polls_without_rx_notify);
	tcase_add_loop_test(tcase, a_stall_gives_up_the_large_packet, 0, 2);
	tcase_add_test(tcase, a_storm_of_kicks);
	tcase_add_test(tcase, one_channel_for_both);
	tcase_add_test(tcase, takes_up_a_used_ring);
	tcase_add_loop_test(tcase, impossible_from_the_start, 0, 2);
	tcase_add_loop_test(tcase, failed_connects, 0, TABLE_SIZE(steps));
	tcase_add_test(tcase, the_tap_is_gone);
	tcase_add_loop_test(tcase, garbage, 0, 20);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return check_main(suite);
}
