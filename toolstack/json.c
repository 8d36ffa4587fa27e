#include "toolstack/json.h"

yajl_gen json_open(void)
{
	yajl_gen json = yajl_gen_alloc(NULL);

	if (json) {
		yajl_gen_config(json, yajl_gen_beautify, 1);
		yajl_gen_config(json, yajl_gen_validate_utf8, 1);
	}
	return json;
}

void json_close_on(yajl_gen json, FILE *out)
{
	const unsigned char *text;
	size_t length;

	if (yajl_gen_get_buf(json, &text, &length) == yajl_gen_status_ok)
		fwrite(text, 1, length, out);
	yajl_gen_free(json);
}

void json_close(yajl_gen json)
{
	json_close_on(json, stdout);
}
