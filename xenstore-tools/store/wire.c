#include "xenstore-tools/store/wire.h"

#include <errno.h>
#include <string.h>

const char *wire_error(int rc)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
		if (xsd_errors[i].errnum == -rc)
			return xsd_errors[i].errstring;
	return "EINVAL";
}

size_t wire_strings(const struct request *request, const char *string[], size_t max)
{
	const char *at = request->body, *end = at + request->header.len;
	size_t count = 0;

	while (count < max && at < end) {
		const char *nul = memchr(at, '\0', end - at);

		if (!nul)
			break;
		string[count++] = at;
		at = nul + 1;
	}
	return count;
}

const char *wire_string(const struct request *request)
{
	uint32_t size = request->header.len;

	if (!size || memchr(request->body, '\0', size) != request->body + size - 1)
		return NULL;
	return request->body;
}
