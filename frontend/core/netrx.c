#include "frontend/core/netrx.h"

int netrx_make(struct netrx *rx, struct platform *platform, uint16_t domid)
{
	int rc;

	if (!rx->window) {
		rc = limbo_share(platform, domid, NETRX_SLOTS, false, &rx->window);
		if (rc)
			return rc;
	}
	rc = limbo_share(platform, domid, 1, false, &rx->area);
	if (rc)
		return rc;
	XEN_FRONT_RING_INIT(&rx->ring, (struct netif_rx_sring *)(void *)rx->area->data,
			    WIRE_PAGE_SIZE);
	netrx_post(rx);
	return 0;
}

void netrx_drop_ring(struct netrx *rx, struct platform *platform)
{
	limbo_drop(platform, &rx->area);
	memset(&rx->ring, 0, sizeof(rx->ring));
}

void netrx_drop(struct netrx *rx, struct platform *platform)
{
	netrx_drop_ring(rx, platform);
	limbo_drop(platform, &rx->window);
}

bool netrx_post(struct netrx *rx)
{
	RING_IDX end = rx->ring.rsp_cons + NETRX_SLOTS;
	bool notify;

	while (rx->ring.req_prod_pvt != end) {
		uint32_t slot = rx->ring.req_prod_pvt % NETRX_SLOTS;

		*RING_GET_REQUEST(&rx->ring, rx->ring.req_prod_pvt) = (struct netif_rx_request){
			.id = (uint16_t)slot,
			.gref = rx->window->gref[slot],
		};
		rx->ring.req_prod_pvt++;
	}
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&rx->ring, notify);
	return notify;
}

/* The walk over one packet's slots. */
struct cursor {
	struct netrx *rx;
	RING_IDX at, end;
	struct netrx_packet *packet;
	bool bad; /* to be dropped, once its end is found */
};

/* Take the next slot into @to, 8 bytes. Return: was there one? */
static bool cursor_next(struct cursor *cursor, void *to)
{
	struct netif_rx_response response;

	if (cursor->at == cursor->end)
		return false;
	RING_COPY_RESPONSE(&cursor->rx->ring, cursor->at, &response);
	memcpy(to, &response, sizeof(response));
	cursor->at++;
	return true;
}

static void chunk_add(struct cursor *cursor, const struct netif_rx_response *response)
{
	struct netrx_packet *packet = cursor->packet;
	uint32_t slot = (cursor->at - 1) % NETRX_SLOTS;

	if (response->status < 0 ||
	    (uint32_t)response->offset + response->status > WIRE_PAGE_SIZE ||
	    packet->length + (size_t)response->status > NETRX_LENGTH_MAX) {
		cursor->bad = true;
		return;
	}
	if (!response->status)
		return;
	if (packet->chunks == NETRX_CHUNKS_MAX) {
		cursor->bad = true;
		return;
	}
	packet->chunk[packet->chunks++] = (struct net_chunk){
		.data = cursor->rx->window->data + (size_t)slot * WIRE_PAGE_SIZE + response->offset,
		.length = (size_t)response->status,
	};
	packet->length += (size_t)response->status;
}

static void extra_use(struct cursor *cursor, const struct netif_extra_info *extra)
{
	struct netpacket_meta *meta = &cursor->packet->meta;

	switch (extra->type) {
	case XEN_NETIF_EXTRA_TYPE_GSO:
		if (extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4)
			meta->gso = NET_GSO_TCPV4;
		else if (extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV6)
			meta->gso = NET_GSO_TCPV6;
		else
			cursor->bad = true;
		meta->gso_size = extra->u.gso.size;
		if (!meta->gso_size)
			cursor->bad = true;
		break;
	case XEN_NETIF_EXTRA_TYPE_HASH: /* a hint, of no use to us */
		break;
	default: /* nothing else was asked for */
		cursor->bad = true;
	}
}

/* Return: false when the packet's end has not come yet. */
static bool packet_walk(struct cursor *cursor)
{
	struct netif_rx_response response;
	struct netif_extra_info extra;
	bool more_extra;

	if (!cursor_next(cursor, &response))
		return false;
	cursor->packet->meta.checksum_blank = response.flags & NETRXF_csum_blank;
	cursor->packet->meta.validated = response.flags & NETRXF_data_validated;
	if (response.flags & NETRXF_gso_prefix)
		cursor->bad = true;
	chunk_add(cursor, &response);

	more_extra = response.flags & NETRXF_extra_info;
	while (more_extra) {
		if (!cursor_next(cursor, &extra))
			return false;
		extra_use(cursor, &extra);
		more_extra = extra.flags & XEN_NETIF_EXTRA_FLAG_MORE;
	}
	while (response.flags & NETRXF_more_data) {
		if (!cursor_next(cursor, &response))
			return false;
		chunk_add(cursor, &response);
	}
	return true;
}

static void head_copy(struct netrx_packet *packet)
{
	uint32_t used = 0;

	while (used < packet->chunks && packet->head_length < sizeof(packet->head)) {
		struct net_chunk *chunk = &packet->chunk[used];
		size_t part = sizeof(packet->head) - packet->head_length;

		if (part > chunk->length)
			part = chunk->length;
		memcpy(packet->head + packet->head_length, chunk->data, part);
		packet->head_length += part;
		chunk->data += part;
		chunk->length -= part;
		if (!chunk->length)
			used++;
	}
	for (uint32_t i = used; i < packet->chunks; i++)
		packet->chunk[i - used] = packet->chunk[i];
	packet->chunks -= used;
}

/* Segments need a checksum to be filled in each; some backends forget to say that it is blank. */
static bool checksum_locate(struct netrx_packet *packet)
{
	struct netpacket_meta *meta = &packet->meta;
	bool gso = meta->gso != NET_GSO_NONE;
	struct nethdr header;

	if (!meta->checksum_blank && !gso)
		return true;
	if (nethdr_parse(packet->head, packet->head_length, &header))
		return false;
	if (gso && (header.protocol != 6 || header.version != (meta->gso == NET_GSO_TCPV4 ? 4 : 6)))
		return false;
	if (!meta->checksum_blank)
		nethdr_pseudo(packet->head, &header, packet->length);
	meta->checksum_blank = true;
	meta->checksum_start = header.transport;
	meta->checksum_at = header.checksum;
	return true;
}

static bool packet_finish(struct cursor *cursor)
{
	if (cursor->bad || cursor->packet->length < NETPACKET_MIN)
		return false;
	head_copy(cursor->packet);
	return checksum_locate(cursor->packet);
}

static void packet_clear(struct netrx_packet *packet)
{
	packet->meta = (struct netpacket_meta){0};
	packet->length = packet->head_length = 0;
	packet->chunks = 0;
}

/* An event once there is more than was seen: a packet may be there in part. */
static bool more_came(struct netrx *rx, RING_IDX seen)
{
	rx->ring.sring->rsp_event = seen + 1;
	xen_mb();
	return __atomic_load_n(&rx->ring.sring->rsp_prod, __ATOMIC_ACQUIRE) != seen;
}

int netrx_take(struct netrx *rx, struct netrx_packet *packet)
{
	struct netif_rx_front_ring *ring = &rx->ring;

	/* A slot is looked at once more at most for each that came meanwhile. */
	for (uint32_t tries = 0; tries <= NETRX_SLOTS; tries++) {
		struct cursor cursor = {.rx = rx, .at = ring->rsp_cons, .packet = packet};

		cursor.end = __atomic_load_n(&ring->sring->rsp_prod, __ATOMIC_ACQUIRE);
		if (cursor.end - ring->rsp_cons > ring->req_prod_pvt - ring->rsp_cons)
			return -EOVERFLOW;
		packet_clear(packet);
		if (!packet_walk(&cursor)) {
			if (cursor.end - ring->rsp_cons == NETRX_SLOTS)
				return -EPROTO;
			if (more_came(rx, cursor.end))
				continue;
			return 0;
		}
		ring->rsp_cons = cursor.at;
		if (packet_finish(&cursor))
			return 1;
		rx->dropped++;
	}
	return -EPROTO;
}
