/* Cases of block-frontend: what only a hostile frontend does. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/embedded/block-cases.h"

/* Each of them is refused, and the frontend may come again. */
static bool all_refused(struct front *front, const struct front_options *bad, size_t count)
{
	const struct front_options good = {.order = 0};

	for (size_t n = 0; n < count; n++) {
		front_connect(front, &bad[n]);
		if (!front_wait(front, CLOSED))
			return no("the backend did not close");
		if (!front_close(front))
			return no("the backend did not return to InitWait");
	}
	return connected(front, &good, 1);
}

bool case_bad_nodes(struct front *front)
{
	static const struct front_options bad[] = {
		{.bad_ref = 123456},
		{.bad_ref = UINT32_MAX},
		{.bad_port = 4000},
		{.bad_port = UINT32_MAX},
	};

	return all_refused(front, bad, sizeof(bad) / sizeof(bad[0]));
}

/* Rings that nobody offered, or that are not there, or of a layout that nobody knows. */
bool case_bad_rings(struct front *front)
{
	static const struct front_options bad[] = {
		{.order_text = "5"},
		{.order_text = "-1"},
		{.order_text = "x"},
		{.pages_text = "0"},
		{.pages_text = "3"},
		{.pages_text = "32"},
		{.order = 1, .order_text = "2"}, /* says four pages, and names two */
		{.queues_text = "0"},
		{.queues_text = "5"},
		{.queues_text = "2"}, /* says two rings, and names one, not in its folder */
		{.protocol = "sparc-abi"},
	};

	return all_refused(front, bad, sizeof(bad) / sizeof(bad[0]));
}

bool case_bad_requests(struct front *front)
{
	const struct front_options options = {.order = 0};
	union front_wire wire;

	if (!connected(front, &options, 1))
		return false;
	wire = front_request(front, BLKIF_OP_WRITE, 0, 0);
	wire.direct.seg[0].gref = 99999;
	if (front_do(front, &wire) != BLKIF_RSP_ERROR)
		return no("a bad grant was taken for writing");
	wire.direct.operation = BLKIF_OP_READ;
	if (front_do(front, &wire) != BLKIF_RSP_ERROR)
		return no("a bad grant was taken for reading");
	wire = front_request(front, BLKIF_OP_READ, 0, 0);
	wire.direct.seg[0].last_sect = 8;
	if (front_do(front, &wire) != BLKIF_RSP_ERROR)
		return no("a segment left its page");
	wire = front_request(front, BLKIF_OP_READ, UINT64_MAX, 0);
	if (front_do(front, &wire) != BLKIF_RSP_ERROR)
		return no("it read beyond the end");
	wire = front_request(front, BLKIF_OP_READ, 0, 0);
	wire.direct.nr_segments = 255;
	if (front_do(front, &wire) != BLKIF_RSP_ERROR)
		return no("255 segments were taken");
	wire = front_request(front, 77, 0, 0);
	if (front_do(front, &wire) != BLKIF_RSP_EOPNOTSUPP)
		return no("operation 77 was taken");
	return alive(front, 2);
}

/* The ring is stopped; the process and its other devices are not: the script looks at that. */
bool case_overflow(struct front *front)
{
	const struct front_options options = {.order = 0};
	struct front_ring *ring = &front->ring[0];

	if (!connected(front, &options, 1))
		return false;
	ring->prod += 1000;
	front_push(front, 0);
	if (front_answer(front, 0, 500, NULL) != 1)
		return no("1000 requests in a ring of 32 were answered");
	ring->prod -= 1000;
	front_push(front, 0);
	if (front_answer(front, 0, 500, NULL) != 1)
		return no("a stopped ring went on");
	if (!front_close(front))
		return no("the backend did not follow to InitWait");
	return connected(front, &options, 2);
}

/* XSA-332: kicks without end; the script looks at a neighbour meanwhile. */
bool case_storm(struct front *front)
{
	const struct front_options options = {.order = 0};

	if (!connected(front, &options, 1))
		return false;
	for (unsigned n = 0; n < 200000; n++)
		xenevtchn_notify(front->evtchn, front->ring[0].port);
	return alive(front, 2);
}

/* XSA-349: state writes without end. */
bool case_state_storm(struct front *front)
{
	const struct front_options options = {.order = 0};

	if (!connected(front, &options, 1))
		return false;
	for (unsigned n = 0; n < 3000; n++)
		front_state(front, XenbusStateConnected);
	return alive(front, 2);
}

/* Any bytes in any slots, indices that run ahead or back, kicks; then it closes and comes again.
 * The script looks at a neighbour meanwhile. */
static void garbage_put(struct front *front)
{
	struct front_ring *ring = &front->ring[0];
	blkif_sring_t *shared = ring->pages;

	for (unsigned n = (unsigned)random() % 8; n; n--) {
		union front_wire wire =
			front_request(front, (uint8_t)random() % 8, (uint64_t)random() % 65536, 0);
		uint8_t *bytes = (uint8_t *)&wire;

		for (unsigned spoilt = (unsigned)random() % 6; spoilt; spoilt--)
			bytes[(unsigned)random() % sizeof(wire)] = (uint8_t)random();
		front_put(front, 0, &wire);
	}
	if (random() % 200 == 0)
		ring->prod += (unsigned)random();
	if (random() % 50 == 0)
		shared->rsp_prod = (unsigned)random();
	front_push(front, 0);
}

bool case_garbage(struct front *front)
{
	const struct front_options options = {.order = 0};

	srandom((unsigned)getpid());
	for (unsigned life = 0; life < 10; life++) {
		front_connect(front, &options);
		if (!front_wait(front, CONNECTED))
			return no("the backend did not connect");
		for (unsigned n = 0; n < 300; n++) {
			garbage_put(front);
			if (n % 10 == 0)
				usleep(1000);
		}
		if (!front_close(front))
			return no("the backend did not follow to InitWait");
	}
	return connected(front, &options, 1);
}

/* XSA-350, XSA-331: ten thousand states in any order, with rings and without, and kicks of ports
 * that are just being closed. */
bool case_states(struct front *front)
{
	const struct front_options at_once = {.at_once = true};
	const struct front_options options = {.order = 0};

	srandom(1);
	for (unsigned n = 0; n < 10000; n++) {
		if (random() % 16) {
			front_state(front, (enum xenbus_state)(random() % 9));
			continue;
		}
		front_forget(front);
		front_connect(front, &at_once);
		xenevtchn_notify(front->evtchn, front->ring[0].port);
	}
	front_state(front, XenbusStateClosing);
	front_state(front, XenbusStateClosed);
	if (!front_wait(front, CLOSED))
		return no("the backend did not close");
	front_forget(front);
	front_state(front, XenbusStateInitialising);
	return connected(front, &options, 1);
}
