#include "lib/json.h"

#include <string.h>

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
