#include "frontend/process/vnet.h"

#include <endian.h>
#include <errno.h>

int vnet_read(const struct virtio_net_hdr *header, struct netpacket_meta *meta)
{
	uint16_t start = le16toh(header->csum_start), offset = le16toh(header->csum_offset);

	*meta = (struct netpacket_meta){
		.checksum_blank = header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.validated = header->flags & VIRTIO_NET_HDR_F_DATA_VALID,
		.gso_size = le16toh(header->gso_size),
	};
	if (meta->checksum_blank) {
		if (start + offset > UINT16_MAX)
			return -EINVAL;
		meta->checksum_start = start;
		meta->checksum_at = (uint16_t)(start + offset);
	}
	switch (header->gso_type) {
	case VIRTIO_NET_HDR_GSO_NONE:
		meta->gso_size = 0;
		return 0;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		meta->gso = NET_GSO_TCPV4;
		return 0;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		meta->gso = NET_GSO_TCPV6;
		return 0;
	default:
		return -EINVAL;
	}
}

void vnet_write(const struct netpacket_meta *meta, uint16_t header_length,
		struct virtio_net_hdr *header)
{
	static const uint8_t types[] = {
		[NET_GSO_NONE] = VIRTIO_NET_HDR_GSO_NONE,
		[NET_GSO_TCPV4] = VIRTIO_NET_HDR_GSO_TCPV4,
		[NET_GSO_TCPV6] = VIRTIO_NET_HDR_GSO_TCPV6,
	};

	*header = (struct virtio_net_hdr){.gso_type = types[meta->gso]};
	if (meta->checksum_blank) {
		header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		header->csum_start = htole16(meta->checksum_start);
		header->csum_offset = htole16((uint16_t)(meta->checksum_at - meta->checksum_start));
	} else if (meta->validated) {
		header->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	if (meta->gso != NET_GSO_NONE) {
		header->gso_size = htole16(meta->gso_size);
		header->hdr_len = htole16(header_length);
	}
}
