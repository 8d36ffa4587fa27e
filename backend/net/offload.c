/* Checksums and segmentation between netif's flags and a virtio_net_hdr: see offload.h. */
#include "backend/net/offload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "backend/net/wire.h"

#define VLAN_TAGS_MAX    2
#define VLAN_TAG_SIZE    4
#define IPV6_HEADER_SIZE 40
#define TCP_DATA_OFFSET  12 /* bytes into the TCP header */
#define TCP_FLAGS        13

/* A TCP or UDP packet, as far as offloads need to know it; offsets in bytes into the packet. */
struct headers {
	bool tagged;
	bool ipv6;
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	size_t l3, l4;
	size_t checksum; /* of the field */
};

static uint16_t load16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static int ethernet_parse(const uint8_t *packet, size_t length, struct headers *h)
{
	size_t at = offsetof(struct ether_header, ether_type);
	uint16_t type;

	if (length < sizeof(struct ether_header))
		return -EINVAL;
	type = load16(packet + at);
	for (int tag = 0; tag < VLAN_TAGS_MAX && (type == ETHERTYPE_VLAN || type == 0x88a8);
	     tag++) {
		at += VLAN_TAG_SIZE;
		if (length < at + 2)
			return -EINVAL;
		type = load16(packet + at);
		h->tagged = true;
	}
	h->l3 = at + 2;
	h->ipv6 = type == ETHERTYPE_IPV6;
	return type == ETHERTYPE_IP || type == ETHERTYPE_IPV6 ? 0 : -EINVAL;
}

static int ipv4_parse(const uint8_t *packet, size_t length, struct headers *h)
{
	const uint8_t *ip = packet + h->l3;
	size_t size;

	if (length - h->l3 < sizeof(struct iphdr) || ip[0] >> 4 != 4)
		return -EINVAL;
	size = (ip[0] & 0xfu) * 4u;
	if (size < sizeof(struct iphdr) || length - h->l3 < size)
		return -EINVAL;
	if (load16(ip + offsetof(struct iphdr, frag_off)) & (IP_MF | IP_OFFMASK))
		return -EINVAL;
	h->protocol = ip[offsetof(struct iphdr, protocol)];
	h->l4 = h->l3 + size;
	return 0;
}

/* The size of an extension header that may stand before TCP; 0 when it is none. */
static size_t extension_size(uint8_t type, const uint8_t *header)
{
	switch (type) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return (header[1] + 1u) * 8u;
	case IPPROTO_AH:
		return (header[1] + 2u) * 4u;
	default:
		return 0;
	}
}

static int ipv6_parse(const uint8_t *packet, size_t length, struct headers *h)
{
	const uint8_t *ip = packet + h->l3;

	if (length - h->l3 < IPV6_HEADER_SIZE || ip[0] >> 4 != 6)
		return -EINVAL;
	h->protocol = ip[offsetof(struct ip6_hdr, ip6_nxt)];
	h->l4 = h->l3 + IPV6_HEADER_SIZE;
	while (h->protocol != IPPROTO_TCP && h->protocol != IPPROTO_UDP) {
		size_t size;

		if (length - h->l4 < 8)
			return -EINVAL;
		size = extension_size(h->protocol, packet + h->l4);
		if (size == 0 || length - h->l4 < size)
			return -EINVAL;
		h->protocol = packet[h->l4];
		h->l4 += size;
	}
	return 0;
}

static int transport_parse(size_t length, struct headers *h)
{
	switch (h->protocol) {
	case IPPROTO_TCP:
		h->checksum = h->l4 + offsetof(struct tcphdr, check);
		return length - h->l4 < sizeof(struct tcphdr) ? -EINVAL : 0;
	case IPPROTO_UDP:
		h->checksum = h->l4 + offsetof(struct udphdr, check);
		return length - h->l4 < sizeof(struct udphdr) ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static int headers_parse(const uint8_t *packet, size_t length, struct headers *h)
{
	int rc;

	memset(h, 0, sizeof(*h));
	rc = ethernet_parse(packet, length, h);
	if (rc == 0)
		rc = h->ipv6 ? ipv6_parse(packet, length, h) : ipv4_parse(packet, length, h);
	if (rc == 0)
		rc = transport_parse(length, h);
	return rc;
}

/* The Internet checksum's sum (RFC 1071), not folded; @length may be odd only in the last call. */
static uint64_t sum_add(uint64_t sum, const uint8_t *data, size_t length)
{
	uint32_t word;

	for (; length >= sizeof(word); data += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		sum += word;
	}
	word = 0;
	memcpy(&word, data, length);
	return sum + word;
}

static uint16_t sum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* RFC 9293 3.1, RFC 8200 8.1: addresses, length, protocol. */
static uint16_t pseudo_sum(const uint8_t *packet, size_t length, const struct headers *h)
{
	size_t addresses = h->ipv6 ? offsetof(struct ip6_hdr, ip6_src)
				   : offsetof(struct iphdr, saddr);
	size_t size = h->ipv6 ? 32 : 8;
	uint64_t sum = sum_add(0, packet + h->l3 + addresses, size);

	sum += htonl((uint32_t)(length - h->l4));
	sum += htons(h->protocol);
	return sum_fold(sum);
}

static int gso_from_guest(uint8_t *packet, size_t length, const struct headers *h,
			  const struct net_offload *offload, struct virtio_net_hdr *header)
{
	const uint8_t *tcp = packet + h->l4;
	size_t size;

	if (h->protocol != IPPROTO_TCP ||
	    h->ipv6 != (offload->gso_type == XEN_NETIF_GSO_TYPE_TCPV6))
		return -EINVAL;
	size = (tcp[TCP_DATA_OFFSET] >> 4) * 4u;
	if (size < sizeof(struct tcphdr) || size > length - h->l4)
		return -EINVAL;
	if (!offload->csum_blank) {
		uint16_t sum = pseudo_sum(packet, length, h);

		memcpy(packet + h->checksum, &sum, sizeof(sum));
	}
	header->gso_type = h->ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	if (tcp[TCP_FLAGS] & 0x80) /* CWR: to be left in the first segment alone */
		header->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	header->gso_size = offload->gso_size;
	header->hdr_len = (uint16_t)(h->l4 + size);
	return 0;
}

int net_offload_from_guest(uint8_t *packet, size_t length, const struct net_offload *offload,
			   struct virtio_net_hdr *header)
{
	struct headers h;
	int rc;

	memset(header, 0, sizeof(*header));
	if (!offload->csum_blank && !offload->gso_type) {
		if (offload->csum_valid)
			header->flags = VIRTIO_NET_HDR_F_DATA_VALID;
		return 0;
	}
	rc = headers_parse(packet, length, &h);
	if (rc)
		return rc;
	if (offload->gso_type) {
		rc = gso_from_guest(packet, length, &h, offload, header);
		if (rc)
			return rc;
	}
	header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header->csum_start = (uint16_t)h.l4;
	header->csum_offset = (uint16_t)(h.checksum - h.l4);
	return 0;
}

/* As skb_checksum_help() of Linux: 0 is sent as its other form, since UDP reads 0 as "none". */
static void checksum_complete(uint8_t *packet, size_t length, struct virtio_net_hdr *header)
{
	uint16_t sum =
		sum_fold(sum_add(0, packet + header->csum_start, length - header->csum_start));

	sum = (uint16_t)~sum;
	if (sum == 0)
		sum = 0xffff;
	memcpy(packet + header->csum_start + header->csum_offset, &sum, sizeof(sum));
	header->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	header->csum_start = 0;
	header->csum_offset = 0;
}

/* Frontends look for the headers where plain IP has them: no tag, no tunnel. */
static bool netif_can_say(const struct headers *h, const struct virtio_net_hdr *header)
{
	return !h->tagged && header->csum_start == h->l4 &&
	       header->csum_start + (size_t)header->csum_offset == h->checksum;
}

static bool gso_taken(const struct headers *h, const struct net_features *features,
		      const struct virtio_net_hdr *header)
{
	if (header->gso_size == 0 || h->protocol != IPPROTO_TCP)
		return false;
	if (header->gso_type == VIRTIO_NET_HDR_GSO_TCPV4)
		return features->gso_tcpv4 && !h->ipv6;
	if (header->gso_type == VIRTIO_NET_HDR_GSO_TCPV6)
		return features->gso_tcpv6 && h->ipv6;
	return false;
}

int net_offload_to_guest(uint8_t *packet, size_t length, const struct net_features *features,
			 struct virtio_net_hdr *header)
{
	bool blank = header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	bool plain = false;
	struct headers h;

	if (blank && (size_t)header->csum_start + header->csum_offset + 2 > length)
		return -EINVAL;
	if (blank)
		plain = headers_parse(packet, length, &h) == 0 && netif_can_say(&h, header);
	if (header->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return plain && gso_taken(&h, features, header) ? 0 : -EOPNOTSUPP;
	if (blank && (!plain || !(h.ipv6 ? features->csum_ipv6 : features->csum_ipv4)))
		checksum_complete(packet, length, header);
	return 0;
}

unsigned int net_offload_tun(const struct net_features *features)
{
	unsigned int tun = 0;

	if (!features->csum_ipv4 && !features->csum_ipv6)
		return 0;
	tun |= TUN_F_CSUM;
	if (features->sg && features->csum_ipv4 && features->gso_tcpv4)
		tun |= TUN_F_TSO4;
	if (features->sg && features->csum_ipv6 && features->gso_tcpv6)
		tun |= TUN_F_TSO6;
	return tun;
}
