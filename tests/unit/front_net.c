/* netfront's handshake, checksums, virtio headers, and the command line that gives addresses. */
#include <string.h>

#include "frontend/process/options.h"
#include "frontend/process/vnet.h"
#include "tests/unit/check.h"
#include "tests/unit/front_net_bench.h"

static uint16_t sum_of(const uint8_t *data, size_t length)
{
	return netsum_fold(netsum_add(0, data, length));
}

START_TEST(rings_offered)
{
	bench_open("feature-gso-tcpv6");
	back_put("feature-split-event-channels", "1");
	back_put("feature-no-csum-offload", "1");
	fake_set(&bench.fake, BACK "/state", "2");
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/event-channel"), "");
	ck_assert_uint_ne(fake_number(&bench.fake, FRONT "/event-channel-tx"),
			  fake_number(&bench.fake, FRONT "/event-channel-rx"));
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/request-rx-copy"), "1");
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/feature-rx-notify"), "1");
	fake_set(&bench.fake, BACK "/state", "4");
	ck_assert(!bench.carrier->checksum_v4);
	ck_assert(!bench.carrier->gso_v4);
	ck_assert(!bench.carrier->gso_v6);

	/* A new backend that has one event channel only. */
	bench.fake.revoke_fails = true;
	back_put("feature-split-event-channels", NULL);
	fake_set(&bench.fake, BACK "/state", "2");
	ck_assert(!bench.carrier);
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/event-channel-tx"), "");
	ck_assert_str_ne(fake_get(&bench.fake, FRONT "/event-channel"), "");
	ck_assert_uint_eq(bench.fake.platform.limbo_pages, 2);
	back_attach();
	fake_set(&bench.fake, BACK "/state", "4");
	ck_assert(bench.carrier);
	bench.fake.revoke_fails = false;
	ck_assert_uint_eq(limbo_retry(&bench.fake.platform), 0);
	bench_close();
}
END_TEST

START_TEST(a_backend_that_flips)
{
	bench_open("feature-rx-copy");
	fake_set(&bench.fake, BACK "/state", "2");
	fake_set(&bench.fake, BACK "/state", "4");
	ck_assert_str_eq(fake_get(&bench.fake, FRONT "/state"), "6");
	bench_close();
}
END_TEST

static const char *const unread[] = {"feature-rx-copy", "feature-sg", "feature-no-csum-offload"};

START_TEST(a_store_that_fails_for_a_moment)
{
	bench_open("");
	bench.fake.failing = unread[_i];
	bench.fake.failures = 1;
	bench.fake.failure = -EIO;
	fake_set(&bench.fake, BACK "/state", "2");
	fake_set(&bench.fake, BACK "/state", "4");
	ck_assert_msg(bench.carrier, "%s", unread[_i]);
	ck_assert_uint_eq(bench.fake.failures, 0);
	bench_close();
}
END_TEST

/* As RFC 1071 has it, and with a carry out of 32 bits. */
START_TEST(sums)
{
	static const uint8_t rfc[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	uint8_t udp[64] = {[12] = 0x08, [14] = 0x45, [23] = 17,  [26] = 192, [27] = 0,
			   [28] = 2,    [29] = 1,    [30] = 192, [32] = 2,   [33] = 2};
	struct nethdr header;

	ck_assert_uint_eq(sum_of(rfc, sizeof(rfc)), 0x220d);
	ck_assert_uint_eq(sum_of(rfc, 7), (uint16_t)(0x220d + 0xf7));
	ck_assert_uint_eq(netsum_fold(netsum_add(UINT32_MAX, rfc, 8)),
			  netsum_fold(netsum_add(0, rfc, 8)));
	ck_assert_int_eq(nethdr_parse(udp, sizeof(udp), &header), 0);
	nethdr_pseudo(udp, &header, sizeof(udp));
	/* 192.0.2.1 and 192.0.2.2, protocol 17, length 30 */
	ck_assert_uint_eq(udp[40] << 8 | udp[41],
			  (0xc000 + 0x0201 + 0xc000 + 0x0202 + 17 + 30) % 0xffff);
}
END_TEST

static const struct {
	const char *what;
	struct virtio_net_hdr header;
	int rc;
} headers[] = {
	{"nothing", {0}, 0},
	{"vouched for", {.flags = VIRTIO_NET_HDR_F_DATA_VALID}, 0},
	{"blank", {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16}, 0},
	{"segments",
	 {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	  .csum_start = 34,
	  .csum_offset = 16,
	  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
	  .gso_size = 1448,
	  .hdr_len = 54},
	 0},
	{"segments, IPv6",
	 {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	  .csum_start = 54,
	  .csum_offset = 16,
	  .gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
	  .gso_size = 1428,
	  .hdr_len = 54},
	 0},
	{"UDP fragments", {.gso_type = VIRTIO_NET_HDR_GSO_UDP, .gso_size = 1400}, -EINVAL},
	{"with ECN", {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN}, -EINVAL},
	{"a checksum far away",
	 {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 65535, .csum_offset = 1},
	 -EINVAL},
};

START_TEST(vnet_headers_there_and_back)
{
	struct netpacket_meta meta;
	struct virtio_net_hdr header;

	ck_assert_msg(vnet_read(&headers[_i].header, &meta) == headers[_i].rc, "%s",
		      headers[_i].what);
	if (headers[_i].rc)
		return;
	vnet_write(&meta, 54, &header);
	ck_assert_msg(!memcmp(&header, &headers[_i].header, sizeof(header)), "%s",
		      headers[_i].what);
}
END_TEST

static const struct {
	const char *words[4];
	int rc;
	const char *eth0, *eth1, *gateway, *bad;
} lines[] = {
	{{NULL}, 0, NULL, NULL, NULL, NULL},
	{{"ip=192.0.2.2/24"}, 0, "192.0.2.2/24", NULL, NULL, NULL},
	{{"ip0=192.0.2.2/24", "ip1=2001:db8::2/64", "gw=192.0.2.1"},
	 0,
	 "192.0.2.2/24",
	 "2001:db8::2/64",
	 "192.0.2.1",
	 NULL},
	{{"ip=192.0.2.2/24", "ip0=192.0.2.3/24"}, -EEXIST, NULL, NULL, NULL, "ip0=192.0.2.3/24"},
	{{"ip=192.0.2.256/24"}, -EADDRNOTAVAIL, NULL, NULL, NULL, "ip=192.0.2.256/24"},
	{{"ip="}, -EADDRNOTAVAIL, NULL, NULL, NULL, "ip="},
	{{"gw=nowhere"}, -EADDRNOTAVAIL, NULL, NULL, NULL, "gw=nowhere"},
	{{"ip8=192.0.2.2/24"}, -EINVAL, NULL, NULL, NULL, "ip8=192.0.2.2/24"},
	{{"ip1=192.0.2.2/24", "verbose"}, -EINVAL, NULL, NULL, NULL, "verbose"},
};

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

START_TEST(command_lines)
{
	char *argv[6] = {(char *)"xsplit-guest"};
	struct options options = {0};
	const char *bad = NULL;
	int argc = 1;

	for (int i = 0; i < 4 && lines[_i].words[i]; i++)
		argv[argc++] = (char *)lines[_i].words[i];
	ck_assert_int_eq(options_parse(argc, argv, &options, &bad), lines[_i].rc);
	ck_assert(same(bad, lines[_i].bad));
	if (!bad)
		ck_assert(same(options.address[0], lines[_i].eth0) &&
			  same(options.address[1], lines[_i].eth1) &&
			  same(options.gateway, lines[_i].gateway));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("front_net");
	TCase *tc = tcase_create("front_net");

	tcase_add_test(tc, rings_offered);
	tcase_add_test(tc, a_backend_that_flips);
	tcase_add_loop_test(tc, a_store_that_fails_for_a_moment, 0, TABLE_SIZE(unread));
	tcase_add_test(tc, sums);
	tcase_add_loop_test(tc, vnet_headers_there_and_back, 0, TABLE_SIZE(headers));
	tcase_add_loop_test(tc, command_lines, 0, TABLE_SIZE(lines));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
