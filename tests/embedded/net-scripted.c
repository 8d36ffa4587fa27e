/*
 * net-scripted MODE - a guest's network driver that does what MODE says with real rings, grants and
 * channels, and nothing else:
 *
 *   queues     two queues with split channels; four packets out on each, then wait
 *   index      a req_prod that no ring can hold
 *   rx-index   the same in the RX ring
 *   cut        a packet whose last slot promises more
 *   garbage    rings full of random bytes, again and again
 *
 * Prints what it came to on its console and waits to be destroyed.
 */
#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "backend/net/wire.h"

#define QUEUES 2
#define RING   256u

struct queue {
	struct netif_tx_sring *tx;
	struct netif_rx_sring *rx;
	uint8_t *page; /* of a packet */
	uint32_t tx_ref, rx_ref, page_ref;
	evtchn_port_t tx_port, rx_port;
};

static struct xs_handle *xs;
static xengntshr_handle *gntshr;
static xenevtchn_handle *evtchn;
static struct queue queues[QUEUES];

static void node_write(const char *in, const char *name, uint32_t value)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), "device/vif/0/%s%s", in, name);
	snprintf(text, sizeof(text), "%u", value);
	if (!xs_write(xs, XBT_NULL, path, text, (unsigned int)strlen(text)))
		err(1, "%s", path);
}

static void *page_share(uint32_t *ref)
{
	void *page = xengntshr_share_pages(gntshr, 0, 1, ref, 1);

	if (!page)
		err(1, "share a page");
	memset(page, 0, XEN_PAGE);
	return page;
}

static evtchn_port_t port_make(void)
{
	xenevtchn_port_or_error_t port = xenevtchn_bind_unbound_port(evtchn, 0);

	if (port < 0)
		err(1, "make an event channel");
	return (evtchn_port_t)port;
}

static void queue_make(struct queue *queue, const char *in)
{
	queue->tx = page_share(&queue->tx_ref);
	queue->rx = page_share(&queue->rx_ref);
	queue->page = page_share(&queue->page_ref);
	SHARED_RING_INIT(queue->tx);
	SHARED_RING_INIT(queue->rx);
	queue->tx_port = port_make();
	queue->rx_port = port_make();
	node_write(in, "tx-ring-ref", queue->tx_ref);
	node_write(in, "rx-ring-ref", queue->rx_ref);
	node_write(in, "event-channel-tx", queue->tx_port);
	node_write(in, "event-channel-rx", queue->rx_port);
}

static void backend_wait(char state)
{
	unsigned int length;
	char path[160];
	char *back = xs_read(xs, XBT_NULL, "device/vif/0/backend", &length);

	if (!back)
		err(1, "no vif");
	snprintf(path, sizeof(path), "%s/state", back);
	free(back);
	for (int i = 0; i < 400; i++) {
		char *value = xs_read(xs, XBT_NULL, path, &length);
		bool there = value && value[0] == state;

		free(value);
		if (there)
			return;
		usleep(25000);
	}
	errx(1, "the backend did not come to state %c", state);
}

static void connect_to_backend(unsigned int count)
{
	char in[16] = "";

	backend_wait('2');
	for (unsigned int i = 0; i < count; i++) {
		if (count > 1)
			snprintf(in, sizeof(in), "queue-%u/", i);
		queue_make(&queues[i], in);
	}
	if (count > 1)
		node_write("", "multi-queue-num-queues", count);
	node_write("", "request-rx-copy", 1);
	node_write("", "feature-rx-notify", 1);
	node_write("", "feature-sg", 1);
	node_write("", "state", 4);
	backend_wait('4');
}

static void packet_send(struct queue *queue, uint32_t index, uint16_t flags)
{
	memset(queue->page, 0xff, 6);
	memcpy(queue->page + 6, "\x00\x16\x3e\x00\x00\x09\x88\xb5", 8);
	queue->tx->ring[index % RING].req = (struct netif_tx_request){
		.gref = queue->page_ref, .flags = flags, .id = (uint16_t)index, .size = 60};
	queue->tx->req_prod = index + 1;
}

static void send_on_each(void)
{
	for (int i = 0; i < QUEUES; i++) {
		struct queue *queue = &queues[i];

		for (uint32_t packet = 0; packet < 4; packet++)
			packet_send(queue, packet, 0);
		xenevtchn_notify(evtchn, queue->tx_port);
		for (int tries = 0; tries < 200 && queue->tx->rsp_prod != 4; tries++)
			usleep(10000);
		printf("queue %d: %u answers\n", i, queue->tx->rsp_prod);
	}
}

static void kick(void)
{
	xenevtchn_notify(evtchn, queues[0].tx_port);
	xenevtchn_notify(evtchn, queues[0].rx_port);
}

/* Keep the indices possible half of the time, so that slots are looked at. */
static void garbage_write(void)
{
	struct queue *queue = &queues[0];
	uint8_t *bytes = (uint8_t *)queue->tx->ring;

	for (int round = 0; round < 2000; round++) {
		for (uint32_t i = 0; i < RING * sizeof(queue->tx->ring[0]); i++)
			bytes[i] = (uint8_t)random();
		for (uint32_t i = 0; i < RING; i++)
			if (random() % 2)
				queue->tx->ring[i].req.gref = queue->page_ref;
		queue->tx->req_prod = queue->tx->rsp_prod + (uint32_t)random() % RING;
		kick();
		usleep(100);
	}
	queue->tx->req_prod = (uint32_t)random();
	queue->rx->req_prod = 0x80000000u + (uint32_t)random() % 1000;
	kick();
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	xs = xs_open(0);
	gntshr = xengntshr_open(NULL, 0);
	evtchn = xenevtchn_open(NULL, 0);
	if (!xs || !gntshr || !evtchn)
		err(1, "open store, grants, events");
	connect_to_backend(strcmp(mode, "queues") == 0 ? QUEUES : 1);
	printf("connected\n");
	if (strcmp(mode, "queues") == 0)
		send_on_each();
	else if (strcmp(mode, "index") == 0)
		queues[0].tx->req_prod = 1000;
	else if (strcmp(mode, "rx-index") == 0)
		queues[0].rx->req_prod = 1000;
	else if (strcmp(mode, "cut") == 0)
		packet_send(&queues[0], 0, NETTXF_more_data);
	else if (strcmp(mode, "garbage") == 0)
		garbage_write();
	else
		errx(2, "unknown mode \"%s\"", mode);
	kick();
	printf("done\n");
	for (;;)
		pause();
}
