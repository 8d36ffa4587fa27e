#include "frontend/kernel/net.h"

#include "frontend/core/netfront.h"
#include "frontend/kernel/platform.h"
#include "frontend/kernel/store.h"
#include "frontend/kernel/world.h"

#define FRAME_MAX     1514u
#define TYPE_ARP      0x0806
#define TYPE_IP       0x0800
#define ARP_REQUEST   1
#define ARP_REPLY     2
#define ICMP          1
#define ECHO_REPLY    0
#define ECHO_REQUEST  8
#define PAYLOAD_MAX   1472u
#define ASK_AGAIN_NS  UINT64_C(1000000000)
#define FRAMES_A_LOOK 64u

struct ethernet {
	uint8_t to[6], from[6];
	uint16_t type;
} __attribute__((packed));

struct arp {
	struct ethernet ethernet;
	uint16_t hardware, protocol;
	uint8_t hardware_size, protocol_size;
	uint16_t operation;
	uint8_t from[6];
	uint32_t from_ip;
	uint8_t to[6];
	uint32_t to_ip;
} __attribute__((packed));

struct echo {
	struct ethernet ethernet;
	uint8_t version, service;
	uint16_t size, id, fragment;
	uint8_t life, protocol;
	uint16_t ip_sum;
	uint32_t from_ip, to_ip;
	uint8_t type, code;
	uint16_t sum, identifier, sequence;
	uint8_t payload[PAYLOAD_MAX];
} __attribute__((packed));

#define ECHO_HEADERS 42u
_Static_assert(sizeof(struct echo) == ECHO_HEADERS + PAYLOAD_MAX, "no gaps");

static struct {
	struct netfront *front;
	bool carrier, ended, found;
	uint8_t mac[6], peer_mac[6];
	struct net_addresses address;
	union {
		uint8_t bytes[FRAME_MAX];
		struct ethernet ethernet;
		struct arp arp;
		struct echo echo;
	} in, out;
	size_t length; /* of what came in */
} net;

static uint16_t be16(uint16_t value)
{
	return __builtin_bswap16(value);
}

static uint32_t be32(uint32_t value)
{
	return __builtin_bswap32(value);
}

static void carrier(void *arg, const struct netfeatures *features)
{
	net.carrier = features;
}

/* Who waits looks at the rings. */
static bool event(void *arg)
{
	return true;
}

static void broken(void *arg, const char *reason)
{
	print("net: %s\n", reason);
}

static void ended(void *arg)
{
	net.ended = true;
}

static const struct netfront_events events = {
	.carrier = carrier, .event = event, .broken = broken, .ended = ended};

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As the toolstack writes it: 00:16:3e:00:00:02. */
static int mac_read(const char *path)
{
	char name[64], text[32];

	print_into(name, sizeof(name), "%s/mac", path);
	if (store_get(0, name, text, sizeof(text)) != 17)
		return -ENODEV;
	for (unsigned i = 0; i < 6; i++) {
		int high = digit(text[i * 3]), low = digit(text[i * 3 + 1]);

		if (high < 0 || low < 0)
			return -ENODEV;
		net.mac[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int path_find(char *path, size_t size)
{
	char names[256];
	int length = store_names("device/vif", names, sizeof(names));

	if (length <= 0)
		return -ENODEV;
	print_into(path, size, "device/vif/%s", names);
	return mac_read(path);
}

static int carrier_wait(void)
{
	uint64_t end = world_now() + WORLD_PATIENCE_NS;

	while (!net.carrier) {
		store_watches();
		store_sleep();
		if (net.ended || world_now() > end)
			return -ETIMEDOUT;
	}
	return 0;
}

int net_open(const struct net_addresses *addresses)
{
	struct platform *platform = platform_start();
	char path[64];
	int rc = platform ? path_find(path, sizeof(path)) : -ENODEV;

	net.address = *addresses;
	net.carrier = net.ended = net.found = false;
	if (!rc)
		rc = netfront_create(platform, path, &events, NULL, &net.front);
	if (rc)
		return rc == -ENOENT ? -ENODEV : rc;
	rc = carrier_wait();
	if (rc) {
		netfront_destroy(net.front);
		net.front = NULL;
	}
	return rc;
}

int net_resume(void)
{
	return netfront_resume(net.front);
}

/* With interrupts off, which is the device's lock. */
static int frame_send(size_t length)
{
	const struct netpacket_meta meta = {0};
	bool on = cpu_interrupts_save();
	struct net_chunk chunk[2];
	size_t first;
	int rc = -ENOBUFS;

	netfront_reap(net.front);
	if (netfront_reserve(net.front, chunk)) {
		first = length < chunk[0].length ? length : chunk[0].length;
		memcpy(chunk[0].data, net.out.bytes, first);
		if (first < length)
			memcpy(chunk[1].data, net.out.bytes + first, length - first);
		rc = netfront_send(net.front, &meta, length);
		netfront_flush(net.front);
	}
	cpu_interrupts_restore(on);
	return rc;
}

static void packet_copy(const struct netrx_packet *packet)
{
	net.length = packet->length < FRAME_MAX ? packet->length : FRAME_MAX;
	size_t at = packet->head_length < net.length ? packet->head_length : net.length;

	memcpy(net.in.bytes, packet->head, at);
	for (uint32_t i = 0; i < packet->chunks && at < net.length; i++) {
		size_t size = packet->chunk[i].length;

		size = size < net.length - at ? size : net.length - at;
		memcpy(net.in.bytes + at, packet->chunk[i].data, size);
		at += size;
	}
}

/* The next frame into net.in. Return: was there one? */
static bool frame_receive(void)
{
	static struct netrx_packet packet;
	bool on = cpu_interrupts_save();
	bool came = netfront_receive(net.front, &packet);

	if (came) {
		packet_copy(&packet);
		netfront_post(net.front);
	}
	cpu_interrupts_restore(on);
	return came;
}

static void ethernet_write(const uint8_t *to, uint16_t type)
{
	memcpy(net.out.ethernet.to, to, 6);
	memcpy(net.out.ethernet.from, net.mac, 6);
	net.out.ethernet.type = be16(type);
}

static int arp_send(uint16_t operation, const uint8_t *to)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	memset(&net.out.arp, 0, sizeof(net.out.arp));
	ethernet_write(operation == ARP_REQUEST ? everybody : to, TYPE_ARP);
	net.out.arp.hardware = be16(1);
	net.out.arp.protocol = be16(TYPE_IP);
	net.out.arp.hardware_size = 6;
	net.out.arp.protocol_size = 4;
	net.out.arp.operation = be16(operation);
	memcpy(net.out.arp.from, net.mac, 6);
	net.out.arp.from_ip = be32(net.address.own);
	if (operation == ARP_REPLY)
		memcpy(net.out.arp.to, to, 6);
	net.out.arp.to_ip = be32(net.address.peer);
	return frame_send(sizeof(net.out.arp));
}

/* A neighbour asks for us, or answers. */
static void arp_handle(void)
{
	const struct arp *arp = &net.in.arp;

	if (net.length < sizeof(*arp) || arp->from_ip != be32(net.address.peer) ||
	    arp->to_ip != be32(net.address.own))
		return;
	memcpy(net.peer_mac, arp->from, 6);
	net.found = true;
	if (arp->operation == be16(ARP_REQUEST))
		arp_send(ARP_REPLY, arp->from);
}

/* Frames that came; ARP is dealt with. Return: is an echo reply in net.in? */
static bool echo_look(void)
{
	for (unsigned n = 0; n < FRAMES_A_LOOK && frame_receive(); n++) {
		if (net.in.ethernet.type == be16(TYPE_ARP))
			arp_handle();
		else if (net.length >= ECHO_HEADERS && net.in.ethernet.type == be16(TYPE_IP) &&
			 net.in.echo.version == 0x45 && net.in.echo.protocol == ICMP &&
			 net.in.echo.type == ECHO_REPLY)
			return true;
	}
	return false;
}

int net_find(void)
{
	uint64_t end = world_now() + WORLD_PATIENCE_NS, again = 0;

	while (!net.found && world_now() < end) {
		if (world_now() > again) {
			arp_send(ARP_REQUEST, NULL);
			again = world_now() + ASK_AGAIN_NS;
		}
		echo_look();
		store_watches();
		smp_yield();
	}
	return net.found ? 0 : -ETIMEDOUT;
}

static uint16_t sum(const void *data, size_t length)
{
	return be16(netsum_fold(netsum_add(0, data, length)));
}

static uint8_t payload_byte(uint16_t sequence, size_t i)
{
	return (uint8_t)(i * 7 + sequence);
}

static int echo_check(uint16_t sequence, size_t length)
{
	if (net.length < ECHO_HEADERS + length)
		return -EBADMSG;
	for (size_t i = 0; i < length; i++) {
		if (net.in.echo.payload[i] != payload_byte(sequence, i))
			return -EBADMSG;
	}
	return 0;
}

static void echo_write(uint16_t sequence, size_t length)
{
	struct echo *echo = &net.out.echo;

	memset(echo, 0, ECHO_HEADERS);
	ethernet_write(net.peer_mac, TYPE_IP);
	echo->version = 0x45;
	echo->size = be16((uint16_t)(28 + length));
	echo->life = 64;
	echo->protocol = ICMP;
	echo->from_ip = be32(net.address.own);
	echo->to_ip = be32(net.address.peer);
	echo->ip_sum = sum(&echo->version, 20);
	echo->type = ECHO_REQUEST;
	echo->sequence = be16(sequence);
	for (size_t i = 0; i < length; i++)
		echo->payload[i] = payload_byte(sequence, i);
	echo->sum = sum(&echo->type, 8 + length);
}

int net_ping(uint16_t sequence, size_t length)
{
	uint64_t end = world_now() + WORLD_PATIENCE_NS, again = 0;
	int rc = carrier_wait();

	while (!rc && world_now() < end) {
		if (world_now() > again) {
			echo_write(sequence, length);
			rc = frame_send(ECHO_HEADERS + length);
			again = world_now() + ASK_AGAIN_NS;
		}
		if (echo_look() && net.in.echo.sequence == be16(sequence))
			return echo_check(sequence, length);
		store_watches();
		smp_yield();
	}
	return rc ? rc : -ETIMEDOUT;
}

void net_close(void)
{
	uint64_t end = world_now() + WORLD_PATIENCE_NS;

	netfront_leave(net.front, NULL);
	while (!net.ended && world_now() < end) {
		store_watches();
		store_sleep();
	}
	netfront_destroy(net.front);
	net.front = NULL;
}
