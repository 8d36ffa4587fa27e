#include "tests/embedded/block-front.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void node_write(struct front *front, const char *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void node_write(struct front *front, const char *node, const char *format, ...)
{
	char path[160], value[64];
	va_list args;

	snprintf(path, sizeof(path), "%s/%s", front->path, node);
	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	if (!xs_write(front->xs, XBT_NULL, path, value, (unsigned)strlen(value)))
		err(1, "cannot write %s", path);
}

static void node_remove(struct front *front, const char *node)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", front->path, node);
	xs_rm(front->xs, XBT_NULL, path);
}

static bool front_at(struct front *front, unsigned states)
{
	char path[160], *value;
	unsigned state;

	snprintf(path, sizeof(path), "%s/state", front->back);
	value = xs_read(front->xs, XBT_NULL, path, NULL);
	state = value ? (unsigned)atoi(value) : 0;
	free(value);
	return states & 1u << state;
}

void front_open(struct front *front, unsigned devid)
{
	char path[80], *value;

	memset(front, 0, sizeof(*front));
	front->xs = xs_open(0);
	front->gntshr = xengntshr_open(NULL, 0);
	front->evtchn = xenevtchn_open(NULL, 0);
	if (!front->xs || !front->gntshr || !front->evtchn)
		err(1, "xs_open, xengntshr_open, xenevtchn_open");
	snprintf(front->path, sizeof(front->path), "device/vbd/%u", devid);
	snprintf(path, sizeof(path), "%s/backend", front->path);
	value = xs_read(front->xs, XBT_NULL, path, NULL);
	if (!value)
		err(1, "%s", path);
	snprintf(front->back, sizeof(front->back), "%s", value);
	free(value);
	front->data = xengntshr_share_pages(front->gntshr, front->backend, FRONT_DATA_PAGES,
					    front->ref, 1);
	if (!front->data)
		err(1, "xengntshr_share_pages");
	/*
	 * Somebody was here before us: start over, as a kernel after kexec does, and wait for the
	 * backend to have seen it, also where what comes waits for nothing: our next state may be
	 * the one before it.
	 */
	if (front_at(front, 1u << XenbusStateInitialising | 1u << XenbusStateInitWait))
		return;
	front_state(front, XenbusStateInitialising);
	front_wait(front, 1u << XenbusStateInitWait);
}

void front_free(struct front *front)
{
	front_forget(front);
	xengntshr_unshare(front->gntshr, front->data, FRONT_DATA_PAGES);
	xengntshr_close(front->gntshr);
	xenevtchn_close(front->evtchn);
	xs_close(front->xs);
}

static void ring_make(struct front *front, unsigned n)
{
	const struct front_options *options = &front->options;
	struct front_ring *ring = &front->ring[n];
	unsigned count = 1u << options->order;
	char folder[24] = "", node[48];
	xenevtchn_port_or_error_t port;
	blkif_sring_t *shared;
	uint32_t refs[16];

	ring->pages = xengntshr_share_pages(front->gntshr, front->backend, (int)count, refs, 1);
	port = xenevtchn_bind_unbound_port(front->evtchn, front->backend);
	if (!ring->pages || port < 0)
		err(1, "a ring of %u pages", count);
	memset(ring->pages, 0, count * 4096ul);
	shared = ring->pages;
	shared->req_event = shared->rsp_event = 1;
	ring->port = (evtchn_port_t)port;
	ring->prod = ring->cons = 0;
	ring->entries = 32u << options->order;
	if (n == 0 && options->bad_ref)
		refs[0] = options->bad_ref;
	if (options->rings > 1)
		snprintf(folder, sizeof(folder), "queue-%u/", n);
	for (unsigned page = 0; page < count; page++) {
		if (options->order || options->numbered)
			snprintf(node, sizeof(node), "%sring-ref%u", folder, page);
		else
			snprintf(node, sizeof(node), "%sring-ref", folder);
		node_write(front, node, "%u", refs[page]);
	}
	snprintf(node, sizeof(node), "%sevent-channel", folder);
	node_write(front, node, "%u", n == 0 && options->bad_port ? options->bad_port : ring->port);
}

void front_connect(struct front *front, const struct front_options *options)
{
	const char *protocol = options->abi_32 ? "x86_32-abi" : "x86_64-abi";

	front->options = *options;
	if (!front->options.rings)
		front->options.rings = 1;
	if (!options->at_once && !front_wait(front, 1u << XenbusStateInitWait))
		errx(1, "%s: no InitWait", front->back);
	node_remove(front, "ring-page-order");
	node_remove(front, "num-ring-pages");
	node_remove(front, "ring-ref");
	node_remove(front, "ring-ref0");
	node_remove(front, "multi-queue-num-queues");
	node_remove(front, "protocol");
	if (options->pages_text)
		node_write(front, "num-ring-pages", "%s", options->pages_text);
	if (options->order_text)
		node_write(front, "ring-page-order", "%s", options->order_text);
	else if (options->order && !options->pages_text)
		node_write(front, "ring-page-order", "%u", options->order);
	if (options->queues_text)
		node_write(front, "multi-queue-num-queues", "%s", options->queues_text);
	else if (options->rings > 1)
		node_write(front, "multi-queue-num-queues", "%u", options->rings);
	if (options->protocol)
		protocol = options->protocol;
	if (*protocol)
		node_write(front, "protocol", "%s", protocol);
	for (unsigned n = 0; n < front->options.rings; n++)
		ring_make(front, n);
	front_state(front, options->ready ? options->ready : XenbusStateInitialised);
}

void front_forget(struct front *front)
{
	for (unsigned n = 0; n < front->options.rings; n++) {
		xenevtchn_unbind(front->evtchn, front->ring[n].port);
		xengntshr_unshare(front->gntshr, front->ring[n].pages, 1u << front->options.order);
	}
	front->options.rings = 0;
}

void front_state(struct front *front, enum xenbus_state state)
{
	node_write(front, "state", "%d", state);
}

bool front_wait(struct front *front, unsigned states)
{
	for (int tries = 0; tries < 1000; tries++) {
		if (front_at(front, states))
			return true;
		usleep(10000);
	}
	return false;
}

bool front_close(struct front *front)
{
	bool followed;

	front_state(front, XenbusStateClosing);
	followed = front_wait(front, 1u << XenbusStateClosing | 1u << XenbusStateClosed);
	front_state(front, XenbusStateClosed);
	followed &= front_wait(front, 1u << XenbusStateClosed);
	front_forget(front);
	front_state(front, XenbusStateInitialising);
	return followed && front_wait(front, 1u << XenbusStateInitWait);
}

static uint8_t *slot(struct front *front, unsigned n, RING_IDX index)
{
	struct front_ring *ring = &front->ring[n];

	return (uint8_t *)ring->pages + 64 +
	       (index % ring->entries) * (front->options.abi_32 ? 108ul : 112ul);
}

void front_put(struct front *front, unsigned n, const void *wire)
{
	uint8_t *at = slot(front, n, front->ring[n].prod++);

	if (!front->options.abi_32) {
		memcpy(at, wire, 112);
		return;
	}
	memcpy(at, wire, 4);
	memcpy(at + 4, (const uint8_t *)wire + 8, 104);
}

void front_push(struct front *front, unsigned n)
{
	blkif_sring_t *shared = front->ring[n].pages;

	__atomic_store_n(&shared->req_prod, front->ring[n].prod, __ATOMIC_SEQ_CST);
	xenevtchn_notify(front->evtchn, front->ring[n].port);
}

int front_answer(struct front *front, unsigned n, unsigned ms, uint64_t *id)
{
	struct front_ring *ring = &front->ring[n];
	blkif_sring_t *shared = ring->pages;
	blkif_response_t response;

	for (unsigned waited = 0;; waited++) {
		if (__atomic_load_n(&shared->rsp_prod, __ATOMIC_ACQUIRE) != ring->cons)
			break;
		if (waited == ms)
			return 1;
		usleep(1000);
	}
	memcpy(&response, slot(front, n, ring->cons++), 12);
	if (id)
		*id = response.id;
	return response.status;
}

union front_wire front_request(const struct front *front, uint8_t operation, uint64_t sector,
			       unsigned page)
{
	union front_wire wire;

	memset(&wire, 0, sizeof(wire));
	wire.direct.operation = operation;
	wire.direct.nr_segments = 1;
	wire.direct.id = 1;
	wire.direct.sector_number = sector;
	wire.direct.seg[0] = (struct blkif_request_segment){front->ref[page], 0, 7};
	return wire;
}

int front_do(struct front *front, const union front_wire *wire)
{
	front_put(front, 0, wire);
	front_push(front, 0);
	return front_answer(front, 0, 10000, NULL);
}
