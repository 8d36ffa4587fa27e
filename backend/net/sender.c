/* The guest's packets, from a TX ring to the TAP: see sender.h. */
#include "backend/net/sender.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend/net/offload.h"
#include "lib/clock.h"

/* Packets begin on cache lines; the header before them is what write(2) starts with. */
#define LINE      64u
#define PLACE_MAX (LINE + XEN_NETIF_MAX_TX_SIZE)

int net_sender_init(struct net_sender *sender, struct netif_tx_sring *sring,
		    xengnttab_handle *gnttab, uint16_t domid, int tap, struct net_log *log,
		    struct net_rate *rate)
{
	uint32_t produced = __atomic_load_n(&sring->rsp_prod, __ATOMIC_ACQUIRE);

	sender->gnttab = gnttab;
	sender->domid = domid;
	sender->tap = tap;
	sender->log = log;
	sender->rate = rate;
	BACK_RING_ATTACH(&sender->ring, sring, produced, XEN_PAGE);
	if (net_log_attach(&log->tx, produced, NET_TX_RING))
		return -EPROTO;
	sender->pulled = log->tx.taken;
	if (__atomic_load_n(&sring->req_prod, __ATOMIC_ACQUIRE) - produced > NET_TX_RING)
		return -EPROTO;
	return 0;
}

/* Copy the new slots, each once. */
static int slots_pull(struct net_sender *sender)
{
	uint32_t posted = __atomic_load_n(&sender->ring.sring->req_prod, __ATOMIC_ACQUIRE);

	/* Not before what was seen already, not further than a ring from what is unanswered. */
	if (posted - sender->pulled > NET_TX_RING ||
	    RING_REQUEST_PROD_OVERFLOW(&sender->ring, posted))
		return -EPROTO;
	for (; sender->pulled != posted; sender->pulled++)
		RING_COPY_REQUEST(&sender->ring, sender->pulled,
				  &sender->log->tx_copy[sender->pulled % NET_TX_RING]);
	net_log_take(&sender->log->tx, posted);
	return 0;
}

static void segments_add(struct net_sender *sender, const struct net_tx_packet *packet,
			 uint8_t *data)
{
	for (unsigned int i = 0; i < packet->fragments; i++) {
		const struct net_tx_fragment *fragment = &packet->fragment[i];
		xengnttab_grant_copy_segment_t *segment = &sender->segment[sender->segments++];

		segment->source.foreign.ref = fragment->gref;
		segment->source.foreign.offset = fragment->offset;
		segment->source.foreign.domid = sender->domid;
		segment->dest.virt = data;
		segment->len = fragment->length;
		segment->flags = GNTCOPY_source_gref;
		segment->status = GNTST_general_error;
		data += fragment->length;
	}
}

/* Parse packets until the slots, the buffer, the rate or the guest's good behaviour ends. */
static int packets_collect(struct net_sender *sender)
{
	struct net_tx_cursor cursor = {sender->log->tx_copy, sender->ring.req_cons, sender->pulled};
	uint64_t now = sender->rate ? clock_ns() : 0;
	uint32_t place = LINE;
	int rc;

	sender->wait_ns = 0;
	sender->packets = 0;
	sender->segments = 0;
	while (place + PLACE_MAX <= NET_SENDER_BYTES) {
		struct net_tx_packet *packet = &sender->packet[sender->packets];

		if (sender->rate)
			sender->wait_ns = net_rate_wait(sender->rate, now);
		if (sender->wait_ns)
			return 0;

		rc = net_tx_next(&cursor, packet);
		if (rc)
			return rc == -EAGAIN ? 0 : rc;
		sender->ring.req_cons = cursor.next;
		sender->place[sender->packets++] = place;
		if (packet->fault != NET_TX_FINE)
			continue;
		if (sender->rate)
			net_rate_take(sender->rate, packet->length, now);
		segments_add(sender, packet, sender->buffer + place);
		place += (packet->length + LINE - 1) / LINE * LINE + LINE;
	}
	return 0;
}

/*
 * All segments at once; a packet with one that failed is not sent (XSA-362). A call that fails as a
 * whole leaves the statuses at what segments_add() wrote.
 */
static void packets_copy(struct net_sender *sender)
{
	unsigned int segment = 0;

	if (sender->segments == 0)
		return;
	xengnttab_grant_copy(sender->gnttab, sender->segments, sender->segment);
	for (unsigned int i = 0; i < sender->packets; i++) {
		struct net_tx_packet *packet = &sender->packet[i];

		for (unsigned int end = segment + packet->fragments; segment < end; segment++)
			if (sender->segment[segment].status != GNTST_okay)
				packet->fault = NET_TX_COPY;
	}
}

/* Return: 0, also when the TAP did not want it, as a network may lose packets; or -ENODEV. */
static int packet_write(struct net_sender *sender, struct net_tx_packet *packet, uint8_t *data)
{
	struct net_offload offload = {packet->csum_blank, packet->csum_valid, packet->gso_type,
				      packet->gso_size};
	struct virtio_net_hdr header;
	ssize_t written;

	if (net_offload_from_guest(data, packet->length, &offload, &header) != 0) {
		packet->fault = NET_TX_HEADERS;
		return 0;
	}
	memcpy(data - sizeof(header), &header, sizeof(header));
	do
		written =
			write(sender->tap, data - sizeof(header), sizeof(header) + packet->length);
	while (written < 0 && errno == EINTR);
	return written < 0 && (errno == EBADFD || errno == ENODEV) ? -ENODEV : 0;
}

static int packets_write(struct net_sender *sender)
{
	int rc = 0;

	for (unsigned int i = 0; i < sender->packets; i++) {
		struct net_tx_packet *packet = &sender->packet[i];

		if (packet->fault == NET_TX_FINE && rc == 0)
			rc = packet_write(sender, packet, sender->buffer + sender->place[i]);
		if (packet->fault != NET_TX_FINE)
			sender->fault = packet->fault;
	}
	return rc;
}

static void packets_answer(struct net_sender *sender, bool *notify)
{
	struct netif_tx_back_ring *ring = &sender->ring;

	for (unsigned int i = 0; i < sender->packets; i++)
		for (unsigned int slot = 0; slot < sender->packet[i].slots; slot++)
			*RING_GET_RESPONSE(ring, ring->rsp_prod_pvt++) =
				net_tx_response(sender->log->tx_copy, &sender->packet[i], slot);
	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(ring, *notify);
	sender->log->tx.answered = ring->rsp_prod_pvt;
}

int net_sender_pass(struct net_sender *sender, enum net_pass *pass, bool *notify)
{
	int rc, stop, more;

	*pass = NET_PASS_IDLE;
	*notify = false;
	sender->fault = NET_TX_FINE;
	rc = slots_pull(sender);
	if (rc)
		return rc;
	rc = packets_collect(sender);
	packets_copy(sender);
	stop = packets_write(sender);
	if (rc == 0)
		rc = stop;
	if (sender->packets > 0)
		packets_answer(sender, notify);
	if (rc)
		return rc;
	if (sender->ring.req_cons == sender->pulled)
		RING_FINAL_CHECK_FOR_REQUESTS(&sender->ring, more);
	else
		more = 1;
	*pass = more ? NET_PASS_MORE : NET_PASS_IDLE;
	return 0;
}
