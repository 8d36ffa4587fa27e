/* A guest in the same process: see net_guest.h. */
#include "tests/unit/net_guest.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"

#define DOMID  5
#define RING   256u
#define HEADER sizeof(struct virtio_net_hdr)

/* The seams below have no argument to find the guest by. */
static struct guest *the_guest;
static unsigned int clock_ahead_ms;

/* In place of libc's, so that a minute of stall takes no minute. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	long rc = syscall(SYS_clock_gettime, clock, now);

	now->tv_nsec += (long)(clock_ahead_ms % 1000) * 1000000;
	now->tv_sec += clock_ahead_ms / 1000 + now->tv_nsec / 1000000000;
	now->tv_nsec %= 1000000000;
	return (int)rc;
}

/* In place of libc's: a socket takes no offloads. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list args;

	ck_assert_uint_eq(request, TUNSETOFFLOAD);
	va_start(args, request);
	the_guest->offload = va_arg(args, unsigned int);
	the_guest->offload_calls++;
	va_end(args);
	return 0;
}

static uint8_t *page_of(uint32_t ref)
{
	if (ref == GUEST_TX_REF)
		return the_guest->tx_page;
	if (ref == GUEST_RX_REF)
		return the_guest->rx_page;
	if (ref >= GUEST_REF(0) && ref < GUEST_REF(GUEST_PAGES))
		return the_guest->page[ref - GUEST_REF(0)];
	return NULL;
}

void *xengnttab_map_grant_ref(xengnttab_handle *gnttab, uint32_t domid, uint32_t ref, int access)
{
	if (the_guest->fail_map > 0 && --the_guest->fail_map == 0) {
		errno = ENOMEM;
		return NULL;
	}
	ck_assert_uint_eq(domid, DOMID);
	the_guest->mapped++;
	return page_of(ref);
}

int xengnttab_unmap(xengnttab_handle *gnttab, void *start, uint32_t count)
{
	the_guest->mapped -= (int)count;
	return 0;
}

static int16_t segment_copy(const xengnttab_grant_copy_segment_t *segment)
{
	bool from = segment->flags == GNTCOPY_source_gref;
	uint32_t ref = from ? segment->source.foreign.ref : segment->dest.foreign.ref;
	uint16_t offset = from ? segment->source.foreign.offset : segment->dest.foreign.offset;
	uint8_t *page = page_of(ref);

	if (!page)
		return GNTST_bad_gntref;
	/* gntdev would fail the whole call. */
	ck_assert_uint_le(offset + segment->len, XEN_PAGE);
	if (from)
		memcpy(segment->dest.virt, page + offset, segment->len);
	else
		memcpy(page + offset, segment->source.virt, segment->len);
	return GNTST_okay;
}

int xengnttab_grant_copy(xengnttab_handle *gnttab, uint32_t count,
			 xengnttab_grant_copy_segment_t *segments)
{
	the_guest->copies++;
	if (the_guest->during_copy)
		the_guest->during_copy(the_guest);
	if (the_guest->fail_copy) {
		errno = EINVAL;
		return -1;
	}
	for (uint32_t i = 0; i < count; i++)
		segments[i].status = segment_copy(&segments[i]);
	return 0;
}

int events_bind(struct events *events, uint16_t domid, evtchn_port_t remote, events_handler handler,
		void *arg, evtchn_port_t *local)
{
	if (the_guest->fail_bind > 0 && --the_guest->fail_bind == 0)
		return -EINVAL;
	ck_assert_uint_lt(remote, 64);
	the_guest->port[remote].handler = handler;
	the_guest->port[remote].arg = arg;
	the_guest->bound++;
	*local = remote;
	return 0;
}

void events_unbind(struct events *events, evtchn_port_t local)
{
	the_guest->port[local].handler = NULL;
	the_guest->bound--;
}

int events_notify(struct events *events, evtchn_port_t local)
{
	the_guest->notified[local]++;
	return 0;
}

int worker_fail(struct worker_device *dev, int rc, const char *format, ...)
{
	return rc;
}

void worker_error(struct worker_device *dev, int rc, const char *format, ...)
{
	the_guest->errors++;
}

static void config_init(struct guest *guest, int tap)
{
	guest->config = (struct net_queue_config){
		.log = &guest->log,
		.tx_ref = GUEST_TX_REF,
		.rx_ref = GUEST_RX_REF,
		.tx_port = GUEST_TX_PORT,
		.rx_port = GUEST_RX_PORT,
		.rx_notify = true,
		.features = {true, true, true, true, true},
		.tap = tap,
	};
}

struct guest *guest_make(void)
{
	const uint32_t start = GUEST_START;
	struct guest *guest = aligned_alloc(4096, (sizeof(*guest) + 4095) / 4096 * 4096);
	int room = 4 << 20;
	int pair[2];

	memset(guest, 0, sizeof(*guest));
	the_guest = guest;
	guest->tx = (struct netif_tx_sring *)guest->tx_page;
	guest->rx = (struct netif_rx_sring *)guest->rx_page;
	SHARED_RING_INIT(guest->tx);
	SHARED_RING_INIT(guest->rx);
	guest->tx->req_prod = guest->tx->rsp_prod = guest->tx_next = start;
	guest->rx->req_prod = guest->rx->rsp_prod = guest->rx_next = start;
	guest->tx->rsp_event = guest->rx->rsp_event = start + 1;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	guest->network = pair[0];
	config_init(guest, pair[1]);
	guest->worker.base = event_base_new();
	guest->worker.domid = DOMID;
	guest->dev.worker = &guest->worker;
	strcpy(guest->dev.name, "vif 5/0");
	for (uint32_t page = 0; page < GUEST_PAGES; page++)
		memset(guest->page[page], (int)(page % 251), XEN_PAGE);
	return guest;
}

void guest_free(struct guest *guest)
{
	net_queue_close(guest->queue);
	ck_assert_int_eq(guest->mapped, 0);
	ck_assert_int_eq(guest->bound, 0);
	event_base_free(guest->worker.base);
	close(guest->network);
	close(guest->config.tap);
	free(guest);
}

void guest_settle(struct guest *guest)
{
	for (int i = 0; i < 100; i++)
		event_base_loop(guest->worker.base, EVLOOP_NONBLOCK);
}

void guest_wait(struct guest *guest, unsigned int ms)
{
	clock_ahead_ms += ms;
	guest_settle(guest);
}

int guest_open(struct guest *guest)
{
	int rc = net_queue_open(&guest->queue, &guest->dev, &guest->config);

	if (rc == 0)
		guest_kick(guest, guest->config.tx_port);
	return rc;
}

void guest_kick(struct guest *guest, uint32_t port)
{
	ck_assert_ptr_nonnull(guest->port[port].handler);
	guest->port[port].handler(guest->port[port].arg);
	guest_settle(guest);
}

struct netif_tx_request *guest_send(struct guest *guest, uint32_t page, uint16_t offset,
				    uint16_t size, uint16_t flags)
{
	struct netif_tx_request *request = &guest->tx->ring[guest->tx_next % 256].req;

	*request = (struct netif_tx_request){.gref = GUEST_REF(page),
					     .offset = offset,
					     .flags = flags,
					     .id = (uint16_t)(guest->tx_next % 256 + 1000),
					     .size = size};
	guest->tx_next++;
	return request;
}

void guest_push(struct guest *guest)
{
	guest->tx->req_prod = guest->tx_next;
	guest_kick(guest, guest->config.tx_port);
}

void guest_post(struct guest *guest, unsigned int count, uint32_t page)
{
	for (unsigned int i = 0; i < count; i++, guest->rx_next++) {
		struct netif_rx_request *request = &guest->rx->ring[guest->rx_next % 256].req;

		request->id = (uint16_t)(guest->rx_next % 256 + 2000);
		request->gref = GUEST_REF(page + i);
	}
	guest->rx->req_prod = guest->rx_next;
}

struct netif_tx_response guest_tx_response(struct guest *guest, uint32_t index)
{
	return guest->tx->ring[index % 256].rsp;
}

struct netif_rx_response guest_rx_response(struct guest *guest, uint32_t index)
{
	return guest->rx->ring[index % 256].rsp;
}

ssize_t network_read(struct guest *guest, uint8_t *data, size_t size)
{
	struct virtio_net_hdr header;
	uint8_t raw[70000];
	ssize_t got = read(guest->network, raw, sizeof(raw));

	if (got < (ssize_t)HEADER)
		return -1;
	memcpy(&header, raw, sizeof(header));
	memcpy(data, raw + HEADER, (size_t)got - HEADER < size ? (size_t)got - HEADER : size);
	return got - (ssize_t)HEADER;
}

void network_write(struct guest *guest, const struct virtio_net_hdr *header, uint8_t fill,
		   size_t length)
{
	static const struct virtio_net_hdr no_header;
	uint8_t raw[70000];

	memcpy(raw, header ? header : &no_header, HEADER);
	memset(raw + HEADER, fill, length);
	ck_assert_int_eq(write(guest->network, raw, HEADER + length), (ssize_t)(HEADER + length));
}

void network_write_tagged_gso(struct guest *guest, size_t length, uint16_t tag)
{
	struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
					.hdr_len = (uint16_t)(tag + 54),
					.gso_size = 1448,
					.csum_start = (uint16_t)(tag + 34),
					.csum_offset = 16};
	uint8_t raw[70000] = {0};

	memcpy(raw, &header, HEADER);
	raw[HEADER + 12] = 0x81;
	raw[HEADER + tag + 12] = 8;
	raw[HEADER + tag + 14] = 0x45;
	raw[HEADER + tag + 14 + 9] = 6;
	ck_assert_int_eq(write(guest->network, raw, HEADER + length), (ssize_t)(HEADER + length));
}

void network_write_gso(struct guest *guest, size_t length)
{
	network_write_tagged_gso(guest, length, 0);
}

uint32_t answered_tx(struct guest *guest)
{
	return guest->tx->rsp_prod - GUEST_START;
}

uint32_t answered_rx(struct guest *guest)
{
	return guest->rx->rsp_prod - GUEST_START;
}

const struct guest_lie guest_lies[GUEST_LIES] = {
	{"more than a ring", RING + 1, RING + 1},
	{"half of all indices", 0x80000000u, 0x80000000u},
	{"backwards", 4, 3},
	{"far backwards", 4, (uint32_t)-100},
};
