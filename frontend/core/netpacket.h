/*
 * netpacket.h - what goes with a packet besides its bytes, in neither side's words.
 *
 * netif has flags and extra slots (netif.h), hosts have their own, such as struct
 * virtio_net_hdr; each translates from and to this.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** The longest packet that a slot's length can tell. */
#define NETPACKET_MAX   65535u
/** The shortest: an Ethernet header. */
#define NETPACKET_MIN   14u
/** So many data slots a packet any backend must take (XEN_NETIF_NR_SLOTS_MIN). */
#define NETPACKET_SLOTS 18u

enum net_gso { NET_GSO_NONE, NET_GSO_TCPV4, NET_GSO_TCPV6 };

struct netpacket_meta {
	bool checksum_blank; /* holds only the pseudo header's sum so far */
	bool validated;      /* whoever sent it vouches for the checksum */
	enum net_gso gso;
	uint16_t gso_size; /* bytes of payload a segment */
	/* Known when checksum_blank: where the sum begins, and where in the packet it belongs. */
	uint16_t checksum_start, checksum_at;
};

/** What both sides can do; absent nodes mean what netif.h says they mean. */
struct netfeatures {
	bool sg;
	bool checksum_v4, checksum_v6;
	bool gso_v4, gso_v6;
};
