/* Packets to the guest, from the TAP to an RX ring: see receiver.h. */
#include "backend/net/receiver.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Packets begin on cache lines; the header before them is what read(2) starts with. */
#define LINE      64u
#define PLACE_MAX (LINE + NET_RX_PACKET_MAX)
/* Packets that the guest cannot take cost a read each, too. */
#define READS_MAX 256

int net_receiver_init(struct net_receiver *receiver, struct netif_rx_sring *sring,
		      xengnttab_handle *gnttab, uint16_t domid, int tap,
		      const struct net_features *features, struct net_log *log)
{
	uint32_t produced = __atomic_load_n(&sring->rsp_prod, __ATOMIC_ACQUIRE);

	receiver->gnttab = gnttab;
	receiver->domid = domid;
	receiver->tap = tap;
	receiver->features = *features;
	receiver->posted = produced;
	receiver->log = log;
	BACK_RING_ATTACH(&receiver->ring, sring, produced, XEN_PAGE);
	if (net_log_attach(&log->rx, produced, NET_RX_RING))
		return -EPROTO;
	if (__atomic_load_n(&sring->req_prod, __ATOMIC_ACQUIRE) - produced > NET_RX_RING)
		return -EPROTO;
	return 0;
}

static int posted_look(struct net_receiver *receiver)
{
	uint32_t posted = __atomic_load_n(&receiver->ring.sring->req_prod, __ATOMIC_ACQUIRE);

	/* Not before what was seen already, not further than a ring from what is unanswered. */
	if (posted - receiver->posted > NET_RX_RING ||
	    RING_REQUEST_PROD_OVERFLOW(&receiver->ring, posted))
		return -EPROTO;
	receiver->posted = posted;
	return 0;
}

static uint32_t posted_left(const struct net_receiver *receiver)
{
	return receiver->posted - receiver->ring.req_cons;
}

/*
 * The kernel hands us TCP in a VLAN unsegmented, whatever we take, and netif has no words for it.
 * It segments all of this guest's packets from now on.
 */
static void tso_give_up(struct net_receiver *receiver)
{
	struct net_features features = receiver->features;

	if (receiver->unsegmented)
		return;
	receiver->unsegmented = true;
	features.gso_tcpv4 = features.gso_tcpv6 = false;
	ioctl(receiver->tap, TUNSETOFFLOAD, net_offload_tun(&features));
}

/*
 * Read one packet to @place and plan it.
 * Return: 0; -EAGAIN (the TAP is empty), -ENODEV (it is gone), or another error: this packet
 * cannot go to this guest and is dropped.
 */
static int packet_read(struct net_receiver *receiver, uint32_t place, struct net_rx_plan *plan)
{
	uint8_t *data = receiver->buffer + place;
	struct virtio_net_hdr header;
	ssize_t got;
	int rc;

	do
		got = read(receiver->tap, data - sizeof(header),
			   sizeof(header) + NET_RX_PACKET_MAX);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -EAGAIN : -ENODEV;
	if ((size_t)got < sizeof(header))
		return -EINVAL;
	got -= (ssize_t)sizeof(header);
	memcpy(&header, data - sizeof(header), sizeof(header));
	rc = net_offload_to_guest(data, (size_t)got, &receiver->features, &header);
	if (rc == -EOPNOTSUPP)
		tso_give_up(receiver);
	return rc ? rc : net_rx_plan((size_t)got, &header, &receiver->features, plan);
}

/* The next request: of those that a worker before us took, the copies; what it may have put over
 * them is not theirs. */
static struct netif_rx_request request_take(struct net_receiver *receiver)
{
	struct net_log *log = receiver->log;
	uint32_t index = receiver->ring.req_cons++;
	struct netif_rx_request *copy = &log->rx_copy[index % NET_RX_RING];

	if (log->rx.taken - index - 1 >= NET_RX_RING)
		RING_COPY_REQUEST(&receiver->ring, index, copy);
	return *copy;
}

/* Lay the packet at @place into the next requests, of which there are enough. */
static void packet_fill(struct net_receiver *receiver, uint32_t place,
			const struct net_rx_plan *plan)
{
	struct net_receiver_packet *packet = &receiver->packet[receiver->packets++];
	struct netif_rx_request requests[NET_RX_SLOTS_MAX];
	struct net_rx_part parts[NET_RX_SLOTS_MAX];

	for (unsigned int slot = 0; slot < plan->slots; slot++)
		requests[slot] = request_take(receiver);
	packet->plan = *plan;
	packet->parts = net_rx_fill(plan, requests, &receiver->answer[receiver->answers], parts);
	receiver->answers += plan->slots;
	for (unsigned int i = 0; i < packet->parts; i++) {
		xengnttab_grant_copy_segment_t *segment = &receiver->segment[receiver->segments++];

		segment->source.virt = receiver->buffer + place + parts[i].start;
		segment->dest.foreign.ref = parts[i].gref;
		segment->dest.foreign.offset = 0;
		segment->dest.foreign.domid = receiver->domid;
		segment->len = parts[i].length;
		segment->flags = GNTCOPY_dest_gref;
		segment->status = GNTST_general_error;
	}
}

/*
 * The next packet, the waiting one first, for which there are enough requests.
 * Return: 0; -ENOBUFS (there are not; it waits) or as packet_read.
 */
static int packet_next(struct net_receiver *receiver, uint32_t *place, struct net_rx_plan *plan)
{
	if (receiver->held) {
		*place = receiver->held_at;
		*plan = receiver->held_plan;
	} else if (posted_left(receiver) == 0) {
		return -ENOBUFS;
	} else {
		int rc = packet_read(receiver, *place, plan);

		if (rc)
			return rc;
	}
	receiver->held = plan->slots > posted_left(receiver);
	if (!receiver->held)
		return 0;
	receiver->held_at = *place;
	receiver->held_plan = *plan;
	return -ENOBUFS;
}

/* Return: 0 (the pass is used up), or why there is no next packet: -EAGAIN, -ENOBUFS, -ENODEV. */
static int packets_take(struct net_receiver *receiver)
{
	uint32_t place = LINE;

	receiver->packets = receiver->answers = receiver->segments = 0;
	for (int reads = 0; reads < READS_MAX && place + PLACE_MAX <= NET_RECEIVER_BYTES; reads++) {
		struct net_rx_plan plan;
		int rc = packet_next(receiver, &place, &plan);

		if (rc == -EAGAIN || rc == -ENOBUFS || rc == -ENODEV)
			return rc;
		if (rc)
			continue;
		packet_fill(receiver, place, &plan);
		place += (plan.length + LINE - 1) / LINE * LINE + LINE;
	}
	return 0;
}

/*
 * All segments at once; the answers of a packet with one that failed become errors (XSA-362). A
 * call that fails as a whole leaves the statuses at what packet_fill() wrote.
 */
static void packets_copy(struct net_receiver *receiver)
{
	unsigned int segment = 0, answer = 0;

	xengnttab_grant_copy(receiver->gnttab, receiver->segments, receiver->segment);
	for (unsigned int i = 0; i < receiver->packets; i++) {
		const struct net_receiver_packet *packet = &receiver->packet[i];
		bool bad = false;

		for (unsigned int end = segment + packet->parts; segment < end; segment++)
			bad = bad || receiver->segment[segment].status != GNTST_okay;
		if (bad)
			net_rx_fail(&packet->plan, &receiver->answer[answer]);
		answer += packet->plan.slots;
	}
}

static void packets_answer(struct net_receiver *receiver, bool *notify)
{
	struct netif_rx_back_ring *ring = &receiver->ring;
	struct net_log_head *log = &receiver->log->rx;

	if (ring->req_cons - log->taken <= NET_RX_RING)
		net_log_take(log, ring->req_cons);
	for (unsigned int i = 0; i < receiver->answers; i++)
		memcpy(RING_GET_RESPONSE(ring, ring->rsp_prod_pvt++), &receiver->answer[i],
		       sizeof(receiver->answer[i]));
	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(ring, *notify);
	log->answered = ring->rsp_prod_pvt;
}

/* Ask to be kicked when there are enough requests; there may be by now. */
static int full_arm(struct net_receiver *receiver, enum net_pass *pass)
{
	uint32_t needed = receiver->held ? receiver->held_plan.slots : 1;
	int rc;

	receiver->ring.sring->req_event = receiver->ring.req_cons + needed;
	xen_mb();
	rc = posted_look(receiver);
	*pass = posted_left(receiver) < needed ? NET_PASS_FULL : NET_PASS_MORE;
	return rc;
}

int net_receiver_pass(struct net_receiver *receiver, enum net_pass *pass, bool *notify)
{
	int rc;

	*pass = NET_PASS_IDLE;
	*notify = false;
	rc = posted_look(receiver);
	if (rc)
		return rc;
	rc = packets_take(receiver);
	if (receiver->packets > 0) {
		packets_copy(receiver);
		packets_answer(receiver, notify);
	}
	switch (rc) {
	case 0:
		*pass = NET_PASS_MORE;
		return 0;
	case -EAGAIN:
		return 0;
	case -ENOBUFS:
		return full_arm(receiver, pass);
	default:
		return rc;
	}
}

void net_receiver_forget(struct net_receiver *receiver)
{
	receiver->held = false;
}
