/*
 * nethdr.h - just enough of Ethernet, IP, TCP and UDP to say where a checksum is.
 *
 * netif says "the checksum is blank" and leaves it to each side to find it; the stacks at both
 * ends (struct virtio_net_hdr) want to be told. Pure; works on private copies of headers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** So many bytes at the start of a packet hold all headers that nethdr_parse goes through. */
#define NETHDR_SIZE 256u

struct nethdr {
	bool tagged;        /* in a VLAN */
	uint8_t version;    /* 4 or 6 */
	uint8_t protocol;   /* 6 (TCP) or 17 (UDP) */
	uint16_t network;   /* offset of the IP header in the frame */
	uint16_t transport; /* offset of the TCP or UDP header */
	uint16_t checksum;  /* offset of its checksum */
};

/**
 * nethdr_parse - find the transport header of a frame.
 * @frame:  an Ethernet frame, with up to two VLAN tags
 * @length: bytes of it that are at hand; more than NETHDR_SIZE are not looked at
 *
 * Return: 0 or -EINVAL: not TCP or UDP over IPv4 or IPv6, a fragment, or cut short.
 */
int nethdr_parse(const uint8_t *frame, size_t length, struct nethdr *header);

/**
 * nethdr_pseudo - put the checksum of the pseudo header into the checksum field, as a blank
 * checksum has it.
 * @frame:  @header is in it
 * @length: of the whole packet, bytes
 */
void nethdr_pseudo(uint8_t *frame, const struct nethdr *header, size_t length);

/** netsum_add - add bytes to a sum; those before it were an even number. */
uint32_t netsum_add(uint32_t sum, const uint8_t *data, size_t length);

/** netsum_fold - the checksum as it goes onto the wire, high byte first. */
uint16_t netsum_fold(uint32_t sum);
