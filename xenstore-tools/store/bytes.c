#include "xenstore-tools/store/bytes.h"

#include <stdlib.h>
#include <string.h>

struct bytes *bytes_new(const void *data, size_t size)
{
	struct bytes *bytes;

	if (size > UINT32_MAX)
		return NULL;
	bytes = malloc(sizeof(*bytes) + size);
	if (!bytes)
		return NULL;
	bytes->refs = 1;
	bytes->size = size;
	if (data && size)
		memcpy(bytes->data, data, size);
	return bytes;
}

struct bytes *bytes_get(struct bytes *bytes)
{
	if (bytes)
		bytes->refs++;
	return bytes;
}

void bytes_put(struct bytes *bytes)
{
	if (bytes && !--bytes->refs)
		free(bytes);
}
