/*
 * A case of block-frontend. Four rings of reads, writes, barriers, discards and flushes, each part
 * of the disk in one request at a time, for ENDURE seconds: every request is answered once and
 * well, and every part reads as it was written last. The script kills the backend's worker
 * meanwhile. Parts are pages, or of ENDURE_PART bytes: with 512, parts of the same page are changed
 * by several rings at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/embedded/block-cases.h"

#define ENDURE_PARTS 2048u
#define ENDURE_NONE  ENDURE_PARTS

struct endure {
	uint64_t id;   /* of the request that has this data page; 0: none */
	uint64_t fill; /* what is there when it is done, or what it has to read */
	unsigned part; /* of the disk; ENDURE_NONE of a flush */
	uint8_t operation;
};

static uint64_t endure_value[ENDURE_PARTS];
static bool endure_busy[ENDURE_PARTS + 1];
static unsigned endure_size = 4096; /* of a part */

static void endure_fill(uint8_t *data, uint64_t value)
{
	for (unsigned n = 0; n < endure_size; n += 8)
		memcpy(data + n, &value, 8);
}

static bool endure_is(const uint8_t *data, uint64_t value)
{
	return !memcmp(data, &value, 8) && !memcmp(data, data + 8, endure_size - 8);
}

/* Half of them reads; what is discarded are whole pages. */
static uint8_t endure_operation(void)
{
	static const uint8_t others[] = {BLKIF_OP_WRITE,           BLKIF_OP_WRITE,
					 BLKIF_OP_WRITE,           BLKIF_OP_WRITE,
					 BLKIF_OP_WRITE,           BLKIF_OP_WRITE_BARRIER,
					 BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_DISCARD};
	uint8_t operation = others[(unsigned)random() % sizeof(others)];

	if (random() % 2 || (operation == BLKIF_OP_DISCARD && endure_size < 4096))
		operation = BLKIF_OP_READ;
	return operation;
}

static void endure_ask(struct front *front, struct endure *slots, unsigned n, uint64_t id)
{
	struct endure *slot = &slots[n];
	union front_wire wire;

	do
		slot->part = (unsigned)random() % ENDURE_PARTS;
	while (endure_busy[slot->part]);
	slot->id = id;
	slot->operation = endure_operation();
	wire = front_request(front, slot->operation, slot->part * (endure_size / 512ull), n);
	wire.direct.seg[0].last_sect = (uint8_t)(endure_size / 512 - 1);
	slot->fill = id;
	if (slot->operation == BLKIF_OP_READ)
		slot->fill = endure_value[slot->part];
	else if (slot->operation == BLKIF_OP_DISCARD)
		slot->fill = 0;
	else if (slot->operation == BLKIF_OP_FLUSH_DISKCACHE)
		slot->part = ENDURE_NONE;
	endure_fill(front->data[n], slot->operation == BLKIF_OP_READ ? UINT64_MAX : id);
	endure_busy[slot->part] = slot->part != ENDURE_NONE;
	wire.direct.id = id;
	if (slot->operation == BLKIF_OP_DISCARD) {
		wire.discard.flag = 0;
		wire.discard.nr_sectors = endure_size / 512;
	} else if (slot->operation == BLKIF_OP_FLUSH_DISKCACHE) {
		wire.direct.nr_segments = 0;
	}
	front_put(front, n % 4, &wire);
}

static const char *endure_answered(struct front *front, struct endure *slots, uint64_t id,
				   int status)
{
	for (unsigned n = 0; n < FRONT_DATA_PAGES; n++) {
		struct endure *slot = &slots[n];

		if (slot->id != id)
			continue;
		if (status != BLKIF_RSP_OKAY)
			return "a request failed";
		if (slot->operation == BLKIF_OP_READ && !endure_is(front->data[n], slot->fill))
			return "it read something else than was written last";
		if (slot->part != ENDURE_NONE)
			endure_value[slot->part] = slot->fill;
		endure_busy[slot->part] = false;
		slot->id = 0;
		return NULL;
	}
	return "a request was answered that was not asked, or twice";
}

bool case_endure(struct front *front)
{
	const struct front_options options = {.rings = 4, .order = 2};
	const char *seconds = getenv("ENDURE"), *part = getenv("ENDURE_PART"), *wrong;
	struct endure slots[FRONT_DATA_PAGES] = {0};
	time_t end = time(NULL) + (seconds ? atoi(seconds) : 10);
	uint64_t next = 1, id;
	unsigned under_way = 0, idle = 0;

	if (part)
		endure_size = (unsigned)atoi(part);
	front_connect(front, &options);
	if (!front_wait(front, CONNECTED))
		return no("the backend did not connect");
	for (;;) {
		unsigned answered = 0;
		int status;

		for (unsigned n = 0; n < FRONT_DATA_PAGES && time(NULL) < end; n++) {
			if (slots[n].id)
				continue;
			endure_ask(front, slots, n, next++);
			under_way++;
			if (n % 3 == 0)
				front_push(front, n % 4);
		}
		for (unsigned ring = 0; ring < 4; ring++)
			front_push(front, ring);
		for (unsigned ring = 0; ring < 4; ring++) {
			while ((status = front_answer(front, ring, 0, &id)) != 1) {
				wrong = endure_answered(front, slots, id, status);
				if (wrong)
					return no(wrong);
				answered++;
			}
		}
		under_way -= answered;
		idle = answered ? 0 : idle + 1;
		if (!under_way && time(NULL) >= end)
			break;
		if (idle > 20000)
			return no("no answer for 20 seconds");
		if (idle)
			usleep(1000);
	}
	printf("%llu requests\n", (unsigned long long)next - 1);
	return true;
}
