#include "frontend/core/nettx.h"

#include "frontend/core/nethdr.h"

#define PACKET_PAGES ((NETPACKET_MAX + WIRE_PAGE_SIZE - 1) / WIRE_PAGE_SIZE)

int nettx_make(struct nettx *tx, struct platform *platform, uint16_t domid)
{
	int rc;

	if (!tx->window) {
		rc = limbo_share(platform, domid, NETTX_PAGES, true, &tx->window);
		if (rc)
			return rc;
	}
	rc = limbo_share(platform, domid, 1, false, &tx->area);
	if (rc)
		return rc;
	XEN_FRONT_RING_INIT(&tx->ring, (struct netif_tx_sring *)(void *)tx->area->data,
			    WIRE_PAGE_SIZE);
	return 0;
}

void nettx_drop_ring(struct nettx *tx, struct platform *platform)
{
	limbo_drop(platform, &tx->area);
	memset(&tx->ring, 0, sizeof(tx->ring));
	memset(tx->outstanding, 0, sizeof(tx->outstanding));
	tx->page_prod = tx->page_cons = 0;
	tx->extras = 0;
}

void nettx_drop(struct nettx *tx, struct platform *platform)
{
	nettx_drop_ring(tx, platform);
	limbo_drop(platform, &tx->window);
}

bool nettx_reserve(struct nettx *tx, struct net_chunk chunk[2])
{
	uint32_t first = tx->page_prod % NETTX_PAGES, straight = NETTX_PAGES - first;

	if (tx->page_prod - tx->page_cons + PACKET_PAGES > NETTX_PAGES ||
	    RING_FREE_REQUESTS(&tx->ring) < PACKET_PAGES + 1)
		return false;
	if (straight > PACKET_PAGES)
		straight = PACKET_PAGES;
	chunk[0].data = tx->window->data + (size_t)first * WIRE_PAGE_SIZE;
	chunk[0].length = (size_t)straight * WIRE_PAGE_SIZE;
	chunk[1].data = tx->window->data;
	chunk[1].length = (size_t)(PACKET_PAGES - straight) * WIRE_PAGE_SIZE;
	return true;
}

static uint8_t *packet_page(const struct nettx *tx, uint32_t i)
{
	return tx->window->data + (size_t)((tx->page_prod + i) % NETTX_PAGES) * WIRE_PAGE_SIZE;
}

static uint32_t packet_sum(const struct nettx *tx, size_t from, size_t length)
{
	uint32_t sum = 0;
	bool odd = false;

	while (from < length) {
		size_t at = from % WIRE_PAGE_SIZE, part = WIRE_PAGE_SIZE - at;
		uint32_t part_sum;

		if (part > length - from)
			part = length - from;
		part_sum = netsum_add(0, packet_page(tx, (uint32_t)(from / WIRE_PAGE_SIZE)) + at,
				      part);
		part_sum = (uint16_t)~netsum_fold(part_sum);
		sum += odd ? (uint32_t)(uint16_t)(part_sum << 8 | part_sum >> 8) : part_sum;
		odd ^= part & 1;
		from += part;
	}
	return sum;
}

/* Does the backend find the checksum where it belongs, and does it want to? Linux's does not look
 * behind a VLAN tag. */
static bool checksum_left(const struct nettx *tx, const struct netfeatures *with,
			  const struct netpacket_meta *meta, size_t length)
{
	struct nethdr header;
	size_t at_hand = length < WIRE_PAGE_SIZE ? length : WIRE_PAGE_SIZE;

	if (nethdr_parse(packet_page(tx, 0), at_hand, &header) || header.tagged ||
	    header.transport != meta->checksum_start || header.checksum != meta->checksum_at)
		return false;
	return header.version == 4 ? with->checksum_v4 : with->checksum_v6;
}

static void checksum_fill(const struct nettx *tx, const struct netpacket_meta *meta, size_t length)
{
	uint16_t value;

	if (meta->checksum_at + 2u > length || meta->checksum_start > length)
		return;
	value = netsum_fold(packet_sum(tx, meta->checksum_start, length));
	if (!value)
		value = 0xffff; /* UDP's 0 says that there is none */
	packet_page(tx, meta->checksum_at / WIRE_PAGE_SIZE)[meta->checksum_at % WIRE_PAGE_SIZE] =
		(uint8_t)(value >> 8);
	packet_page(tx, (meta->checksum_at + 1u) /
				WIRE_PAGE_SIZE)[(meta->checksum_at + 1u) % WIRE_PAGE_SIZE] =
		(uint8_t)value;
}

static int packet_check(const struct netfeatures *with, const struct netpacket_meta *meta,
			size_t length)
{
	if (length < NETPACKET_MIN || length > NETPACKET_MAX ||
	    (length > WIRE_PAGE_SIZE && !with->sg))
		return -EMSGSIZE;
	if (meta->gso == NET_GSO_NONE)
		return 0;
	if (!meta->gso_size || !meta->checksum_blank ||
	    !(meta->gso == NET_GSO_TCPV4 ? with->gso_v4 : with->gso_v6))
		return -EOPNOTSUPP;
	return 0;
}

static void gso_put(struct nettx *tx, const struct netpacket_meta *meta)
{
	struct netif_extra_info *extra =
		(void *)RING_GET_REQUEST(&tx->ring, tx->ring.req_prod_pvt++);

	memset(extra, 0, sizeof(struct netif_tx_request));
	extra->type = XEN_NETIF_EXTRA_TYPE_GSO;
	extra->u.gso.size = meta->gso_size;
	extra->u.gso.type = meta->gso == NET_GSO_TCPV4 ? XEN_NETIF_GSO_TYPE_TCPV4
						       : XEN_NETIF_GSO_TYPE_TCPV6;
	tx->extras++;
}

static void slot_put(struct nettx *tx, uint16_t flags, size_t size)
{
	struct netif_tx_request *wire = RING_GET_REQUEST(&tx->ring, tx->ring.req_prod_pvt++);
	uint32_t page = tx->page_prod++ % NETTX_PAGES;

	*wire = (struct netif_tx_request){
		.gref = tx->window->gref[page],
		.flags = flags,
		.id = (uint16_t)page,
		.size = (uint16_t)size,
	};
	tx->outstanding[page] = true;
}

int nettx_send(struct nettx *tx, const struct netfeatures *with, const struct netpacket_meta *meta,
	       size_t length)
{
	bool blank = meta->checksum_blank, gso = meta->gso != NET_GSO_NONE;
	uint16_t flags = 0;
	int rc;

	rc = packet_check(with, meta, length);
	if (rc)
		return rc;
	if (blank && !checksum_left(tx, with, meta, length)) {
		if (gso)
			return -EOPNOTSUPP; /* each segment has a checksum of its own */
		checksum_fill(tx, meta, length);
		blank = false;
	}
	if (blank)
		flags |= NETTXF_csum_blank | NETTXF_data_validated;
	else if (meta->validated)
		flags |= NETTXF_data_validated;
	if (gso)
		flags |= NETTXF_extra_info;

	slot_put(tx, flags | (length > WIRE_PAGE_SIZE ? NETTXF_more_data : 0), length);
	if (gso)
		gso_put(tx, meta);
	for (size_t done = WIRE_PAGE_SIZE; done < length; done += WIRE_PAGE_SIZE) {
		size_t left = length - done;
		bool more = left > WIRE_PAGE_SIZE;

		slot_put(tx, more ? NETTXF_more_data : 0, more ? WIRE_PAGE_SIZE : left);
	}
	return 0;
}

bool nettx_push(struct nettx *tx)
{
	bool notify;

	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&tx->ring, notify);
	return notify;
}

static int response_take(struct nettx *tx)
{
	struct netif_tx_response response;

	RING_COPY_RESPONSE(&tx->ring, tx->ring.rsp_cons, &response);
	if (response.status == NETIF_RSP_NULL) {
		if (!tx->extras)
			return -ENOENT;
		tx->extras--;
	} else {
		if (response.id >= NETTX_PAGES || !tx->outstanding[response.id])
			return -ENOENT;
		tx->outstanding[response.id] = false;
		if (response.status != NETIF_RSP_OKAY)
			tx->errors++;
	}
	tx->ring.rsp_cons++;
	return 0;
}

/* Nothing waits for a response but room, so an event when half of them are there is enough. */
static RING_IDX event_arm(struct nettx *tx)
{
	RING_IDX outstanding = tx->ring.req_prod_pvt - tx->ring.rsp_cons;

	tx->ring.sring->rsp_event = tx->ring.rsp_cons + (outstanding >> 1) + 1;
	xen_mb();
	return __atomic_load_n(&tx->ring.sring->rsp_prod, __ATOMIC_ACQUIRE);
}

int nettx_reap(struct nettx *tx)
{
	RING_IDX produced = __atomic_load_n(&tx->ring.sring->rsp_prod, __ATOMIC_ACQUIRE);
	int taken = 0, rc;

	do {
		if (produced - tx->ring.rsp_cons > tx->ring.req_prod_pvt - tx->ring.rsp_cons)
			return -EOVERFLOW;
		for (; tx->ring.rsp_cons != produced; taken++) {
			rc = response_take(tx);
			if (rc)
				return rc;
		}
		produced = event_arm(tx);
	} while (produced != tx->ring.rsp_cons && taken < (int)(2 * NETTX_PAGES));

	while (tx->page_cons != tx->page_prod && !tx->outstanding[tx->page_cons % NETTX_PAGES])
		tx->page_cons++;
	return taken;
}
