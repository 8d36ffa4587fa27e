#include "toolstack/json.h"

#include <stdio.h>
#include <string.h>

yajl_gen json_open(void)
{
	yajl_gen json = yajl_gen_alloc(NULL);

	if (json) {
		yajl_gen_config(json, yajl_gen_beautify, 1);
		yajl_gen_config(json, yajl_gen_validate_utf8, 1);
	}
	return json;
}

void json_close(yajl_gen json)
{
	const unsigned char *text;
	size_t length;

	if (yajl_gen_get_buf(json, &text, &length) == yajl_gen_status_ok)
		fwrite(text, 1, length, stdout);
	yajl_gen_free(json);
}

void json_text(yajl_gen json, const char *text)
{
	if (!text)
		yajl_gen_null(json);
	else if (yajl_gen_string(json, (const unsigned char *)text, strlen(text)) ==
		 yajl_gen_invalid_string)
		yajl_gen_string(json, (const unsigned char *)"?", 1);
}

void json_key(yajl_gen json, const char *key)
{
	yajl_gen_string(json, (const unsigned char *)key, strlen(key));
}

void json_string(yajl_gen json, const char *key, const char *value)
{
	json_key(json, key);
	json_text(json, value);
}

void json_number(yajl_gen json, const char *key, long long value)
{
	json_key(json, key);
	yajl_gen_integer(json, value);
}

void json_bool(yajl_gen json, const char *key, bool value)
{
	json_key(json, key);
	yajl_gen_bool(json, value);
}
