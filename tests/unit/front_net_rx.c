/* netfront: framing of what is received, and a backend that lies about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/check.h"
#include "tests/unit/front_net_bench.h"

/* Put a response and its part of the frame into the next receive slot. */
static size_t back_slot(const void *response, const uint8_t *data, size_t length, size_t offset)
{
	unsigned slot = bench.rx_at++ % 256;

	memcpy(&bench.rx->ring[slot].rsp, response, sizeof(bench.rx->ring[slot].rsp));
	if (offset + length > 4096)
		return 0;
	memcpy(fake_page(&bench.fake, bench.rx_gref[slot]) + offset, data, length);
	return length;
}

static uint16_t flags_scan(const char **script)
{
	uint16_t flags = 0;

	for (; **script && strchr("bvpxm", **script); (*script)++)
		flags |= **script == 'b'   ? NETRXF_csum_blank
			 : **script == 'v' ? NETRXF_data_validated
			 : **script == 'p' ? NETRXF_gso_prefix
			 : **script == 'x' ? NETRXF_extra_info
					   : NETRXF_more_data;
	return flags;
}

/* A packet as a backend delivers it: "d<length>[@offset]" a slot of data, flags before it (b blank,
 * v validated, p GSO prefix, x an extra follows, m more follows); "e<type>:<GSO type>:<size>[+]" an
 * extra, another follows; "!" an error. */
static void back_deliver(const char *script, const uint8_t *frame)
{
	while (*script) {
		struct netif_rx_response rsp = {.id = 0x7777}; /* says nothing */
		struct netif_extra_info extra = {0};
		unsigned length = 0, offset = 0, type, gso, size;
		int used = 1;

		rsp.flags = flags_scan(&script);
		if (sscanf(script, "e%u:%u:%u%n", &type, &gso, &size, &used) == 3) {
			extra.type = (uint8_t)type;
			extra.u.gso.type = (uint8_t)gso;
			extra.u.gso.size = (uint16_t)size;
			extra.flags = script[used] == '+';
			used += script[used] == '+';
			back_slot(&extra, frame, 0, 0);
		} else if (*script == '!') {
			rsp.status = NETIF_RSP_ERROR;
			back_slot(&rsp, frame, 0, 0);
		} else {
			ck_assert_int_eq(sscanf(script, "d%u%n", &length, &used), 1);
			if (sscanf(script, "d%u@%u", &length, &offset) == 2)
				used += 1 + (int)strspn(script + used + 1, "0123456789");
			rsp.offset = (uint16_t)offset;
			rsp.status = (int16_t)length;
			frame += back_slot(&rsp, frame, length, offset);
		}
		script += used;
		script += *script == ' ';
	}
	bench.rx->rsp_prod = bench.rx_at;
}

static const struct {
	const char *what, *script;
	int version; /* what the first slot's page holds: 4, 6, or 0 for no IP */
	uint8_t protocol;
	size_t length; /* of the packet; 0: it is dropped */
	bool blank;
	enum net_gso gso;
} receives[] = {
	{"one slot", "d60", 4, 6, 60, false, NET_GSO_NONE},
	{"with an offset", "d60@100", 4, 6, 60, false, NET_GSO_NONE},
	{"a whole page", "d4096", 4, 6, 4096, false, NET_GSO_NONE},
	{"two slots", "md1000 d500", 4, 6, 1500, false, NET_GSO_NONE},
	{"a headers' worth in slivers", "md14 md10 md10 md20 d100", 4, 6, 154, false, NET_GSO_NONE},
	{"an empty slot in between", "md60 md0 d40", 4, 6, 100, false, NET_GSO_NONE},
	{"blank, TCP", "bvd60", 4, 6, 60, true, NET_GSO_NONE},
	{"blank, IPv6, UDP", "bvd90", 6, 17, 90, true, NET_GSO_NONE},
	{"blank, but no IP", "bvd60", 0, 0, 0, false, NET_GSO_NONE},
	{"blank, cut before the checksum", "bvd40", 4, 6, 0, false, NET_GSO_NONE},
	{"GSO", "bvxmd2000 e1:1:1448 d4000", 4, 6, 6000, true, NET_GSO_TCPV4},
	{"GSO, IPv6", "bvxmd2000 e1:2:1428 d4000", 6, 6, 6000, true, NET_GSO_TCPV6},
	{"GSO without a blank checksum", "vxmd2000 e1:1:1448 d4000", 4, 6, 6000, true,
	 NET_GSO_TCPV4},
	{"GSO after a hash", "bvxd2000 e4:0:0+ e1:1:1448", 4, 6, 2000, true, NET_GSO_TCPV4},
	{"a hash alone", "xd60 e4:0:0", 4, 6, 60, false, NET_GSO_NONE},
	{"GSO of the wrong version", "bvxd2000 e1:2:1448", 4, 6, 0, false, NET_GSO_NONE},
	{"GSO of UDP", "bvxd2000 e1:1:1448", 4, 17, 0, false, NET_GSO_NONE},
	{"GSO of a type nobody defined", "bvxd2000 e1:3:1448", 4, 6, 0, false, NET_GSO_NONE},
	{"GSO of segments of 0", "bvxd2000 e1:1:0", 4, 6, 0, false, NET_GSO_NONE},
	{"an extra that was not asked for", "xd60 e2:0:0", 4, 6, 0, false, NET_GSO_NONE},
	{"an extra nobody defined", "xd60 e200:0:0", 4, 6, 0, false, NET_GSO_NONE},
	{"a GSO prefix", "pd60", 4, 6, 0, false, NET_GSO_NONE},
	{"an error", "!", 4, 6, 0, false, NET_GSO_NONE},
	{"an error in the middle", "md60 ! ", 4, 6, 0, false, NET_GSO_NONE},
	{"too short", "d13", 4, 6, 0, false, NET_GSO_NONE},
	{"nothing", "d0", 4, 6, 0, false, NET_GSO_NONE},
	{"a length beyond the page", "d4097", 4, 6, 0, false, NET_GSO_NONE},
	{"an offset beyond the page", "d60@4040", 4, 6, 0, false, NET_GSO_NONE},
	{"an offset far beyond", "d60@65535", 4, 6, 0, false, NET_GSO_NONE},
	{"the longest length", "d32767", 4, 6, 0, false, NET_GSO_NONE},
	{"20 slots",
	 "md90 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 d9", 4, 6,
	 261, false, NET_GSO_NONE},
	{"21 slots",
	 "md90 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 md9 d9", 4,
	 6, 0, false, NET_GSO_NONE},
	{"17 pages",
	 "md4096 md4096 md4096 md4096 md4096 md4096 md4096 md4096 md4096 md4096 md4096 md4096 "
	 "md4096 md4096 md4096 md4096 d4096",
	 4, 6, 0, false, NET_GSO_NONE},
};

static size_t packet_flatten(const struct netrx_packet *packet, uint8_t *to)
{
	size_t at = packet->head_length;

	memcpy(to, packet->head, at);
	for (uint32_t i = 0; i < packet->chunks; i++) {
		memcpy(to + at, packet->chunk[i].data, packet->chunk[i].length);
		at += packet->chunk[i].length;
	}
	return at;
}

START_TEST(receive_framing)
{
	static uint8_t flat[70000], frame[70000];
	struct netrx_packet packet;
	bool got;

	bench_connect("");
	frame_make(frame, sizeof(frame), receives[_i].version, receives[_i].protocol, 5);
	back_deliver(receives[_i].script, frame);
	got = netfront_receive(bench.front, &packet);
	ck_assert_msg(got == (receives[_i].length > 0), "%s", receives[_i].what);
	ck_assert(!bench.broken);
	if (got) {
		const struct netpacket_meta *meta = &packet.meta;

		ck_assert_uint_eq(packet.length, receives[_i].length);
		ck_assert_uint_eq(packet_flatten(&packet, flat), packet.length);
		ck_assert_msg(meta->checksum_blank == receives[_i].blank, "%s", receives[_i].what);
		ck_assert_uint_eq(meta->gso, receives[_i].gso);
		if (meta->checksum_blank) /* may have got its pseudo header's sum */
			memcpy(flat + meta->checksum_at, frame + meta->checksum_at, 2);
		ck_assert_msg(!memcmp(flat, frame, packet.length), "%s", receives[_i].what);
	} else {
		ck_assert_uint_eq(netfront_counters(bench.front).received_bad, 1);
	}
	ck_assert(!netfront_receive(bench.front, &packet));
	netfront_post(bench.front);
	ck_assert_uint_eq(bench.rx->req_prod, 256 + bench.rx_at);
	bench_close();
}
END_TEST

START_TEST(receive_in_parts)
{
	static uint8_t frame[4096];
	struct netrx_packet packet;

	bench_connect("");
	back_deliver("mxd100", frame);
	ck_assert(!netfront_receive(bench.front, &packet));
	ck_assert_uint_eq(bench.rx->rsp_event, 2); /* the rest is worth an event */
	back_deliver("e4:0:0", frame);
	ck_assert(!netfront_receive(bench.front, &packet));
	ck_assert_uint_eq(bench.rx->rsp_event, 3);
	back_deliver("d100", frame);
	ck_assert(netfront_receive(bench.front, &packet));
	ck_assert_uint_eq(packet.length, 200);
	bench_close();
}
END_TEST

START_TEST(hostile_receive_indices)
{
	static const RING_IDX producers[] = {257, 0x80000000, (RING_IDX)-1};
	struct netrx_packet packet;

	bench_connect("");
	bench.rx->rsp_prod = producers[_i];
	ck_assert(!netfront_receive(bench.front, &packet));
	ck_assert_ptr_nonnull(bench.broken);
	bench_close();
}
END_TEST

START_TEST(a_packet_that_never_ends)
{
	static uint8_t frame[4096];
	struct netrx_packet packet;

	bench_connect("");
	for (int i = 0; i < 255; i++)
		back_deliver("md60", frame);
	ck_assert(!netfront_receive(bench.front, &packet));
	ck_assert_ptr_null(bench.broken);
	back_deliver("md60", frame);
	ck_assert(!netfront_receive(bench.front, &packet));
	ck_assert_ptr_nonnull(bench.broken);
	bench_close();
}
END_TEST

/* Valid packets cut at random places, in slots at random offsets, come together again. */
START_TEST(receive_random)
{
	static uint8_t flat[70000], frame[70000];
	struct netrx_packet packet;

	bench_connect("");
	srandom((unsigned)_i);
	for (int round = 0; round < 3000; round++) {
		char script[1024] = "";
		size_t total = 0;
		int slots = 1 + (int)fake_random(NETRX_CHUNKS_MAX), at = 0;

		for (int i = 0; i < slots; i++) {
			unsigned offset = fake_random(4000), most = 4096 - offset;
			unsigned length = (i ? 0 : 14) + fake_random(most - 14);

			if (total + length > 65535)
				length = 1;
			at += snprintf(script + at, sizeof(script) - (size_t)at, "%sd%u@%u ",
				       i < slots - 1 ? "m" : "", length, offset);
			total += length;
		}
		frame_make(frame, total, 0, 0, (unsigned)random());
		back_deliver(script, frame);
		ck_assert_msg(netfront_receive(bench.front, &packet), "%s", script);
		ck_assert_uint_eq(packet.length, total);
		ck_assert_uint_eq(packet_flatten(&packet, flat), total);
		ck_assert(!memcmp(flat, frame, total));
		if (fake_random(4) == 0 || bench.rx->req_prod - bench.rx_at < NETRX_CHUNKS_MAX)
			netfront_post(bench.front);
	}
	bench_close();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("front_net_rx");
	TCase *tc = tcase_create("front_net_rx");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, receive_framing, 0, TABLE_SIZE(receives));
	tcase_add_test(tc, receive_in_parts);
	tcase_add_loop_test(tc, hostile_receive_indices, 0, 3);
	tcase_add_test(tc, a_packet_that_never_ends);
	tcase_add_loop_test(tc, receive_random, 1, 5);
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
