/* The TAP and its bridge, in a network namespace of the test's own. */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/net/uplink.h"
#include "tests/unit/check.h"

#define HEADER sizeof(struct virtio_net_hdr)

static struct uplink uplink;
static struct nl_sock *netlink;

static void setup(void)
{
	memset(&uplink, 0, sizeof(uplink));
	ck_assert_int_eq(unshare(CLONE_NEWUSER | CLONE_NEWNET), 0);
	netlink = nl_socket_alloc();
	ck_assert_int_eq(nl_connect(netlink, NETLINK_ROUTE), 0);
}

static void teardown(void)
{
	uplink_close(&uplink);
	nl_socket_free(netlink);
}

/* Neither a namespace nor a TUN is there everywhere: without them there is nothing to test. */
static bool possible(void)
{
	pid_t child = fork();
	int status = 1;

	if (child == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 ||
		      access("/dev/net/tun", R_OK | W_OK) != 0);
	waitpid(child, &status, 0);
	return status == 0;
}

/* As the kernel has it now; NULL when there is no such interface. */
static struct rtnl_link *interface(const char *name)
{
	struct rtnl_link *link = NULL;

	rtnl_link_get_kernel(netlink, 0, name, &link);
	return link;
}

static bool is_up(const char *name)
{
	struct rtnl_link *link = interface(name);
	bool up = link && rtnl_link_get_flags(link) & IFF_UP;

	rtnl_link_put(link);
	return up;
}

static bool has_carrier(const char *name)
{
	struct rtnl_link *link = interface(name);
	bool has = link && rtnl_link_get_carrier(link);

	rtnl_link_put(link);
	return has;
}

START_TEST(open_and_close)
{
	struct rtnl_link *link;
	char address[32];

	ck_assert_msg(uplink_open(&uplink, "vif5.0", 9000) == 0, "%s", uplink.error);
	link = interface("vif5.0");
	ck_assert_ptr_nonnull(link);
	ck_assert_uint_eq(rtnl_link_get_mtu(link), 9000);
	nl_addr2str(rtnl_link_get_addr(link), address, sizeof(address));
	ck_assert_str_eq(address, "fe:ff:ff:ff:ff:ff");
	rtnl_link_put(link);
	uplink_close(&uplink);
	ck_assert_ptr_null(interface("vif5.0"));
	uplink_close(&uplink);
}
END_TEST

static const struct {
	const char *name;
	int rc;
} names[] = {
	{"123456789012345", 0}, {"1234567890123456", -EINVAL},
	{"", -EINVAL},          {"a/b", -EINVAL},
	{"vif%d", -EINVAL},     {"a b", -EINVAL},
	{"..", -EINVAL},        {"lo", -EBUSY},
	{"a:1", -EINVAL},
};

START_TEST(interface_names)
{
	int rc = uplink_open(&uplink, names[_i].name, 1500);

	ck_assert_msg(rc == names[_i].rc, "\"%s\": %d, %s", names[_i].name, rc, uplink.error);
	if (rc)
		ck_assert_msg(strstr(uplink.error, names[_i].name) && uplink.queues == 0, "%s",
			      uplink.error);
}
END_TEST

START_TEST(impossible_mtu)
{
	ck_assert_int_lt(uplink_open(&uplink, "vif5.0", 67), 0);
	ck_assert_ptr_nonnull(strstr(uplink.error, "MTU of 67"));
	ck_assert_ptr_null(interface("vif5.0"));
}
END_TEST

START_TEST(join_a_bridge)
{
	struct rtnl_link *bridge, *link;

	ck_assert_int_eq(rtnl_link_bridge_add(netlink, "xenbr0"), 0);
	ck_assert_int_eq(uplink_open(&uplink, "vif5.0", 1500), 0);
	ck_assert_msg(uplink_join(&uplink, "xenbr0") == 0, "%s", uplink.error);
	bridge = interface("xenbr0");
	link = interface("vif5.0");
	ck_assert_int_eq(rtnl_link_get_master(link), rtnl_link_get_ifindex(bridge));
	rtnl_link_put(link);
	rtnl_link_put(bridge);
	ck_assert(is_up("vif5.0"));
}
END_TEST

START_TEST(no_such_bridge)
{
	ck_assert_int_eq(uplink_open(&uplink, "vif5.0", 1500), 0);
	ck_assert_int_eq(uplink_join(&uplink, "xenbr0"), -ENODEV);
	ck_assert_str_eq(
		uplink.error,
		"bridge xenbr0 does not exist; create it (ip link add xenbr0 type bridge)");
}
END_TEST

START_TEST(not_a_bridge)
{
	ck_assert_int_eq(uplink_open(&uplink, "vif5.0", 1500), 0);
	ck_assert_int_lt(uplink_join(&uplink, "lo"), 0);
	ck_assert_ptr_nonnull(strstr(uplink.error, "is lo a bridge?"));
}
END_TEST

/* Carrier is there exactly while a frontend is. */
START_TEST(carrier)
{
	ck_assert_int_eq(uplink_open(&uplink, "vif5.0", 1500), 0);
	ck_assert_int_eq(uplink_join(&uplink, NULL), 0);
	ck_assert(!has_carrier("vif5.0"));
	for (int i = 0; i < 2; i++) {
		ck_assert_msg(uplink_start(&uplink, 3, TUN_F_CSUM | TUN_F_TSO4) == 0, "%s",
			      uplink.error);
		ck_assert_uint_eq(uplink.queues, 3);
		ck_assert(has_carrier("vif5.0"));
		uplink_stop(&uplink);
		ck_assert_uint_eq(uplink.queues, 1);
		ck_assert(!has_carrier("vif5.0"));
	}
}
END_TEST

/* With IPv6 the kernel sends of its own accord, at moments of its own. */
static void ipv6_end(const char *name)
{
	char path[80];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs("1", file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void packet_send(int sock, const char *name)
{
	static const uint8_t packet[60] = {0xff, 0xff, 0xff,        0xff,
					   0xff, 0xff, [12] = 0x88, [13] = 0xb5};
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};

	ck_assert_int_eq(sendto(sock, packet, sizeof(packet), 0, (struct sockaddr *)&to,
				sizeof(to)),
			 sizeof(packet));
}

START_TEST(old_packets_are_dropped)
{
	int sock = socket(AF_PACKET, SOCK_RAW, 0), waited = 0;
	uint8_t packet[2000];

	ck_assert_int_ge(sock, 0);
	ck_assert_int_eq(uplink_open(&uplink, "vif5.0", 1500), 0);
	ipv6_end("vif5.0");
	ck_assert_int_eq(uplink_join(&uplink, NULL), 0);
	ck_assert_int_eq(uplink_start(&uplink, 1, TUN_F_CSUM), 0);
	/* The kernel takes a while to believe in the carrier. */
	do {
		ck_assert_int_lt(waited, 300);
		usleep(waited++ ? 10000 : 0);
		packet_send(sock, "vif5.0");
	} while (read(uplink.fd[0], packet, sizeof(packet)) < 0);
	for (int n = 0; n < 3; n++)
		packet_send(sock, "vif5.0");
	uplink_stop(&uplink);
	ck_assert_int_eq(uplink_start(&uplink, 1, 0), 0);
	ck_assert_int_lt(read(uplink.fd[0], packet, sizeof(packet)), 0);
	ck_assert_int_eq(errno, EAGAIN);
	close(sock);
}
END_TEST

START_TEST(takes_a_packet)
{
	uint8_t packet[HEADER + 60] = {0};

	ck_assert_int_eq(uplink_open(&uplink, "vif5.0", 1500), 0);
	ck_assert_int_eq(uplink_join(&uplink, NULL), 0);
	ck_assert_int_eq(uplink_start(&uplink, 1, 0), 0);
	packet[HEADER + 12] = 8;
	ck_assert_int_eq(write(uplink.fd[0], packet, sizeof(packet)), (ssize_t)sizeof(packet));
}
END_TEST

/* TCP over IPv4 in a VLAN, from somewhere else in the kernel. */
static void tagged_tcp_send(size_t payload)
{
	struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
					.hdr_len = 58,
					.gso_size = 1448,
					.csum_start = 38,
					.csum_offset = 16};
	static const uint8_t ethernet[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0,
					   0,    0,    1,    0x81, 0,    0,    7, 8, 0};
	static const uint8_t ip[] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6};
	int one = 1, raw = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)if_nametoindex(uplink.name)};
	uint8_t packet[HEADER + 58 + 4000] = {0};

	memcpy(packet, &header, HEADER);
	memcpy(packet + HEADER, ethernet, sizeof(ethernet));
	memcpy(packet + HEADER + sizeof(ethernet), ip, sizeof(ip));
	packet[HEADER + 20] = (uint8_t)((40 + payload) >> 8);
	packet[HEADER + 21] = (uint8_t)(40 + payload);
	packet[HEADER + 38 + 12] = 0x50;
	ck_assert_int_eq(setsockopt(raw, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), 0);
	ck_assert_int_eq(bind(raw, (struct sockaddr *)&to, sizeof(to)), 0);
	ck_assert_int_gt(write(raw, packet, HEADER + 58 + payload), 0);
	close(raw);
}

/* How many tagged packets came, and how long the longest was. */
static int tagged_count(size_t *longest)
{
	uint8_t packet[70000];
	int count = 0;

	*longest = 0;
	for (int idle = 0; idle < 10; usleep(10000), idle++) {
		ssize_t got;

		while ((got = read(uplink.fd[0], packet, sizeof(packet))) > 0) {
			if (packet[HEADER + 12] != 0x81)
				continue;
			count++;
			if ((size_t)got > *longest)
				*longest = (size_t)got;
		}
	}
	return count;
}

/* What net_receiver relies on: the kernel keeps TCP in a VLAN whole only as long as TSO is on. */
START_TEST(tagged_packets_come_segmented_without_tso)
{
	size_t longest;

	ck_assert_int_eq(uplink_open(&uplink, "vif5.0", 1500), 0);
	ck_assert_int_eq(uplink_join(&uplink, NULL), 0);
	ck_assert_int_eq(uplink_start(&uplink, 1, TUN_F_CSUM | TUN_F_TSO4), 0);
	tagged_tcp_send(4000);
	ck_assert_int_eq(tagged_count(&longest), 1);
	ck_assert_int_eq(ioctl(uplink.fd[0], TUNSETOFFLOAD, TUN_F_CSUM), 0);
	tagged_tcp_send(4000);
	ck_assert_int_eq(tagged_count(&longest), 3);
	ck_assert_uint_le(longest, HEADER + 1500 + 18);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net_uplink");
	TCase *tcase = tcase_create("uplink");

	if (!possible()) {
		puts("no user and network namespaces or no /dev/net/tun here");
		return 77;
	}
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, open_and_close);
	tcase_add_loop_test(tcase, interface_names, 0, TABLE_SIZE(names));
	tcase_add_test(tcase, impossible_mtu);
	tcase_add_test(tcase, join_a_bridge);
	tcase_add_test(tcase, no_such_bridge);
	tcase_add_test(tcase, not_a_bridge);
	tcase_add_test(tcase, carrier);
	tcase_add_test(tcase, old_packets_are_dropped);
	tcase_add_test(tcase, takes_a_packet);
	tcase_add_test(tcase, tagged_packets_come_segmented_without_tso);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(suite, tcase);
	return check_main(suite);
}
