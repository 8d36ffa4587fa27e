/* How a packet lies in the slots of an RX ring. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "backend/net/rx.h"
#include "tests/unit/check.h"

static const struct net_features full = {
	.sg = true, .gso_tcpv4 = true, .gso_tcpv6 = true, .csum_ipv4 = true, .csum_ipv6 = true};
static const struct net_features plain = {.csum_ipv4 = true};

#define NEEDS VIRTIO_NET_HDR_F_NEEDS_CSUM
#define KNOWN VIRTIO_NET_HDR_F_DATA_VALID

static const struct {
	const char *what;
	size_t length;
	const struct net_features *features;
	int flags, gso;
	int rc;
	int slots, extras;
	uint16_t first; /* flags of the first slot, in numbers: RX has its own */
} rows[] = {
	{"a small packet", 60, &plain, 0, 0, 0, 1, 0, 0},
	{"the shortest", 14, &plain, 0, 0, 0, 1, 0, 0},
	{"too short", 13, &plain, 0, 0, -EINVAL, 0, 0, 0},
	{"nothing", 0, &plain, 0, 0, -EINVAL, 0, 0, 0},
	{"a checked checksum is flag 1", 60, &plain, KNOWN, 0, 0, 1, 0, 1},
	{"a blank checksum is flag 2, and trusted", 60, &plain, NEEDS, 0, 0, 1, 0, 3},
	{"a full page", 4096, &plain, 0, 0, 0, 1, 0, 0},
	{"a byte more, without feature-sg", 4097, &plain, 0, 0, -EMSGSIZE, 0, 0, 0},
	{"a byte more", 4097, &full, 0, 0, 0, 2, 0, 4},
	{"two full pages", 8192, &full, 0, 0, 0, 2, 0, 4},
	{"GSO for IPv4", 3000, &full, NEEDS, VIRTIO_NET_HDR_GSO_TCPV4, 0, 2, 1, 3 | 8},
	{"GSO for IPv6", 9000, &full, NEEDS, VIRTIO_NET_HDR_GSO_TCPV6, 0, 4, 1, 3 | 4 | 8},
	{"the longest", NET_RX_PACKET_MAX, &full, NEEDS, VIRTIO_NET_HDR_GSO_TCPV4, 0,
	 NET_RX_SLOTS_MAX, 1, 3 | 4 | 8},
	{"too long", NET_RX_PACKET_MAX + 1, &full, 0, 0, -EMSGSIZE, 0, 0, 0},
};

static int row_plan(int row, struct net_rx_plan *plan)
{
	struct virtio_net_hdr header = {.flags = (uint8_t)rows[row].flags,
					.gso_type = (uint8_t)rows[row].gso,
					.gso_size = 1448};

	return net_rx_plan(rows[row].length, &header, rows[row].features, plan);
}

START_TEST(planning)
{
	struct net_rx_plan plan = {0};

	ck_assert_msg(row_plan(_i, &plan) == rows[_i].rc, "%s", rows[_i].what);
	ck_assert_msg(plan.slots == rows[_i].slots, "%s: %u slots", rows[_i].what, plan.slots);
	ck_assert_msg(plan.extras == rows[_i].extras, "%s", rows[_i].what);
}
END_TEST

static void requests_make(struct netif_rx_request *requests, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		requests[i].id = (uint16_t)(700 + i);
		requests[i].gref = 1000 + i;
	}
}

/* The chain is what a frontend would make of it: walk it as one. */
START_TEST(filling)
{
	struct netif_rx_request requests[NET_RX_SLOTS_MAX];
	union net_rx_answer answers[NET_RX_SLOTS_MAX];
	struct net_rx_part parts[NET_RX_SLOTS_MAX];
	const char *what = rows[_i].what;
	unsigned int count, part = 0;
	struct net_rx_plan plan;
	uint32_t done = 0;

	if (row_plan(_i, &plan) != 0)
		return;
	memset(answers, 0xee, sizeof(answers));
	requests_make(requests, plan.slots);
	count = net_rx_fill(&plan, requests, answers, parts);
	ck_assert_msg(answers[0].response.flags == rows[_i].first, "%s: flags %u", what,
		      answers[0].response.flags);
	for (unsigned int slot = 0; slot < plan.slots; slot++) {
		const struct netif_rx_response *response = &answers[slot].response;

		if (slot == 1 && plan.extras) {
			const struct netif_extra_info *extra = &answers[slot].extra;

			ck_assert_msg(extra->type == XEN_NETIF_EXTRA_TYPE_GSO, "%s", what);
			ck_assert_msg(extra->flags == 0, "%s", what);
			ck_assert_msg(extra->u.gso.size == 1448, "%s", what);
			ck_assert_msg(extra->u.gso.type == (rows[_i].gso == VIRTIO_NET_HDR_GSO_TCPV4
								    ? XEN_NETIF_GSO_TYPE_TCPV4
								    : XEN_NETIF_GSO_TYPE_TCPV6),
				      "%s", what);
			ck_assert_msg(extra->u.gso.features == 0, "%s", what);
			continue;
		}
		ck_assert_msg(response->id == 700 + slot, "%s: slot %u", what, slot);
		ck_assert_msg(response->offset == 0, "%s", what);
		ck_assert_msg(response->status == parts[part].length, "%s", what);
		ck_assert_msg(parts[part].gref == 1000 + slot, "%s", what);
		ck_assert_msg(parts[part].start == done, "%s", what);
		done += parts[part++].length;
		ck_assert_msg(!(response->flags & NETRXF_more_data) == (done == plan.length),
			      "%s: slot %u", what, slot);
	}
	ck_assert_msg(done == plan.length && part == count, "%s: %u bytes", what, done);
}
END_TEST

START_TEST(failing_keeps_the_chain)
{
	struct netif_rx_request requests[NET_RX_SLOTS_MAX];
	union net_rx_answer answers[NET_RX_SLOTS_MAX], failed[NET_RX_SLOTS_MAX];
	struct net_rx_part parts[NET_RX_SLOTS_MAX];
	struct net_rx_plan plan;

	if (row_plan(_i, &plan) != 0)
		return;
	requests_make(requests, plan.slots);
	net_rx_fill(&plan, requests, answers, parts);
	memcpy(failed, answers, sizeof(failed));
	net_rx_fail(&plan, failed);
	for (unsigned int slot = 0; slot < plan.slots; slot++) {
		if (slot == 1 && plan.extras) {
			ck_assert_mem_eq(&failed[slot], &answers[slot], sizeof(failed[slot]));
			continue;
		}
		ck_assert_int_eq(failed[slot].response.status, NETIF_RSP_ERROR);
		ck_assert_int_eq(failed[slot].response.flags, answers[slot].response.flags);
		ck_assert_int_eq(failed[slot].response.id, answers[slot].response.id);
	}
}
END_TEST

/* Every length near a page's end, and some between. */
static size_t length_after(size_t length)
{
	size_t in_page = length % XEN_PAGE;

	return length + (in_page < 32 || in_page > XEN_PAGE - 32 ? 1 : 29);
}

/* What goes to the page of another domain never starts or ends outside of the packet. */
START_TEST(many_lengths)
{
	struct netif_rx_request requests[NET_RX_SLOTS_MAX] = {0};
	union net_rx_answer answers[NET_RX_SLOTS_MAX];
	struct net_rx_part parts[NET_RX_SLOTS_MAX];
	struct virtio_net_hdr header = {.gso_type = (uint8_t)_i, .gso_size = 1};

	for (size_t length = NET_PACKET_MIN; length <= NET_RX_PACKET_MAX;
	     length = length_after(length)) {
		struct net_rx_plan plan;
		uint32_t done = 0;
		unsigned int count;

		ck_assert_int_eq(net_rx_plan(length, &header, &full, &plan), 0);
		ck_assert_uint_le(plan.slots, NET_RX_SLOTS_MAX);
		count = net_rx_fill(&plan, requests, answers, parts);
		ck_assert_uint_eq(count + plan.extras, plan.slots);
		for (unsigned int i = 0; i < count; i++) {
			ck_assert_uint_eq(parts[i].start, done);
			ck_assert_uint_le(parts[i].length, XEN_PAGE);
			done += parts[i].length;
		}
		ck_assert_uint_eq(done, length);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net_rx");
	TCase *tcase = tcase_create("framing");

	tcase_add_loop_test(tcase, planning, 0, TABLE_SIZE(rows));
	tcase_add_loop_test(tcase, filling, 0, TABLE_SIZE(rows));
	tcase_add_loop_test(tcase, failing_keeps_the_chain, 0, TABLE_SIZE(rows));
	tcase_add_loop_test(tcase, many_lengths, 0, 2);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(suite, tcase);
	return check_main(suite);
}
