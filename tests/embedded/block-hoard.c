/*
 * A case of block-frontend: all that a guest can make its worker hold. Four rings of sixteen pages;
 * each slot has had a request of 256 segments, then each holds a write of two pages, so that memory
 * for data is used up too. The script lets no write end before it has measured.
 */
#include <stdio.h>
#include <string.h>

#include "tests/embedded/block-cases.h"

#define HOARD_RINGS    4u
#define HOARD_SEGMENTS 256u

/* Reads of 1 MiB into the same pages over and over; the first data page names them. */
static union front_wire large_read(struct front *front)
{
	struct blkif_request_segment *segment = (void *)front->data[0];
	union front_wire wire;

	for (unsigned n = 0; n < HOARD_SEGMENTS; n++)
		segment[n] = (struct blkif_request_segment){
			front->ref[1 + n % (FRONT_DATA_PAGES - 1)], 0, 7};
	memset(&wire, 0, sizeof(wire));
	wire.indirect.operation = BLKIF_OP_INDIRECT;
	wire.indirect.indirect_op = BLKIF_OP_READ;
	wire.indirect.nr_segments = HOARD_SEGMENTS;
	wire.indirect.id = 1;
	wire.indirect.indirect_grefs[0] = front->ref[0];
	return wire;
}

static union front_wire small_write(const struct front *front)
{
	union front_wire wire = front_request(front, BLKIF_OP_WRITE, 0, 1);

	wire.direct.nr_segments = 2;
	wire.direct.seg[1] = (struct blkif_request_segment){front->ref[2], 0, 7};
	return wire;
}

static void fill(struct front *front, const union front_wire *wire)
{
	for (unsigned ring = 0; ring < HOARD_RINGS; ring++) {
		for (unsigned n = 0; n < front->ring[ring].entries; n++)
			front_put(front, ring, wire);
		front_push(front, ring);
	}
}

static bool all_answered(struct front *front)
{
	for (unsigned ring = 0; ring < HOARD_RINGS; ring++)
		for (unsigned n = 0; n < front->ring[ring].entries; n++)
			if (front_answer(front, ring, 60000, NULL) != BLKIF_RSP_OKAY)
				return false;
	return true;
}

bool case_hoard(struct front *front)
{
	const struct front_options options = {.rings = HOARD_RINGS, .order = 4};
	union front_wire wire;

	front_connect(front, &options);
	if (!front_wait(front, CONNECTED))
		return no("the backend did not connect");
	wire = large_read(front);
	fill(front, &wire);
	if (!all_answered(front))
		return no("a read of 256 segments failed");
	wire = small_write(front);
	fill(front, &wire);
	puts("full");
	fflush(stdout);
	return all_answered(front) || no("a write failed");
}
