/* An in-flight log that a worker left, which its guest had taken over: refused, or good to go on
 * with. */
#include "backend/block/inflight.h"
#include "tests/fuzz/fuzz.h"

#define ENTRIES 8

_Alignas(64) static uint8_t
	memory[sizeof(struct inflight_ring) + ENTRIES * sizeof(struct inflight_entry)];
static struct inflight_ring *const ring = (struct inflight_ring *)memory;

/* A head and entries; small counts, or nothing would ever fit. */
static uint32_t log_make(struct input *bytes)
{
	struct inflight inflight;
	uint8_t head[8], entry[2];
	uint64_t base;

	memset(memory, 0, sizeof(memory));
	input_take(bytes, head, sizeof(head));
	base = (uint64_t)head[0] << (head[1] % 57);
	(void)inflight_attach(&inflight, memory, ENTRIES, (uint32_t)base);
	if (head[2] & 0x80)
		input_take(bytes, ring, sizeof(*ring));
	ring->answered = base;
	ring->taken = base + (head[3] & 0x0f);
	ring->pushing = base + (head[4] & 0x0f);
	for (unsigned n = 0; n < ENTRIES; n++) {
		input_take(bytes, entry, sizeof(entry));
		ring->entry[n].state = entry[0] & 3;
		ring->entry[n].sequence = entry[0] & 0x80 ? UINT64_MAX : base + (entry[1] & 0x0f);
	}
	return (uint32_t)base + (head[5] & 0x0f);
}

/* What is unanswered is in its ring's order, each once; and another death now changes nothing. */
static unsigned resumed_check(struct inflight *inflight, uint32_t produced)
{
	struct inflight again;
	uint16_t slots[ENTRIES], same[ENTRIES];
	unsigned count = inflight_unanswered(inflight, slots), used = 0;

	CHECK(count <= ENTRIES && (uint32_t)inflight->next - produced == count);
	for (unsigned n = 0; n < count; n++) {
		CHECK(slots[n] < ENTRIES && !(used & 1u << slots[n]));
		used |= 1u << slots[n];
		CHECK(!n || ring->entry[slots[n - 1]].sequence <= ring->entry[slots[n]].sequence);
	}
	CHECK(!inflight_attach(&again, memory, ENTRIES, produced));
	CHECK(again.next == inflight->next && inflight_unanswered(&again, same) == count);
	CHECK(!memcmp(slots, same, count * sizeof(*slots)));
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input bytes = {data, size};
	struct inflight inflight;
	uint32_t produced = log_make(&bytes);
	uint64_t answered;
	unsigned used;

	(void)inflight_progress(ring, &answered);
	if (inflight_attach(&inflight, memory, ENTRIES, produced))
		return 0;
	used = resumed_check(&inflight, produced);
	/* It goes on: what is free is taken, all is answered. */
	for (uint16_t n = 0; n < ENTRIES; n++)
		if (!(used & 1u << n))
			(void)inflight_take(&inflight, n);
	inflight_taken(&inflight);
	for (uint16_t n = 0; n < ENTRIES; n++)
		inflight_answer(&inflight, n);
	inflight_pushing(&inflight);
	produced += ENTRIES;
	CHECK(!inflight_attach(&inflight, memory, ENTRIES, produced));
	CHECK(!resumed_check(&inflight, produced));
	return 0;
}
