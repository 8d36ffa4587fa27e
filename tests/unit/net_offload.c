/* Checksums and segmentation: what netif says against what a virtio_net_hdr says. */
#include <errno.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "backend/net/offload.h"
#include "backend/net/wire.h"
#include "tests/unit/check.h"

/* How to build a packet; zeros make TCP over IPv4 without options. */
struct recipe {
	int tags;
	bool ipv6;
	uint8_t protocol;  /* 0: TCP */
	uint8_t options;   /* IPv4: words; IPv6: an extension header of this type */
	uint16_t fragment; /* of IPv4's frag_off */
	uint16_t type;     /* another Ethernet type */
	uint8_t tcp_words; /* 0: 5 */
	uint8_t tcp_flags;
	uint16_t cut; /* bytes to leave out at the end */
};

#define PAYLOAD 100

struct packet {
	size_t length, l3, l4;
	uint8_t data[2048];
};

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static size_t ethernet_put(struct packet *p, const struct recipe *r)
{
	size_t at = 12;

	for (int tag = 0; tag < r->tags; tag++, at += 4) {
		put16(p->data + at, tag + 1 < r->tags ? 0x88a8 : 0x8100);
		put16(p->data + at + 2, 7);
	}
	put16(p->data + at, r->type ? r->type : r->ipv6 ? 0x86dd : 0x0800);
	return at + 2;
}

static size_t ipv4_put(uint8_t *ip, const struct recipe *r, uint8_t protocol)
{
	size_t size = 20 + r->options * 4u;

	ip[0] = (uint8_t)(0x40 | size / 4);
	put16(ip + 6, r->fragment);
	ip[9] = protocol;
	memcpy(ip + 12, (uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}, 8);
	return size;
}

static size_t ipv6_put(uint8_t *ip, const struct recipe *r, uint8_t protocol)
{
	ip[0] = 0x60;
	ip[6] = r->options ? r->options : protocol;
	for (int i = 0; i < 32; i++)
		ip[8 + i] = (uint8_t)(i * 7);
	if (!r->options)
		return 40;
	ip[40] = protocol;
	ip[41] = r->options == IPPROTO_AH ? 4 : 2;
	return 40 + 24;
}

static void packet_make(struct packet *p, const struct recipe *r)
{
	uint8_t protocol = r->protocol ? r->protocol : IPPROTO_TCP;
	uint8_t words = r->tcp_words ? r->tcp_words : 5;

	memset(p, 0, sizeof(*p));
	p->l3 = ethernet_put(p, r);
	p->l4 = p->l3 + (r->ipv6 ? ipv6_put : ipv4_put)(p->data + p->l3, r, protocol);
	p->length = p->l4 + (protocol == IPPROTO_TCP ? words * 4u : 8) + PAYLOAD;
	if (protocol == IPPROTO_TCP) {
		p->data[p->l4 + 12] = (uint8_t)(words << 4);
		p->data[p->l4 + 13] = r->tcp_flags;
	}
	for (size_t i = p->length - PAYLOAD; i < p->length; i++)
		p->data[i] = (uint8_t)(i * 31);
	p->length -= r->cut;
}

#define BLANK .offload = {.csum_blank = true}
#define GSO4  .offload = {.csum_blank = true, .gso_type = XEN_NETIF_GSO_TYPE_TCPV4, .gso_size = 40}
#define GSO6  .offload = {.csum_blank = true, .gso_type = XEN_NETIF_GSO_TYPE_TCPV6, .gso_size = 40}

static const struct {
	const char *what;
	struct recipe recipe;
	struct net_offload offload;
	int rc;
	uint16_t start, offset; /* of the checksum */
	uint8_t gso;
	uint16_t headers;
} from_guest[] = {
	{"TCP over IPv4", .recipe = {.tags = 0}, BLANK, .start = 34, .offset = 16},
	{"UDP over IPv4", .recipe = {.protocol = IPPROTO_UDP}, BLANK, .start = 34, .offset = 6},
	{"IPv4 options", .recipe = {.options = 10}, BLANK, .start = 74, .offset = 16},
	{"TCP over IPv6", .recipe = {.ipv6 = true}, BLANK, .start = 54, .offset = 16},
	{"an unknown extension header", .recipe = {.ipv6 = true, .options = 0x80}, BLANK,
	 .rc = -EINVAL},
	{"routing header", .recipe = {.ipv6 = true, .options = 43}, BLANK, .start = 78,
	 .offset = 16},
	{"destination options", .recipe = {.ipv6 = true, .options = 60}, BLANK, .start = 78,
	 .offset = 16},
	{"cut in the routing header", .recipe = {.ipv6 = true, .options = 43, .cut = 130}, BLANK,
	 .rc = -EINVAL},
	{"authentication", .recipe = {.ipv6 = true, .options = 51}, BLANK, .start = 78,
	 .offset = 16},
	{"IPv6 fragment", .recipe = {.ipv6 = true, .options = 44}, BLANK, .rc = -EINVAL},
	{"under a tag", .recipe = {.tags = 1}, BLANK, .start = 38, .offset = 16},
	{"under two tags", .recipe = {.tags = 2, .ipv6 = true}, BLANK, .start = 62, .offset = 16},
	{"under three tags", .recipe = {.tags = 3}, BLANK, .rc = -EINVAL},
	{"first IPv4 fragment", .recipe = {.fragment = 0x2000}, BLANK, .rc = -EINVAL},
	{"later IPv4 fragment", .recipe = {.fragment = 0x0010}, BLANK, .rc = -EINVAL},
	{"don't fragment", .recipe = {.fragment = 0x4000}, BLANK, .start = 34, .offset = 16},
	{"ICMP has no blank", .recipe = {.protocol = IPPROTO_ICMP}, BLANK, .rc = -EINVAL},
	{"ARP has no blank", .recipe = {.type = 0x0806}, BLANK, .rc = -EINVAL},
	{"IPv6's type over IPv4", .recipe = {.type = 0x86dd}, BLANK, .rc = -EINVAL},
	{"cut in Ethernet", .recipe = {.cut = 140}, BLANK, .rc = -EINVAL},
	{"cut in IPv4", .recipe = {.cut = 121}, BLANK, .rc = -EINVAL},
	{"cut in TCP", .recipe = {.cut = 101}, BLANK, .rc = -EINVAL},
	{"cut after TCP", .recipe = {.cut = 100}, BLANK, .start = 34, .offset = 16},
	{"cut in UDP", .recipe = {.protocol = IPPROTO_UDP, .cut = 101}, BLANK, .rc = -EINVAL},
	{"cut in IPv6", .recipe = {.ipv6 = true, .cut = 121}, BLANK, .rc = -EINVAL},
	{"GSO for IPv4", .recipe = {.tags = 0}, GSO4, .start = 34, .offset = 16, .gso = 1,
	 .headers = 54},
	{"GSO with TCP options", .recipe = {.tcp_words = 8}, GSO4, .start = 34, .offset = 16,
	 .gso = 1, .headers = 66},
	{"GSO for IPv6", .recipe = {.ipv6 = true}, GSO6, .start = 54, .offset = 16, .gso = 4,
	 .headers = 74},
	{"GSO with CWR", .recipe = {.tcp_flags = 0x90}, GSO4, .start = 34, .offset = 16,
	 .gso = 0x81, .headers = 54},
	{"GSO for IPv4 on IPv6", .recipe = {.ipv6 = true}, GSO4, .rc = -EINVAL},
	{"GSO for IPv6 on IPv4", .recipe = {.tags = 0}, GSO6, .rc = -EINVAL},
	{"GSO for UDP", .recipe = {.protocol = IPPROTO_UDP}, GSO4, .rc = -EINVAL},
	{"GSO with TCP of 4 words", .recipe = {.tcp_words = 4}, GSO4, .rc = -EINVAL},
	{"GSO with TCP options beyond the end", .recipe = {.tcp_words = 15, .cut = 101}, GSO4,
	 .rc = -EINVAL},
};

START_TEST(guest_to_tap)
{
	const char *what = from_guest[_i].what;
	struct virtio_net_hdr header;
	struct packet p;
	int rc;

	packet_make(&p, &from_guest[_i].recipe);
	rc = net_offload_from_guest(p.data, p.length, &from_guest[_i].offload, &header);
	ck_assert_msg(rc == from_guest[_i].rc, "%s: %d", what, rc);
	if (rc)
		return;
	ck_assert_msg(header.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM, "%s", what);
	ck_assert_msg(header.csum_start == from_guest[_i].start, "%s: %u", what, header.csum_start);
	ck_assert_msg(header.csum_offset == from_guest[_i].offset, "%s", what);
	ck_assert_msg(header.gso_type == from_guest[_i].gso, "%s: %u", what, header.gso_type);
	ck_assert_msg(header.hdr_len == from_guest[_i].headers, "%s: %u", what, header.hdr_len);
	ck_assert_msg(header.gso_size == (from_guest[_i].gso ? 40 : 0), "%s", what);
}
END_TEST

START_TEST(guest_asks_for_nothing)
{
	struct net_offload offload = {.csum_valid = _i};
	struct virtio_net_hdr header;
	uint8_t arp[60] = {0};

	ck_assert_int_eq(net_offload_from_guest(arp, sizeof(arp), &offload, &header), 0);
	ck_assert_uint_eq(header.flags, _i ? VIRTIO_NET_HDR_F_DATA_VALID : 0);
	ck_assert_uint_eq(header.gso_type, 0);
}
END_TEST

/* The slow and simple way, to check the fast one: RFC 1071 in 16-bit steps. */
static uint16_t checksum(const struct packet *p, const struct recipe *r, size_t from)
{
	uint32_t sum = r->protocol ? r->protocol : IPPROTO_TCP;

	for (size_t i = 0; i < (r->ipv6 ? 32u : 8u); i++)
		sum += (uint32_t)p->data[p->l3 + (r->ipv6 ? 8 : 12) + i] << (i % 2 ? 0 : 8);
	sum += (uint32_t)(p->length - p->l4);
	for (size_t i = from; i < p->length; i++)
		sum += (uint32_t)p->data[i] << ((i - from) % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static size_t field_of(const struct packet *p, const struct recipe *r)
{
	return p->l4 + (r->protocol == IPPROTO_UDP ? 6 : 16);
}

/* What a stack leaves there: the pseudo header's sum. */
static void blank_put(struct packet *p, const struct recipe *r)
{
	put16(p->data + field_of(p, r), checksum(p, r, p->length));
}

/* A frontend that asks to segment and forgets csum_blank ("buggy peers", Linux netback). */
START_TEST(gso_without_blank)
{
	struct recipe r = {.ipv6 = _i, .cut = (uint16_t)_i};
	struct net_offload offload = {.gso_type = _i ? XEN_NETIF_GSO_TYPE_TCPV6
						     : XEN_NETIF_GSO_TYPE_TCPV4,
				      .gso_size = 40};
	struct virtio_net_hdr header;
	struct packet p, want;

	packet_make(&p, &r);
	want = p;
	blank_put(&want, &r);
	put16(p.data + field_of(&p, &r), 0xabcd);
	ck_assert_int_eq(net_offload_from_guest(p.data, p.length, &offload, &header), 0);
	ck_assert_mem_eq(p.data, want.data, p.length);
	ck_assert_uint_eq(header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
}
END_TEST

static const struct net_features all = {true, true, true, true, true};
static const struct net_features ipv4_only = {.sg = true, .gso_tcpv4 = true, .csum_ipv4 = true};
static const struct net_features none;

enum outcome { KEPT, COMPLETED, REFUSED, BAD };

static const struct {
	const char *what;
	struct recipe recipe;
	const struct net_features *features;
	uint8_t gso;
	int shift; /* of csum_start, away from where it belongs */
	enum outcome outcome;
} to_guest[] = {
	{"blank IPv4, taken", {.tags = 0}, &all, 0, 0, KEPT},
	{"blank IPv4, taken by one who takes no IPv6", {.tags = 0}, &ipv4_only, 0, 0, KEPT},
	{"blank IPv6, taken", {.ipv6 = true}, &all, 0, 0, KEPT},
	{"blank IPv6, not taken", {.ipv6 = true}, &ipv4_only, 0, 0, COMPLETED},
	{"blank IPv4, not taken", {.tags = 0}, &none, 0, 0, COMPLETED},
	{"blank UDP, not taken", {.protocol = IPPROTO_UDP}, &none, 0, 0, COMPLETED},
	{"an odd length", {.cut = 1}, &none, 0, 0, COMPLETED},
	{"no payload", {.cut = 100}, &none, 0, 0, COMPLETED},
	{"under a tag nobody looks", {.tags = 1}, &all, 0, 0, COMPLETED},
	{"not where the header is", {.tags = 0}, &all, 0, 2, COMPLETED},
	{"checksum beyond the end", {.tags = 0}, &all, 0, 103, BAD},
	{"GSO IPv4, taken", {.tags = 0}, &all, VIRTIO_NET_HDR_GSO_TCPV4, 0, KEPT},
	{"GSO IPv6, taken", {.ipv6 = true}, &all, VIRTIO_NET_HDR_GSO_TCPV6, 0, KEPT},
	{"GSO IPv6, not taken", {.ipv6 = true}, &ipv4_only, VIRTIO_NET_HDR_GSO_TCPV6, 0, REFUSED},
	{"GSO IPv4, not taken", {.tags = 0}, &none, VIRTIO_NET_HDR_GSO_TCPV4, 0, REFUSED},
	{"GSO under a tag", {.tags = 1}, &all, VIRTIO_NET_HDR_GSO_TCPV4, 0, REFUSED},
	{"GSO of UDP", {.protocol = IPPROTO_UDP}, &all, VIRTIO_NET_HDR_GSO_UDP, 0, REFUSED},
	{"GSO of the other kind", {.ipv6 = true}, &all, VIRTIO_NET_HDR_GSO_TCPV4, 0, REFUSED},
};

START_TEST(tap_to_guest)
{
	const struct recipe *r = &to_guest[_i].recipe;
	struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					.gso_type = to_guest[_i].gso,
					.gso_size = to_guest[_i].gso ? 40 : 0};
	const char *what = to_guest[_i].what;
	struct packet p, before;
	int rc;

	packet_make(&p, r);
	blank_put(&p, r);
	before = p;
	header.csum_start = (uint16_t)(p.l4 + (size_t)to_guest[_i].shift);
	header.csum_offset = (uint16_t)(field_of(&p, r) - p.l4);
	rc = net_offload_to_guest(p.data, p.length, to_guest[_i].features, &header);
	switch (to_guest[_i].outcome) {
	case KEPT:
		ck_assert_msg(rc == 0 && header.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM, "%s", what);
		ck_assert_mem_eq(p.data, before.data, p.length);
		break;
	case COMPLETED:
		ck_assert_msg(rc == 0 && header.flags == VIRTIO_NET_HDR_F_DATA_VALID, "%s", what);
		if (to_guest[_i].shift == 0)
			ck_assert_msg(checksum(&p, r, p.l4) == 0xffff, "%s", what);
		break;
	case REFUSED:
		ck_assert_msg(rc == -EOPNOTSUPP, "%s", what);
		break;
	case BAD:
		ck_assert_msg(rc == -EINVAL, "%s", what);
		break;
	}
}
END_TEST

/* A sum of 0 is sent as 0xffff: to UDP, 0 says that there is no checksum. */
START_TEST(zero_is_not_sent)
{
	struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 14, .csum_offset = 0};
	uint8_t data[16] = {[14] = 0xff, [15] = 0xff};

	ck_assert_int_eq(net_offload_to_guest(data, sizeof(data), &none, &header), 0);
	ck_assert_uint_eq(data[14], 0xff);
	ck_assert_uint_eq(data[15], 0xff);
}
END_TEST

static const struct {
	const char *what;
	struct net_features features;
	unsigned int tun;
} offloads[] = {
	{"nothing", {.sg = true}, 0},
	{"everything", {true, true, true, true, true}, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6},
	{"IPv4", {.sg = true, .gso_tcpv4 = true, .csum_ipv4 = true}, TUN_F_CSUM | TUN_F_TSO4},
	{"GSO needs more than a slot", {.gso_tcpv4 = true, .csum_ipv4 = true}, TUN_F_CSUM},
	{"GSO needs checksums", {.sg = true, .gso_tcpv6 = true, .csum_ipv4 = true}, TUN_F_CSUM},
	{"feature-no-csum-offload", {.sg = true, .gso_tcpv4 = true, .gso_tcpv6 = true}, 0},
};

START_TEST(tun_flags)
{
	ck_assert_msg(net_offload_tun(&offloads[_i].features) == offloads[_i].tun, "%s",
		      offloads[_i].what);
}
END_TEST

/* Whatever a packet holds, nothing is read beyond its end (in a block of just its size). */
START_TEST(garbage)
{
	uint64_t seed = 1;

	for (int round = 0; round < 50000; round++) {
		struct net_offload offload = {true, true, (uint8_t)(round % 3), 100};
		struct virtio_net_hdr header;
		size_t length = (size_t)(round % 200);
		uint8_t *data = malloc(length ? length : 1);
		struct recipe r = {.tags = round % 4,
				   .ipv6 = round % 7 > 3,
				   .protocol = round % 5 > 2 ? IPPROTO_UDP : IPPROTO_TCP};
		struct packet p;

		packet_make(&p, &r);
		for (int i = 0; i < 4; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			p.data[12 + (seed >> 33) % 80] = (uint8_t)(seed >> 56);
		}
		memcpy(data, p.data, length);
		if (net_offload_from_guest(data, length, &offload, &header) == 0)
			ck_assert_uint_le(header.csum_start + header.csum_offset + 2u, length);
		memcpy(&header, &seed, 8);
		header.csum_start %= 256;
		header.csum_offset %= 64;
		net_offload_to_guest(data, length, round % 2 ? &all : &none, &header);
		free(data);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net_offload");
	TCase *tcase = tcase_create("offload");

	tcase_add_loop_test(tcase, guest_to_tap, 0, TABLE_SIZE(from_guest));
	tcase_add_loop_test(tcase, guest_asks_for_nothing, 0, 2);
	tcase_add_loop_test(tcase, gso_without_blank, 0, 2);
	tcase_add_loop_test(tcase, tap_to_guest, 0, TABLE_SIZE(to_guest));
	tcase_add_test(tcase, zero_is_not_sent);
	tcase_add_loop_test(tcase, tun_flags, 0, TABLE_SIZE(offloads));
	tcase_add_test(tcase, garbage);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return check_main(suite);
}
