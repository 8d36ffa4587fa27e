/*
 * offload.h - checksums and segmentation between netif's flags and a virtio_net_hdr.
 *
 * Netif says only "the checksum is blank" and "TCP over IPv4, so many bytes a segment"; the TAP
 * wants to know where the headers lie. So the headers are parsed here, in our own linear copy of
 * the packet, never beyond its end. Blank means what Linux means: the field holds the sum of the
 * pseudo header.
 *
 * Pure: no I/O, no allocation, no globals. Flags: xen/io/netif.h, linux/virtio_net.h.
 */
#pragma once

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the frontend takes in packets to it. */
struct net_features {
	bool sg;        /* a packet in more than one slot */
	bool gso_tcpv4; /* extras that ask it to segment */
	bool gso_tcpv6;
	bool csum_ipv4; /* blank TCP and UDP checksums */
	bool csum_ipv6;
};

/** What the frontend said of a packet from it. */
struct net_offload {
	bool csum_blank;
	bool csum_valid;   /* data_validated */
	uint8_t gso_type;  /* XEN_NETIF_GSO_TYPE_* */
	uint16_t gso_size; /* bytes; not 0 when there is a gso_type */
};

/**
 * net_offload_from_guest - describe a packet from the guest to the TAP.
 * @packet:  @length bytes from the Ethernet header on; the checksum field of a packet to be
 *           segmented is set to the pseudo header's sum where the frontend forgot to leave it blank
 * @header:  filled on success
 *
 * Return: 0, or -EINVAL when what is asked for cannot be done: the headers are cut short, are not
 * TCP or UDP over IPv4 or IPv6 (under at most two VLAN tags), belong to a fragment, or are not
 * of the kind that shall be segmented.
 */
int net_offload_from_guest(uint8_t *packet, size_t length, const struct net_offload *offload,
			   struct virtio_net_hdr *header);

/**
 * net_offload_to_guest - make a packet from the TAP one that the frontend can take.
 * @packet: @length bytes; its checksum is completed where the frontend would not do it
 * @header: from the TAP; NEEDS_CSUM is left only on what netif can say (a plain TCP or UDP
 *          checksum that the frontend takes), and on everything to be segmented
 *
 * Return: 0;
 *   -EINVAL      the header points outside the packet
 *   -EOPNOTSUPP  it is to be segmented in a way that the frontend does not take
 */
int net_offload_to_guest(uint8_t *packet, size_t length, const struct net_features *features,
			 struct virtio_net_hdr *header);

/**
 * net_offload_tun - the TUN_F_* flags of TUNSETOFFLOAD with which the kernel sends us packets
 * that the frontend can take, and does the rest itself.
 */
unsigned int net_offload_tun(const struct net_features *features);
