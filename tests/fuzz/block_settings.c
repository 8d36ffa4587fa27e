/* The nodes that change a running disk: refused, or what they say. */
#include "backend/block/settings.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = input_text(data, size), why[64];
	struct resize resize = {.size = 12345};

	for (int n = 0; n < SETTINGS; n++) {
		struct settings settings, before;

		settings_default(&settings);
		before = settings;
		if (settings_table[n].parse(text, &settings, why, sizeof(why)))
			CHECK(settings_same(&settings, &before) && *why);
	}
	if (!resize_parse(text, &resize, why, sizeof(why)))
		CHECK(resize.size % 512 == 0 && resize.size <= INT64_MAX);
	else
		CHECK(resize.size == 12345);
	(void)settings_replied(text);
	free(text);
	return 0;
}
