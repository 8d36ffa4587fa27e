/* Limits as text, printed and read again; and what buckets with them let by in some seconds. */
#include "backend/block/bucket.h"
#include "tests/fuzz/fuzz.h"

#define TAKES 64

/* Whoever waits as long as he is told gets on, and time that overflows is nobody's. */
static void taken(const struct qos_limits *limits, struct input *bytes)
{
	struct buckets buckets = {0};
	uint64_t now = 1;

	buckets_set(&buckets, limits);
	for (int n = 0; n < TAKES && bytes->size; n++) {
		uint8_t what[4];
		uint64_t wait;

		input_take(bytes, what, sizeof(what));
		now += (uint64_t)what[0] << (what[1] % 32);
		wait = buckets_take(&buckets, what[1] & 0x80, (uint64_t)what[2] << 12, now);
		CHECK(buckets.limited || !wait);
		if (!wait)
			continue;
		now += wait;
		(void)buckets_take(&buckets, what[1] & 0x80, (uint64_t)what[2] << 12, now);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\0', size) : NULL;
	size_t length = end ? (size_t)(end - data) : size;
	struct input bytes = {data + length, size - length};
	struct qos_limits limits, again;
	char *text = input_text(data, length), printed[QOS_TEXT_SIZE], why[200];

	memset(&limits, 0, sizeof(limits));
	if (!qos_parse(text, &limits, why, sizeof(why))) {
		qos_print(&limits, printed);
		CHECK(!qos_parse(printed, &again, why, sizeof(why)));
		CHECK(!memcmp(&limits, &again, sizeof(limits)));
		taken(&limits, &bytes);
	}
	free(text);
	return 0;
}
