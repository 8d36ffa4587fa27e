/*
 * block-load DEVID WORK BLOCK DEPTH SECONDS - as a guest, load a disk through its ring, and print
 * the operations per second and the bytes per second of it.
 *
 * WORK is randread, randwrite, read or write; BLOCK bytes, a multiple of 4096, are moved by each of
 * DEPTH operations under way. It asks as Linux's blkfront does by default: a ring of one page,
 * indirect requests of up to 32 segments when the backend offers them, else 11 segments a request;
 * it sleeps until the event comes. No NBD, no file system, no block layer: what is measured is the
 * backend and its ring.
 */
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/embedded/block-front.h"

#define PAGE      4096u
#define SEGMENTS  32u /* xen_blkfront.max */
#define DEPTH_MAX 64u

/** One operation: its pages, and how far they are on their way. */
struct operation {
	uint64_t sector;
	unsigned put, answered; /* pages; a request is answered as a whole */
};

struct load {
	struct front front;
	unsigned pages, depth, segments; /* a block's, operations, of a request */
	bool random, write;
	uint64_t blocks, next, seed;
	uint8_t *data, *indirect; /* depth * pages, and a page for each request of them */
	uint32_t *data_ref, *indirect_ref;
	struct operation operation[DEPTH_MAX];
	RING_IDX pushed;
	uint64_t done;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static unsigned long node_number(struct front *front, const char *node)
{
	char path[192], *value;
	unsigned long number;

	snprintf(path, sizeof(path), "%s/%s", front->back, node);
	value = xs_read(front->xs, XBT_NULL, path, NULL);
	number = value ? strtoul(value, NULL, 10) : 0;
	free(value);
	return number;
}

static void *share(struct load *load, unsigned count, uint32_t **refs)
{
	void *pages;

	*refs = calloc(count, sizeof(**refs));
	pages = *refs ? xengntshr_share_pages(load->front.gntshr, load->front.backend, (int)count,
					      *refs, 1)
		      : NULL;
	if (!pages)
		err(1, "%u pages", count);
	memset(pages, 0x5a, (size_t)count * PAGE);
	return pages;
}

static void place(struct load *load, struct operation *operation)
{
	uint64_t block = load->next++ % load->blocks;

	if (load->random) {
		load->seed ^= load->seed << 13;
		load->seed ^= load->seed >> 7;
		load->seed ^= load->seed << 17;
		block = load->seed % load->blocks;
	}
	*operation = (struct operation){.sector = block * load->pages * (PAGE / 512)};
}

/* The next request of the @n-th operation: as many of its pages as one request takes. */
static void request_put(struct load *load, unsigned n)
{
	struct operation *operation = &load->operation[n];
	unsigned count = load->pages - operation->put, first = n * load->pages + operation->put;
	struct blkif_request_segment *segment;
	union front_wire wire;

	if (count > load->segments)
		count = load->segments;
	memset(&wire, 0, sizeof(wire));
	if (count > BLKIF_MAX_SEGMENTS_PER_REQUEST) {
		unsigned page = first / BLKIF_MAX_SEGMENTS_PER_REQUEST;

		wire.indirect.operation = BLKIF_OP_INDIRECT;
		wire.indirect.indirect_op = load->write ? BLKIF_OP_WRITE : BLKIF_OP_READ;
		wire.indirect.nr_segments = (uint16_t)count;
		wire.indirect.indirect_grefs[0] = load->indirect_ref[page];
		segment = (struct blkif_request_segment *)(load->indirect + (size_t)page * PAGE);
	} else {
		wire.direct.operation = load->write ? BLKIF_OP_WRITE : BLKIF_OP_READ;
		wire.direct.nr_segments = (uint8_t)count;
		segment = wire.direct.seg;
	}
	wire.direct.id = (uint64_t)n << 32 | count;
	wire.direct.sector_number = operation->sector + operation->put * (PAGE / 512);
	for (unsigned i = 0; i < count; i++)
		segment[i] = (struct blkif_request_segment){load->data_ref[first + i], 0, 7};
	operation->put += count;
	front_put(&load->front, 0, &wire);
}

static void requests_push(struct load *load)
{
	struct front_ring *ring = &load->front.ring[0];
	blkif_sring_t *shared = ring->pages;
	RING_IDX old = load->pushed;

	if (old == ring->prod)
		return;
	load->pushed = ring->prod;
	__atomic_store_n(&shared->req_prod, ring->prod, __ATOMIC_SEQ_CST);
	if (ring->prod - __atomic_load_n(&shared->req_event, __ATOMIC_SEQ_CST) < ring->prod - old)
		xenevtchn_notify(load->front.evtchn, ring->port);
}

static void fill(struct load *load)
{
	struct front_ring *ring = &load->front.ring[0];

	for (unsigned n = 0; n < load->depth; n++)
		while (load->operation[n].put < load->pages &&
		       ring->prod - ring->cons < ring->entries)
			request_put(load, n);
	requests_push(load);
}

static void answers_take(struct load *load)
{
	uint64_t id;
	int status;

	while ((status = front_answer(&load->front, 0, 0, &id)) <= 0) {
		unsigned n = (unsigned)(id >> 32);

		if (status || n >= load->depth)
			errx(1, "%s: status %d", load->front.path, status);
		load->operation[n].answered += (uint32_t)id;
		if (load->operation[n].answered < load->pages)
			continue;
		load->done++;
		place(load, &load->operation[n]);
	}
}

static void event_wait(struct load *load)
{
	struct front_ring *ring = &load->front.ring[0];
	blkif_sring_t *shared = ring->pages;
	struct pollfd poller = {.fd = xenevtchn_fd(load->front.evtchn), .events = POLLIN};
	xenevtchn_port_or_error_t port;

	__atomic_store_n(&shared->rsp_event, ring->cons + 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&shared->rsp_prod, __ATOMIC_SEQ_CST) != ring->cons)
		return;
	if (poll(&poller, 1, 10000) != 1)
		errx(1, "%s: no answer for ten seconds", load->front.path);
	port = xenevtchn_pending(load->front.evtchn);
	if (port >= 0)
		xenevtchn_unmask(load->front.evtchn, (evtchn_port_t)port);
}

static void run(struct load *load, double seconds)
{
	double start = now(), end;
	uint64_t before;

	for (unsigned n = 0; n < load->depth; n++)
		place(load, &load->operation[n]);
	/* The first quarter of a second warms up. */
	for (end = start + 0.25; now() < end;) {
		fill(load);
		event_wait(load);
		answers_take(load);
	}
	before = load->done;
	start = now();
	for (end = start + seconds; now() < end;) {
		fill(load);
		event_wait(load);
		answers_take(load);
	}
	seconds = now() - start;
	printf("%.1f %.0f\n", (double)(load->done - before) / seconds,
	       (double)(load->done - before) * load->pages * PAGE / seconds);
}

/* Closing with requests on the ring is allowed, but the next load should start with a quiet disk.
 */
static void drain(struct load *load)
{
	struct front_ring *ring = &load->front.ring[0];

	while (ring->cons != ring->prod) {
		event_wait(load);
		answers_take(load);
	}
}

static void hold(char *devid[])
{
	const struct front_options options = {.order = 0};

	for (; *devid; devid++) {
		struct front *front = calloc(1, sizeof(*front));
		union front_wire wire;

		if (!front)
			err(1, "%s", *devid);
		front_open(front, (unsigned)strtoul(*devid, NULL, 10));
		front_connect(front, &options);
		wire = front_request(front, BLKIF_OP_READ, 0, 0);
		if (!front_wait(front, 1u << XenbusStateConnected) || front_do(front, &wire))
			errx(1, "%s: cannot be read", front->path);
	}
	puts("connected");
	fflush(stdout);
	pause();
}

static void options_parse(struct load *load, char *argv[])
{
	unsigned long bytes = strtoul(argv[3], NULL, 10);

	load->random = !strncmp(argv[2], "rand", 4);
	load->write = strstr(argv[2], "write") != NULL;
	load->pages = (unsigned)(bytes / PAGE);
	load->depth = (unsigned)strtoul(argv[4], NULL, 10);
	if (!load->pages || bytes % PAGE || !load->depth || load->depth > DEPTH_MAX)
		errx(2, "BLOCK is a multiple of %u, DEPTH 1 to %u", PAGE, DEPTH_MAX);
	load->seed = (uint64_t)time(NULL) | 1;
}

int main(int argc, char *argv[])
{
	const struct front_options options = {.order = 0};
	struct load *load = calloc(1, sizeof(*load));
	unsigned count;

	if (argc > 2 && !strcmp(argv[1], "hold"))
		hold(&argv[2]);
	if (!load)
		err(1, "block-load");
	if (argc != 6)
		errx(2, "usage: %s DEVID randread|randwrite|read|write BLOCK DEPTH SECONDS",
		     argv[0]);
	options_parse(load, argv);
	front_open(&load->front, (unsigned)strtoul(argv[1], NULL, 10));
	front_connect(&load->front, &options);
	if (!front_wait(&load->front, 1u << XenbusStateConnected))
		errx(1, "%s: the backend does not connect", load->front.path);
	count = load->depth * load->pages;
	load->data = share(load, count, &load->data_ref);
	load->indirect =
		share(load, count / BLKIF_MAX_SEGMENTS_PER_REQUEST + 1, &load->indirect_ref);
	load->blocks = node_number(&load->front, "sectors") / (PAGE / 512) / load->pages;
	load->segments = (unsigned)node_number(&load->front, "feature-max-indirect-segments");
	if (load->segments > SEGMENTS)
		load->segments = SEGMENTS;
	if (load->segments < BLKIF_MAX_SEGMENTS_PER_REQUEST)
		load->segments = BLKIF_MAX_SEGMENTS_PER_REQUEST;
	if (!load->blocks)
		errx(1, "%s: the disk is smaller than a block", load->front.path);
	run(load, strtod(argv[5], NULL));
	drain(load);
	front_close(&load->front);
	front_free(&load->front);
	free(load->data_ref);
	free(load->indirect_ref);
	free(load);
	return 0;
}
