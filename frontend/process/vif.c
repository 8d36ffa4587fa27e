#include "frontend/process/vif.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "frontend/core/netfront.h"
#include "frontend/process/link.h"
#include "frontend/process/tap.h"
#include "frontend/process/vnet.h"
#include "lib/xs.h"

/** So many packets between two pushes, and between two looks at other events. */
#define SEND_BATCH     64
#define RECEIVE_BATCH  64
#define RECEIVE_TURN   1024
#define MTU_MAX        65517u
#define MTU_WITHOUT_SG 1500u

struct vif {
	struct host *host;
	unsigned number;
	char name[IFNAMSIZ];
	struct netfeatures features; /* what the kernel leaves to the backend */
	uint32_t mtu;                /* what the toolstack asked for, 0 if nothing */
	int tap;
	struct event *readable; /* the kernel has packets for the backend */
	struct event *again;    /* to be done soon: more to receive, or to leave */
	struct netfront *front;
	const char *broken;
	void (*ended)(void *arg);
	void *arg;
	uint64_t unsent, unreceived; /* packets that one side did not take */
	struct netrx_packet packet;
};

/* The kernel hands us TCP in a VLAN unsegmented although netif has no words for it: from the first
 * such packet on it segments all. */
static void segmenting_stop(struct vif *vif)
{
	if (!vif->features.gso_v4 && !vif->features.gso_v6)
		return;
	vif->features.gso_v4 = vif->features.gso_v6 = false;
	tap_offer(vif->tap, &vif->features);
}

/* Return: true if a packet was taken from the TAP, false if there is none. */
static bool packet_send(struct vif *vif, struct net_chunk chunk[2])
{
	struct netpacket_meta meta;
	struct virtio_net_hdr header;
	struct iovec part[] = {
		{&header, sizeof(header)},
		{chunk[0].data, chunk[0].length},
		{chunk[1].data, chunk[1].length},
	};
	ssize_t n = readv(vif->tap, part, 3);
	int rc = -EINVAL;

	if (n < 0)
		return false;
	if ((size_t)n >= sizeof(header) && !vnet_read(&header, &meta))
		rc = netfront_send(vif->front, &meta, (size_t)n - sizeof(header));
	if (rc == -EOPNOTSUPP)
		segmenting_stop(vif);
	if (rc)
		vif->unsent++;
	return true;
}

static void tap_readable(evutil_socket_t fd, short what, void *arg)
{
	struct vif *vif = arg;
	struct net_chunk chunk[2];
	bool room = false;

	for (int i = 0; i < SEND_BATCH; i++) {
		room = netfront_reserve(vif->front, chunk);
		if (!room && netfront_reap(vif->front))
			room = netfront_reserve(vif->front, chunk);
		if (!room || !packet_send(vif, chunk))
			break;
	}
	netfront_flush(vif->front);
	if (!room)
		event_del(vif->readable); /* until the backend made room */
}

static void packet_deliver(struct vif *vif)
{
	struct netrx_packet *packet = &vif->packet;
	struct iovec part[2 + NETRX_CHUNKS_MAX];
	struct virtio_net_hdr header;
	int parts = 2;

	vnet_write(&packet->meta, (uint16_t)packet->head_length, &header);
	part[0] = (struct iovec){&header, sizeof(header)};
	part[1] = (struct iovec){packet->head, packet->head_length};
	for (uint32_t i = 0; i < packet->chunks; i++)
		part[parts++] = (struct iovec){packet->chunk[i].data, packet->chunk[i].length};
	if (writev(vif->tap, part, parts) < 0)
		vif->unreceived++;
}

static bool packets_receive(struct vif *vif)
{
	unsigned packets = 0;

	while (packets < RECEIVE_TURN && netfront_receive(vif->front, &vif->packet)) {
		packet_deliver(vif);
		if (++packets % RECEIVE_BATCH == 0)
			netfront_post(vif->front);
	}
	netfront_post(vif->front);
	if (packets == RECEIVE_TURN)
		event_active(vif->again, EV_TIMEOUT, 0);
	return packets > 0;
}

static bool front_event(void *arg)
{
	struct vif *vif = arg;
	struct net_chunk chunk[2];
	bool useful = packets_receive(vif);

	useful |= netfront_reap(vif->front);
	if (netfront_reserve(vif->front, chunk))
		event_add(vif->readable, NULL);
	return useful;
}

static void link_limit(struct vif *vif, const struct netfeatures *features)
{
	uint32_t mtu = vif->mtu;
	int rc;

	if (!features->sg && mtu > MTU_WITHOUT_SG)
		mtu = MTU_WITHOUT_SG;
	rc = mtu ? link_up(vif->name, NULL, mtu) : 0;
	if (rc)
		log_warn("vif %u: MTU %" PRIu32 ": %s; the device's own stays", vif->number, mtu,
			 strerror(-rc));
}

static void front_carrier(void *arg, const struct netfeatures *features)
{
	struct vif *vif = arg;

	if (features) {
		vif->features = *features;
		if (tap_offer(vif->tap, features))
			log_warn("vif %u: %s cannot leave checksums to the backend", vif->number,
				 vif->name);
		link_limit(vif, features);
		event_add(vif->readable, NULL);
	} else {
		event_del(vif->readable);
	}
	tap_carrier(vif->tap, features);
	log_info("vif %u: %s is %s", vif->number, vif->name,
		 features ? "connected" : "not connected");
}

static void front_broken(void *arg, const char *reason)
{
	struct vif *vif = arg;

	vif->broken = reason;
	event_active(vif->again, EV_TIMEOUT, 0);
}

static void front_ended(void *arg)
{
	struct vif *vif = arg;

	vif->ended(vif->arg);
}

static const struct netfront_events front_events = {
	.carrier = front_carrier,
	.event = front_event,
	.broken = front_broken,
	.ended = front_ended,
};

static void vif_again(evutil_socket_t fd, short what, void *arg)
{
	struct vif *vif = arg;

	if (vif->broken)
		netfront_leave(vif->front, vif->broken);
	else
		packets_receive(vif);
}

static void address_set(const struct vif *vif, const struct options *options)
{
	const char *address = vif->number < OPTIONS_CARDS ? options->address[vif->number] : NULL;
	int rc;

	if (address) {
		rc = link_address(vif->name, address);
		if (rc)
			log_error("vif %u: cannot give %s the address %s: %s", vif->number,
				  vif->name, address, strerror(-rc));
	}
	if (options->gateway && address) {
		rc = link_gateway(options->gateway);
		if (rc && rc != -EEXIST)
			log_error("vif %u: cannot route by way of gw=%s: %s; is it in the network "
				  "of %s?",
				  vif->number, options->gateway, strerror(-rc), address);
	}
}

static int tap_make(struct vif *vif)
{
	vif->tap = tap_open(vif->name);
	if (vif->tap == -EEXIST)
		log_error("vif %u: %s exists in this network namespace; start the guest in one "
			  "of its own (unshare --net)",
			  vif->number, vif->name);
	else if (vif->tap < 0)
		log_error("vif %u: cannot make the TAP device %s: %s; it takes /dev/net/tun and "
			  "CAP_NET_ADMIN",
			  vif->number, vif->name, strerror(-vif->tap));
	return vif->tap < 0 ? vif->tap : 0;
}

static int link_make(struct vif *vif, const struct options *options)
{
	struct xs_handle *xs = vif->host->xs;
	char *mac = xs_read_string(xs, XBT_NULL, "device/vif/%u/mac", vif->number);
	uint64_t mtu = 0;
	int rc;

	if (!xs_read_number(xs, XBT_NULL, MTU_MAX, &mtu, "device/vif/%u/mtu", vif->number))
		vif->mtu = (uint32_t)mtu;
	rc = link_up(vif->name, mac, 0);
	if (rc)
		log_error("vif %u: cannot set up %s with the address %s: %s; is its node mac one?",
			  vif->number, vif->name, mac ? mac : "(none)", strerror(-rc));
	else
		address_set(vif, options);
	free(mac);
	return rc;
}

static int events_make(struct vif *vif)
{
	vif->readable =
		event_new(vif->host->base, vif->tap, EV_READ | EV_PERSIST, tap_readable, vif);
	vif->again = evtimer_new(vif->host->base, vif_again, vif);
	return vif->readable && vif->again ? 0 : -ENOMEM;
}

static int front_make(struct vif *vif)
{
	char path[32];
	int rc;

	snprintf(path, sizeof(path), "device/vif/%u", vif->number);
	rc = netfront_create(&vif->host->platform, path, &front_events, vif, &vif->front);
	if (rc)
		log_error("vif %u: cannot begin: %s; are backend and backend-id in %s?",
			  vif->number, strerror(-rc), path);
	return rc;
}

int vif_open(struct host *host, unsigned number, const struct options *options,
	     void (*ended)(void *arg), void *arg, struct vif **opened)
{
	struct vif *vif = calloc(1, sizeof(*vif));
	int rc;

	if (!vif)
		return -ENOMEM;
	vif->host = host;
	vif->number = number;
	vif->ended = ended;
	vif->arg = arg;
	snprintf(vif->name, sizeof(vif->name), "eth%u", number);
	rc = tap_make(vif);
	if (!rc)
		rc = link_make(vif, options);
	if (!rc)
		rc = events_make(vif);
	if (!rc)
		rc = front_make(vif);
	if (rc)
		vif_close(vif);
	else
		*opened = vif;
	return rc;
}

void vif_leave(struct vif *vif)
{
	netfront_leave(vif->front, NULL);
}

void vif_close(struct vif *vif)
{
	if (vif->front) {
		struct netfront_counters counters = netfront_counters(vif->front);

		log_debug("vif %u: dropped %" PRIu64 " to send, %" PRIu64 " received; refused by "
			  "the kernel %" PRIu64 ", by the backend %" PRIu64,
			  vif->number, vif->unsent, counters.received_bad, vif->unreceived,
			  counters.sent_refused);
		netfront_destroy(vif->front);
	}
	if (vif->readable)
		event_free(vif->readable);
	if (vif->again)
		event_free(vif->again);
	if (vif->tap >= 0)
		close(vif->tap);
	free(vif);
}
