/*
 * vnet.h - a TAP's struct virtio_net_hdr from and to what netif says of a packet.
 *
 * Pure. The header is that of linux/virtio_net.h, 10 bytes, little endian.
 */
#pragma once

#include <linux/virtio_net.h>

#include "frontend/core/netpacket.h"

/**
 * vnet_read - what the kernel says of a packet it sends.
 * Return: 0, or -EINVAL: a kind of segmentation that was not offered.
 */
int vnet_read(const struct virtio_net_hdr *header, struct netpacket_meta *meta);

/**
 * vnet_write - what the kernel is to know of a packet it receives.
 * @header_length: bytes of the packet that hold its headers, a hint
 */
void vnet_write(const struct netpacket_meta *meta, uint16_t header_length,
		struct virtio_net_hdr *header);
