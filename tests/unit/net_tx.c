/*
 * What the slots of a TX ring mean: every trap of framing that a backend can fall into, then
 * random splits of a packet and random garbage.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "backend/net/tx.h"
#include "tests/unit/check.h"

#define MORE  NETTXF_more_data
#define EXTRA NETTXF_extra_info
#define BLANK NETTXF_csum_blank

static struct netif_tx_request mirror[NET_TX_RING];

/* A slot of a table: data, or the extra that lies over it. */
struct slot {
	uint16_t offset, size, flags;
	bool is_extra, more_extras;
	uint8_t type;
	uint16_t gso_size;
	uint8_t gso_type;
};

#define D(at, bytes, bits)                                       \
	{                                                        \
		.offset = (at), .size = (bytes), .flags = (bits) \
	}
#define X(kind)                                  \
	{                                        \
		.is_extra = true, .type = (kind) \
	}
#define X_MORE(kind)                                                  \
	{                                                             \
		.is_extra = true, .more_extras = true, .type = (kind) \
	}
#define GSO(bytes, kind)                                                             \
	{                                                                            \
		.is_extra = true, .type = 1, .gso_size = (bytes), .gso_type = (kind) \
	}

static void slot_put(uint32_t index, const struct slot *slot)
{
	struct netif_tx_request *request = &mirror[index % NET_TX_RING];
	struct netif_extra_info extra = {0};

	*request = (struct netif_tx_request){.gref = 1000 + index,
					     .offset = slot->offset,
					     .flags = slot->flags,
					     .id = (uint16_t)(500 + index),
					     .size = slot->size};
	if (!slot->is_extra)
		return;
	extra.type = slot->type;
	extra.flags = slot->more_extras ? XEN_NETIF_EXTRA_FLAG_MORE : 0;
	extra.u.gso.size = slot->gso_size;
	extra.u.gso.type = slot->gso_type;
	memcpy(request, &extra, sizeof(extra));
}

/* What becomes of the first packet. */
#define SENT(in_ring, of_extras, with_bytes)                                         \
	{                                                                            \
		.slots = (in_ring), .extras = (of_extras), .fragments = (with_bytes) \
	}
#define DROPPED(why, in_ring, of_extras)                                  \
	{                                                                 \
		.fault = (why), .slots = (in_ring), .extras = (of_extras) \
	}
#define NONE(error)           \
	{                     \
		.rc = (error) \
	}

#define BYTES_4  D(0, 1, MORE), D(0, 1, MORE), D(0, 1, MORE), D(0, 1, MORE)
#define BYTES_16 BYTES_4, BYTES_4, BYTES_4, BYTES_4

static const struct {
	const char *what;
	int posted;
	struct {
		int rc;
		enum net_tx_fault fault;
		int slots, extras, fragments;
	} want;
	struct slot slot[24];
} rows[] = {
	{"one slot", 1, SENT(1, 0, 1), {D(0, 60, 0)}},
	{"an empty ring", 0, NONE(-EAGAIN), {D(0, 0, 0)}},
	{"two packets, the first is taken", 2, SENT(1, 0, 1), {D(0, 60, 0), D(0, 70, 0)}},
	{"the shortest packet", 1, SENT(1, 0, 1), {D(0, 14, 0)}},
	{"a byte shorter", 1, DROPPED(NET_TX_SHORT, 1, 0), {D(0, 13, 0)}},
	{"no bytes at all", 1, DROPPED(NET_TX_SHORT, 1, 0), {D(0, 0, 0)}},
	{"two slots", 2, SENT(2, 0, 2), {D(0, 100, MORE), D(0, 40, 0)}},
	{"a first slot shorter than the header", 2, SENT(2, 0, 2), {D(0, 60, MORE), D(0, 56, 0)}},
	{"the others carry all of it", 2, SENT(2, 0, 1), {D(0, 60, MORE), D(0, 60, 0)}},
	{"the others carry more than all",
	 2,
	 DROPPED(NET_TX_SUM, 2, 0),
	 {D(0, 60, MORE), D(0, 61, 0)}},
	{"64 KiB wrapped the size",
	 3,
	 DROPPED(NET_TX_SUM, 3, 0),
	 {D(0, 100, MORE), D(0, 4096, MORE), D(0, 4096, 0)}},
	{"no bytes in the middle (XSA-448)",
	 3,
	 SENT(3, 0, 2),
	 {D(0, 60, MORE), D(0, 0, MORE), D(0, 20, 0)}},
	{"no bytes at the end (XSA-448)", 2, SENT(2, 0, 1), {D(0, 60, MORE), D(0, 0, 0)}},
	{"no bytes beyond the page (XSA-448)",
	 2,
	 DROPPED(NET_TX_PAGE, 2, 0),
	 {D(0, 60, MORE), D(4097, 0, 0)}},
	{"up to the page's end", 1, SENT(1, 0, 1), {D(4036, 60, 0)}},
	{"a byte beyond the page", 1, DROPPED(NET_TX_PAGE, 1, 0), {D(4037, 60, 0)}},
	{"an offset of 65535", 1, DROPPED(NET_TX_PAGE, 1, 0), {D(65535, 60, 0)}},
	{"a later slot leaves its page",
	 2,
	 DROPPED(NET_TX_PAGE, 2, 0),
	 {D(0, 4000, MORE), D(2000, 2097, 0)}},
	{"a first slot of 64 KiB", 1, DROPPED(NET_TX_PAGE, 1, 0), {D(0, 65535, 0)}},
	{"18 data slots", 18, SENT(18, 0, 18), {D(0, 18, MORE), BYTES_16, D(0, 1, 0)}},
	{"18 data slots and an extra",
	 19,
	 SENT(19, 1, 18),
	 {D(0, 18, MORE | EXTRA | BLANK), GSO(1, 1), BYTES_16, D(0, 1, 0)}},
	{"19 data slots",
	 19,
	 DROPPED(NET_TX_FRAGMENTS, 19, 0),
	 {D(0, 60, MORE), BYTES_16, D(0, 1, MORE), D(0, 1, 0)}},
	{"more_data runs past what was posted", 2, NONE(-EPROTO), {D(0, 60, MORE), D(0, 1, MORE)}},
	{"more_data on the only slot", 1, NONE(-EPROTO), {D(0, 60, MORE)}},
	{"an extra is announced and not posted", 1, NONE(-EPROTO), {D(0, 60, EXTRA)}},
	{"extras run past what was posted", 2, NONE(-EPROTO), {D(0, 60, EXTRA), X_MORE(4)}},
	{"a fault does not hide that the chain is cut", 1, NONE(-EPROTO), {D(0, 3, MORE)}},
	{"GSO for IPv4", 2, SENT(2, 1, 1), {D(0, 3000, EXTRA | BLANK), GSO(1448, 1)}},
	{"GSO for IPv6", 2, SENT(2, 1, 1), {D(0, 3000, EXTRA | BLANK), GSO(1448, 2)}},
	{"GSO of size 0", 2, DROPPED(NET_TX_GSO, 2, 1), {D(0, 60, EXTRA), GSO(0, 1)}},
	{"GSO of no kind", 2, DROPPED(NET_TX_GSO, 2, 1), {D(0, 60, EXTRA), GSO(9, 0)}},
	{"GSO of an unknown kind", 2, DROPPED(NET_TX_GSO, 2, 1), {D(0, 60, EXTRA), GSO(9, 3)}},
	{"multicast add", 2, DROPPED(NET_TX_MULTICAST, 2, 1), {D(0, 60, EXTRA), X(2)}},
	{"multicast delete", 2, DROPPED(NET_TX_MULTICAST, 2, 1), {D(0, 60, EXTRA), X(3)}},
	{"a hash is not needed", 2, SENT(2, 1, 1), {D(0, 60, EXTRA), X(4)}},
	{"a hash and GSO", 3, SENT(3, 2, 1), {D(0, 3000, EXTRA | BLANK), X_MORE(4), GSO(1448, 1)}},
	{"extra of type 0", 2, DROPPED(NET_TX_EXTRA, 2, 1), {D(0, 60, EXTRA), X(0)}},
	{"extra of type 5, XDP of Linux", 2, DROPPED(NET_TX_EXTRA, 2, 1), {D(0, 60, EXTRA), X(5)}},
	{"extra of a type far out", 2, DROPPED(NET_TX_EXTRA, 2, 1), {D(0, 60, EXTRA), X(98)}},
	{"the extra lies before the second fragment",
	 3,
	 SENT(3, 1, 2),
	 {D(0, 100, MORE | EXTRA), X(4), D(0, 40, 0)}},
	{"only the extra's own flag chains extras",
	 4,
	 SENT(3, 1, 2),
	 {D(0, 100, MORE | EXTRA), X(4), D(0, 40, EXTRA), X(4)}},
	{"the first fault is the one that is named",
	 3,
	 DROPPED(NET_TX_SHORT, 3, 1),
	 {D(5000, 13, EXTRA | MORE), X(98), D(0, 90, 0)}},
};

/* Each row at the start of the ring, across its end, and across the wrap of the indices. */
static const uint32_t starts[] = {0, NET_TX_RING - 1, UINT32_MAX};

static void row_put(int row, uint32_t start)
{
	memset(mirror, 0xee, sizeof(mirror));
	for (int i = 0; i < rows[row].posted; i++)
		slot_put(start + (uint32_t)i, &rows[row].slot[i]);
}

START_TEST(framing)
{
	for (int s = 0; s < TABLE_SIZE(starts); s++) {
		struct net_tx_cursor cursor = {mirror, starts[s],
					       starts[s] + (uint32_t)rows[_i].posted};
		struct net_tx_packet packet = {0};
		const char *what = rows[_i].what;

		row_put(_i, starts[s]);
		ck_assert_msg(net_tx_next(&cursor, &packet) == rows[_i].want.rc, "%s: result",
			      what);
		if (rows[_i].want.rc) {
			ck_assert_msg(cursor.next == starts[s], "%s: cursor moved", what);
			continue;
		}
		ck_assert_msg(packet.fault == rows[_i].want.fault, "%s: \"%s\"", what,
			      net_tx_fault_text(packet.fault));
		ck_assert_msg(packet.slots == rows[_i].want.slots, "%s: %u slots", what,
			      packet.slots);
		ck_assert_msg(packet.extras == rows[_i].want.extras, "%s: %u extras", what,
			      packet.extras);
		ck_assert_msg(packet.fragments == rows[_i].want.fragments, "%s: %u fragments", what,
			      packet.fragments);
		ck_assert_msg(cursor.next == starts[s] + packet.slots, "%s: cursor", what);
	}
}
END_TEST

START_TEST(answers)
{
	struct net_tx_cursor cursor = {mirror, 0, (uint32_t)rows[_i].posted};
	struct net_tx_packet packet;

	row_put(_i, 0);
	if (net_tx_next(&cursor, &packet) != 0)
		return;
	for (unsigned int slot = 0; slot < packet.slots; slot++) {
		struct netif_tx_response response = net_tx_response(mirror, &packet, slot);

		if (rows[_i].slot[slot].is_extra) {
			ck_assert_msg(response.status == NETIF_RSP_NULL, "%s", rows[_i].what);
			continue;
		}
		ck_assert_msg(response.id == 500 + slot, "%s", rows[_i].what);
		ck_assert_msg(response.status ==
				      (rows[_i].want.fault ? NETIF_RSP_ERROR : NETIF_RSP_OKAY),
			      "%s", rows[_i].what);
	}
}
END_TEST

/* TX and RX have these two flags the other way round. */
static const struct {
	uint16_t flags;
	bool blank, valid;
} flags[] = {{0, false, false}, {1, true, false}, {2, false, true}, {3, true, true}};

START_TEST(checksum_flags)
{
	struct net_tx_cursor cursor = {mirror, 0, 1};
	struct net_tx_packet packet;
	struct slot slot = D(0, 60, flags[_i].flags);

	slot_put(0, &slot);
	ck_assert_int_eq(net_tx_next(&cursor, &packet), 0);
	ck_assert_int_eq(packet.csum_blank, flags[_i].blank);
	ck_assert_int_eq(packet.csum_valid, flags[_i].valid);
}
END_TEST

START_TEST(gso_values)
{
	struct slot slots[] = {D(0, 3000, EXTRA | BLANK), GSO(1448, 2)};
	struct net_tx_cursor cursor = {mirror, 0, 2};
	struct net_tx_packet packet;

	slot_put(0, &slots[0]);
	slot_put(1, &slots[1]);
	ck_assert_int_eq(net_tx_next(&cursor, &packet), 0);
	ck_assert_uint_eq(packet.gso_size, 1448);
	ck_assert_uint_eq(packet.gso_type, XEN_NETIF_GSO_TYPE_TCPV6);
}
END_TEST

static uint64_t seed;

/* A generator of our own, so that a failing seed fails everywhere (Knuth's MMIX). */
static uint32_t any(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

/* The pages of the guest: each gref is one. */
static uint8_t pages[NET_TX_RING][XEN_PAGE];

/* Split @length bytes at random over data slots; return how many. */
static unsigned int packet_split(uint32_t start, const uint8_t *data, unsigned int length)
{
	unsigned int slots = 1 + any(NET_TX_FRAGMENTS_MAX), done = 0;

	if (slots * XEN_PAGE < length)
		slots = length / XEN_PAGE + 1;
	for (unsigned int i = 0; i < slots; i++) {
		unsigned int left = length - done;
		unsigned int least =
			left > (slots - i - 1) * XEN_PAGE ? left - (slots - i - 1) * XEN_PAGE : 0;
		unsigned int most = left < XEN_PAGE ? left : XEN_PAGE;
		unsigned int part = i == slots - 1 ? left : least + any(most - least + 1);
		uint16_t offset = (uint16_t)any(XEN_PAGE - part + 1);
		uint32_t index = (start + i) % NET_TX_RING;

		mirror[index] =
			(struct netif_tx_request){.gref = index,
						  .offset = offset,
						  .flags = i == slots - 1 ? 0 : NETTXF_more_data,
						  .size = (uint16_t)(i == 0 ? length : part)};
		memcpy(pages[index] + offset, data + done, part);
		done += part;
	}
	return slots;
}

START_TEST(any_split_reassembles)
{
	static uint8_t data[XEN_NETIF_MAX_TX_SIZE], back[XEN_NETIF_MAX_TX_SIZE];

	for (int round = 0; round < 5000; round++) {
		uint32_t start = any(UINT32_MAX);
		unsigned int length = NET_PACKET_MIN + any(round % 10 ? 3000 : 65000), done = 0;
		struct net_tx_cursor cursor = {mirror, start, 0};
		struct net_tx_packet packet;

		for (unsigned int i = 0; i < length; i++)
			data[i] = (uint8_t)(i * 31 + (unsigned int)round);
		cursor.end = start + packet_split(start, data, length);
		ck_assert_int_eq(net_tx_next(&cursor, &packet), 0);
		ck_assert_int_eq(packet.fault, NET_TX_FINE);
		ck_assert(cursor.next == cursor.end);
		for (unsigned int i = 0; i < packet.fragments; i++) {
			memcpy(back + done,
			       pages[packet.fragment[i].gref] + packet.fragment[i].offset,
			       packet.fragment[i].length);
			done += packet.fragment[i].length;
		}
		ck_assert_uint_eq(done, length);
		ck_assert_mem_eq(data, back, length);
	}
}
END_TEST

static void garbage_check(const struct net_tx_packet *packet)
{
	unsigned int sum = 0;

	ck_assert_uint_le(packet->slots, NET_TX_RING);
	ck_assert_uint_lt(packet->extras, packet->slots);
	ck_assert_uint_le(packet->fragments, NET_TX_FRAGMENTS_MAX);
	ck_assert(packet->fault == NET_TX_FINE || packet->fragments == 0);
	for (unsigned int i = 0; i < packet->fragments; i++) {
		ck_assert_uint_gt(packet->fragment[i].length, 0);
		ck_assert_uint_le(packet->fragment[i].offset + packet->fragment[i].length,
				  XEN_PAGE);
		sum += packet->fragment[i].length;
	}
	ck_assert(packet->fault != NET_TX_FINE || sum == packet->length);
}

/* Half of the rounds in small values, where more packets are nearly good. */
static void garbage_put(int round)
{
	uint8_t *bytes = (uint8_t *)mirror;

	for (unsigned int i = 0; i < sizeof(mirror); i++)
		bytes[i] = (uint8_t)any(256);
	if (round % 2)
		return;
	for (unsigned int i = 0; i < NET_TX_RING; i++) {
		mirror[i].offset %= 4200;
		mirror[i].size %= 300;
		mirror[i].flags &= (uint16_t)(any(4) ? ~(MORE | EXTRA) : MORE | EXTRA);
	}
}

START_TEST(garbage_is_bounded)
{
	for (int round = 0; round < 2000; round++) {
		uint32_t start = any(UINT32_MAX);
		struct net_tx_cursor cursor = {mirror, start, start + any(NET_TX_RING + 1)};
		struct net_tx_packet packet;

		garbage_put(round);
		while (net_tx_next(&cursor, &packet) == 0) {
			garbage_check(&packet);
			for (unsigned int slot = 0; slot < packet.slots; slot++)
				net_tx_response(mirror, &packet, slot);
		}
		ck_assert_uint_le(cursor.end - cursor.next, NET_TX_RING);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net_tx");
	TCase *framing_case = tcase_create("framing");
	TCase *random_case = tcase_create("random");

	tcase_add_loop_test(framing_case, framing, 0, TABLE_SIZE(rows));
	tcase_add_loop_test(framing_case, answers, 0, TABLE_SIZE(rows));
	tcase_add_loop_test(framing_case, checksum_flags, 0, TABLE_SIZE(flags));
	tcase_add_test(framing_case, gso_values);
	suite_add_tcase(suite, framing_case);
	tcase_add_test(random_case, any_split_reassembles);
	tcase_add_test(random_case, garbage_is_bounded);
	tcase_set_timeout(random_case, 60);
	suite_add_tcase(suite, random_case);
	return check_main(suite);
}
