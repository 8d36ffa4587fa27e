/* What is behind a disk: paths, formats, NBD addresses. Each part is a string that fits. */
#include "backend/block/source.h"
#include "tests/fuzz/fuzz.h"

#define IS_STRING(array) (memchr((array), '\0', sizeof(array)) != NULL)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = input_text(data, size), why[200] = "", value[SOURCE_PART_SIZE];
	struct source source;

	memset(&source, 0xa5, sizeof(source));
	if (source_parse(text, &source, why, sizeof(why))) {
		CHECK(*why && IS_STRING(why));
		free(text);
		return 0;
	}
	(void)source_qemu(&source);
	(void)source_network(&source);
	if (source.kind == SOURCE_RAW || source.kind == SOURCE_IMAGE || source.kind == SOURCE_RBD)
		CHECK(IS_STRING(source.path) && (*source.path || !*text));
	if (source.kind == SOURCE_RBD)
		CHECK(source_rbd_option(&source, "conf", value) == !!*value && IS_STRING(value));
	if (source.kind == SOURCE_NBD || source.kind == SOURCE_NBDS) {
		CHECK(IS_STRING(source.host) && IS_STRING(source.port) && IS_STRING(source.socket));
		CHECK(IS_STRING(source.export) && !*source.host == !!*source.socket);
		CHECK(IS_STRING(source.certificates) && IS_STRING(source.psk));
	}
	free(text);
	return 0;
}
