/*
 * A case of block-frontend. Four rings of reads and writes, each page of the disk in one request at
 * a time, for ENDURE seconds: every request is answered once and well, and every page reads as it
 * was written last. The script kills the backend's worker meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/embedded/block-cases.h"

#define ENDURE_PAGES 2048u

struct endure {
	uint64_t id;   /* of the request that has this data page; 0: none */
	uint64_t fill; /* what it writes, or what it has to read */
	unsigned page; /* of the disk */
	bool write;
};

static uint64_t endure_value[ENDURE_PAGES];
static bool endure_busy[ENDURE_PAGES];

static void endure_fill(uint8_t *data, uint64_t value)
{
	for (unsigned n = 0; n < 4096; n += 8)
		memcpy(data + n, &value, 8);
}

static bool endure_is(const uint8_t *data, uint64_t value)
{
	return !memcmp(data, &value, 8) && !memcmp(data, data + 8, 4088);
}

static void endure_ask(struct front *front, struct endure *slots, unsigned n, uint64_t id)
{
	struct endure *slot = &slots[n];
	union front_wire wire;

	do
		slot->page = (unsigned)random() % ENDURE_PAGES;
	while (endure_busy[slot->page]);
	slot->id = id;
	slot->write = random() % 2;
	slot->fill = slot->write ? id : endure_value[slot->page];
	endure_busy[slot->page] = true;
	endure_fill(front->data[n], slot->write ? id : UINT64_MAX);
	wire = front_request(front, slot->write ? BLKIF_OP_WRITE : BLKIF_OP_READ, slot->page * 8ull,
			     n);
	wire.direct.id = id;
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
		if (!slot->write && !endure_is(front->data[n], slot->fill))
			return "it read something else than was written last";
		if (slot->write)
			endure_value[slot->page] = slot->fill;
		endure_busy[slot->page] = false;
		slot->id = 0;
		return NULL;
	}
	return "a request was answered that was not asked, or twice";
}

bool case_endure(struct front *front)
{
	const struct front_options options = {.rings = 4, .order = 2};
	const char *seconds = getenv("ENDURE"), *wrong;
	struct endure slots[FRONT_DATA_PAGES] = {0};
	time_t end = time(NULL) + (seconds ? atoi(seconds) : 10);
	uint64_t next = 1, id;
	unsigned under_way = 0, idle = 0;

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
