#include "toolstack/config/json.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "toolstack/config/parse.h"

struct writer {
	FILE *out;
	const char *source;
	struct fault *fault;
};

bool json_is(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return *text == '{' || *text == '[';
}

static int wrong(const struct writer *w, const char *key, const char *what)
{
	return fault_set(w->fault, -EINVAL, "%s: %s: %s; see xsplit-config.schema.json", w->source,
			 key, what);
}

static bool is_key(const char *key)
{
	return *key >= 'a' && *key <= 'z' &&
	       !key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

/* A value that stands alone; false for others. */
static bool plain_print(FILE *out, yajl_val value)
{
	if (YAJL_IS_STRING(value))
		fputs(value->u.string, out);
	else if (YAJL_IS_NUMBER(value))
		fputs(value->u.number.r, out);
	else if (YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value))
		fputc(YAJL_IS_TRUE(value) ? '1' : '0', out);
	else
		return false;
	return true;
}

/* "discard": false is no-discard; of other flags the word just is not there. */
static void flag_print(FILE *out, const char *key, bool set)
{
	if (!strcmp(key, "trusted"))
		fputs(set ? "trusted" : "untrusted", out);
	else if (!strcmp(key, "discard"))
		fputs(set ? "discard" : "no-discard", out);
	else if (set)
		fputs(key, out);
}

/* "target" comes last, for it takes all that follows. "number" only repeats the vdev. */
static int device_print(const struct writer *w, FILE *out, const char *list, yajl_val device)
{
	yajl_val target = NULL;
	bool first = true;

	for (size_t i = 0; i < device->u.object.len; i++) {
		const char *key = device->u.object.keys[i];
		yajl_val value = device->u.object.values[i];
		bool flag = YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value);

		if (!strcmp(key, "target"))
			target = value;
		if (!strcmp(key, "target") || !strcmp(key, "number") || YAJL_IS_NULL(value))
			continue;
		if (flag && !YAJL_IS_TRUE(value) && strcmp(key, "trusted") != 0 &&
		    strcmp(key, "discard") != 0)
			continue;
		fputs(first ? "" : ",", out);
		first = false;
		if (flag) {
			flag_print(out, key, YAJL_IS_TRUE(value));
			continue;
		}
		fprintf(out, "%s=", key);
		if (!plain_print(out, value) ||
		    (YAJL_IS_STRING(value) && strchr(value->u.string, ',')))
			return wrong(w, list,
				     "a member of a device is a string without comma, a "
				     "number or a flag");
	}
	if (target && !YAJL_IS_STRING(target))
		return YAJL_IS_NULL(target) ? 0 : wrong(w, list, "a target is a string");
	if (target)
		fprintf(out, "%starget=%s", first ? "" : ",", target->u.string);
	return 0;
}

/* An item of a list: a string, or a device. */
static int item_print(const struct writer *w, const char *key, yajl_val item)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc = 0;

	if (!out)
		return fault_memory(w->fault);
	if (YAJL_IS_OBJECT(item))
		rc = device_print(w, out, key, item);
	else if (!plain_print(out, item))
		rc = wrong(w, key, "an item is a string, a number or an object");
	if (fclose(out) && !rc)
		rc = fault_memory(w->fault);
	if (!rc)
		config_quote(w->out, text);
	free(text);
	return rc;
}

static int member_print(const struct writer *w, const char *key, yajl_val value)
{
	int rc = 0;

	if (YAJL_IS_NULL(value))
		return 0;
	if (!is_key(key))
		return wrong(w, key, "this is no key");
	fprintf(w->out, "%s=", key);
	if (YAJL_IS_ARRAY(value)) {
		fputc('[', w->out);
		for (size_t i = 0; i < value->u.array.len && !rc; i++) {
			if (i)
				fputc(',', w->out);
			rc = item_print(w, key, value->u.array.values[i]);
		}
		fputs("]\n", w->out);
		return rc;
	}
	rc = YAJL_IS_OBJECT(value) ? wrong(w, key, "it is no object") : item_print(w, key, value);
	fputc('\n', w->out);
	return rc;
}

/* What the config is wrapped in. */
static int config_find(const struct writer *w, yajl_val tree, yajl_val *config)
{
	static const char *const path[] = {"config", NULL};
	yajl_val inner;

	if (YAJL_IS_ARRAY(tree) && tree->u.array.len != 1)
		return fault_set(w->fault, -EINVAL,
				 "%s: holds %zu domains; give the one to be made (xsplit list -l "
				 "--json DOMAIN)",
				 w->source, tree->u.array.len);
	if (YAJL_IS_ARRAY(tree))
		tree = tree->u.array.values[0];
	inner = yajl_tree_get(tree, (const char **)path, yajl_t_any);
	*config = inner ? inner : tree;
	if (inner && YAJL_IS_NULL(inner))
		return fault_set(w->fault, -EINVAL,
				 "%s: this domain has no config; another toolstack made it",
				 w->source);
	if (yajl_tree_get(*config, (const char *[]){"c_info", NULL}, yajl_t_any))
		return fault_set(w->fault, -EINVAL,
				 "%s: a config in xl's words; write it as lines, or take ours "
				 "(xsplit list -l --json DOMAIN)",
				 w->source);
	return YAJL_IS_OBJECT(*config) ? 0 : wrong(w, "config", "it is no object");
}

static int tree_print(const struct writer *w, yajl_val tree)
{
	yajl_val config = NULL;
	int rc = config_find(w, tree, &config);

	for (size_t i = 0; !rc && config && i < config->u.object.len; i++)
		rc = member_print(w, config->u.object.keys[i], config->u.object.values[i]);
	return rc;
}

int json_to_text(const char *source, const char *json, char **text, struct fault *fault)
{
	struct writer w = {.source = source, .fault = fault};
	char words[256] = "";
	size_t size;
	yajl_val tree = yajl_tree_parse(json, words, sizeof(words));
	int rc;

	if (!tree) {
		words[strcspn(words, "\n")] = '\0';
		return fault_set(fault, -EINVAL, "%s: no JSON: %s", source,
				 *words ? words : "it ends too soon");
	}
	w.out = open_memstream(text, &size);
	rc = w.out ? tree_print(&w, tree) : fault_memory(fault);
	yajl_tree_free(tree);
	if (w.out && fclose(w.out) && !rc)
		rc = fault_memory(fault);
	if (rc && w.out) {
		free(*text);
		*text = NULL;
	}
	return rc;
}
