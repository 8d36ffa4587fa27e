#include "frontend/core/nethdr.h"

#include <errno.h>

#define ETHERNET_SIZE  14
#define TYPE_IPV4      0x0800
#define TYPE_IPV6      0x86dd
#define TYPE_VLAN      0x8100
#define TYPE_SERVICE   0x88a8
#define PROTOCOL_TCP   6
#define PROTOCOL_UDP   17
#define IPV6_SIZE      40
#define TCP_CHECKSUM   16
#define UDP_CHECKSUM   6
#define IPV6_EXTRA_MAX 4

static uint16_t big16(const uint8_t *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

static int ipv4_parse(const uint8_t *frame, size_t length, struct nethdr *header)
{
	const uint8_t *ip = frame + header->network;
	size_t size;

	if (length < header->network + 20u || ip[0] >> 4 != 4)
		return -EINVAL;
	size = (size_t)(ip[0] & 15) * 4;
	if (size < 20 || (big16(ip + 6) & 0x3fff)) /* a fragment */
		return -EINVAL;
	header->version = 4;
	header->protocol = ip[9];
	header->transport = (uint16_t)(header->network + size);
	return 0;
}

/* Hop-by-hop, routing and destination options may stand before the transport header. */
static int ipv6_parse(const uint8_t *frame, size_t length, struct nethdr *header)
{
	size_t at = header->network + (size_t)IPV6_SIZE;
	uint8_t next;

	if (length < at || frame[header->network] >> 4 != 6)
		return -EINVAL;
	next = frame[header->network + 6];
	for (int i = 0; i < IPV6_EXTRA_MAX && (next == 0 || next == 43 || next == 60); i++) {
		if (length < at + 8)
			return -EINVAL;
		next = frame[at];
		at += ((size_t)frame[at + 1] + 1) * 8;
	}
	header->version = 6;
	header->protocol = next;
	header->transport = (uint16_t)at;
	return 0;
}

int nethdr_parse(const uint8_t *frame, size_t length, struct nethdr *header)
{
	size_t at = ETHERNET_SIZE;
	uint16_t type;
	int rc;

	if (length > NETHDR_SIZE)
		length = NETHDR_SIZE;
	if (length < at)
		return -EINVAL;
	type = big16(frame + 12);
	for (int tags = 0; tags < 2 && (type == TYPE_VLAN || type == TYPE_SERVICE); tags++) {
		if (length < at + 4)
			return -EINVAL;
		type = big16(frame + at + 2);
		at += 4;
	}

	header->tagged = at != ETHERNET_SIZE;
	header->network = (uint16_t)at;
	if (type == TYPE_IPV4)
		rc = ipv4_parse(frame, length, header);
	else if (type == TYPE_IPV6)
		rc = ipv6_parse(frame, length, header);
	else
		rc = -EINVAL;
	if (rc)
		return rc;
	if (header->protocol != PROTOCOL_TCP && header->protocol != PROTOCOL_UDP)
		return -EINVAL;
	header->checksum = header->transport +
			   (header->protocol == PROTOCOL_TCP ? TCP_CHECKSUM : UDP_CHECKSUM);
	return header->checksum + 2u <= length ? 0 : -EINVAL;
}

uint32_t netsum_add(uint32_t sum, const uint8_t *data, size_t length)
{
	uint64_t wide = sum;

	for (; length > 1; length -= 2, data += 2)
		wide += big16(data);
	if (length)
		wide += (uint64_t)data[0] << 8;
	while (wide >> 32)
		wide = (wide & 0xffffffff) + (wide >> 32);
	return (uint32_t)wide;
}

uint16_t netsum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void nethdr_pseudo(uint8_t *frame, const struct nethdr *header, size_t length)
{
	const uint8_t *ip = frame + header->network;
	uint32_t sum = header->protocol + (uint32_t)(length - header->transport);
	uint16_t value;

	if (header->version == 4)
		sum = netsum_add(sum, ip + 12, 8);
	else
		sum = netsum_add(sum, ip + 8, 32);
	value = (uint16_t)~netsum_fold(sum);
	frame[header->checksum] = (uint8_t)(value >> 8);
	frame[header->checksum + 1] = (uint8_t)value;
}
