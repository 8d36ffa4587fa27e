#include "toolstack/json.h"

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

static void object_copy(yajl_gen json, yajl_val object)
{
	if (yajl_gen_map_open(json) != yajl_gen_status_ok)
		return;
	for (size_t i = 0; i < object->u.object.len; i++) {
		json_key(json, object->u.object.keys[i]);
		json_copy(json, object->u.object.values[i]);
	}
	yajl_gen_map_close(json);
}

static void array_copy(yajl_gen json, yajl_val array)
{
	if (yajl_gen_array_open(json) != yajl_gen_status_ok)
		return;
	for (size_t i = 0; i < array->u.array.len; i++)
		json_copy(json, array->u.array.values[i]);
	yajl_gen_array_close(json);
}

/* It ends at the depth that yajl writes at most. */
void json_copy(yajl_gen json, yajl_val value)
{
	switch (value->type) {
	case yajl_t_object:
		object_copy(json, value);
		break;
	case yajl_t_array:
		array_copy(json, value);
		break;
	case yajl_t_string:
		json_text(json, value->u.string);
		break;
	case yajl_t_number:
		yajl_gen_number(json, value->u.number.r, strlen(value->u.number.r));
		break;
	case yajl_t_true:
	case yajl_t_false:
		yajl_gen_bool(json, value->type == yajl_t_true);
		break;
	default:
		yajl_gen_null(json);
	}
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
