/*
 * docs/xsplit-config.schema.json and the tables of toolstack/config say the same: what one takes,
 * the other has.
 */
#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "tests/unit/check.h"
#include "toolstack/config/disk_words.h"
#include "toolstack/config/domain_config.h"
#include "toolstack/config/keys.h"
#include "toolstack/domain/config_json.h"

__asm__(".section .rodata\n"
	"schema_text: .incbin \"docs/xsplit-config.schema.json\"\n"
	".byte 0\n"
	".previous\n");
extern const char schema_text[] __asm__("schema_text");

static yajl_val schema, keys, disk, vif;

static yajl_val member(yajl_val object, const char *key)
{
	const char *path[] = {key, NULL};

	return object ? yajl_tree_get(object, path, yajl_t_any) : NULL;
}

/* A string's or number's text, "" of others. */
static const char *text_of(yajl_val value)
{
	return YAJL_IS_STRING(value)   ? value->u.string
	       : YAJL_IS_NUMBER(value) ? value->u.number.r
				       : "";
}

static void schema_read(void)
{
	yajl_val defs;

	schema = yajl_tree_parse(schema_text, NULL, 0);
	ck_assert_ptr_nonnull(schema);
	defs = member(schema, "$defs");
	keys = member(schema, "properties");
	disk = member(member(defs, "disk"), "properties");
	vif = member(member(defs, "vif"), "properties");
	ck_assert(YAJL_IS_OBJECT(keys) && YAJL_IS_OBJECT(disk) && YAJL_IS_OBJECT(vif));
	ck_assert(YAJL_IS_FALSE(member(schema, "additionalProperties")));
	ck_assert(YAJL_IS_FALSE(member(member(defs, "disk"), "additionalProperties")));
	ck_assert(YAJL_IS_FALSE(member(member(defs, "vif"), "additionalProperties")));
}

static void schema_free(void)
{
	yajl_tree_free(schema);
}

/* Does a property's "type" name this one? */
static bool has_type(yajl_val property, const char *name)
{
	yajl_val type = member(property, "type");

	if (YAJL_IS_STRING(type))
		return !strcmp(text_of(type), name);
	for (size_t i = 0; YAJL_IS_ARRAY(type) && i < type->u.array.len; i++)
		if (!strcmp(text_of(type->u.array.values[i]), name))
			return true;
	return false;
}

static bool conforms(yajl_val property, yajl_val value)
{
	yajl_val words = member(property, "enum");

	for (size_t i = 0; YAJL_IS_ARRAY(words) && i < words->u.array.len; i++)
		if (words->u.array.values[i]->type == value->type &&
		    !strcmp(text_of(words->u.array.values[i]), text_of(value)))
			return true;
	if (YAJL_IS_STRING(value))
		return has_type(property, "string");
	if (YAJL_IS_NUMBER(value))
		return has_type(property, "integer");
	return (YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value)) && has_type(property, "boolean");
}

static bool is_limit(const char *key)
{
	yajl_val patterns = member(member(member(schema, "$defs"), "disk"), "patternProperties");
	regex_t pattern;
	bool matches;

	ck_assert(YAJL_IS_OBJECT(patterns) && patterns->u.object.len == 1);
	ck_assert(!regcomp(&pattern, patterns->u.object.keys[0], REG_EXTENDED | REG_NOSUB));
	matches = !regexec(&pattern, key, 0, NULL, 0);
	regfree(&pattern);
	return matches;
}

/* "no-discard" is in it as "discard": false. */
static bool is_word(yajl_val device, const char *word)
{
	if (member(device, word) || (device == disk && is_limit(word)))
		return true;
	if (!strncmp(word, "un", 2))
		return has_type(member(device, word + 2), "boolean");
	return !strncmp(word, "no-", 3) && has_type(member(device, word + 3), "boolean");
}

/* What libxlutil of Xen 4.17 knows and disk.c does not refuse. */
static const char *const library_words[] = {
	"target",  "vdev",       "format",         "access", "backendtype", "script",
	"discard", "no-discard", "direct-io-safe", "cdrom",  "devtype",     "specification",
};

static void limit_found(void *arg, const char *key, uint64_t value)
{
	unsigned *count = arg;

	ck_assert_msg(is_limit(key), "%s is not in the schema", key);
	++*count;
}

START_TEST(tables_are_in_the_schema)
{
	const struct qos_limits none = {0};
	unsigned limits = 0;
	const char *word;

	for (size_t n = 0; (word = key_name(n)) != NULL; n++)
		ck_assert_msg(member(keys, word) != NULL, "%s is not in the schema", word);
	for (size_t n = 0; (word = disk_word(n)) != NULL; n++)
		ck_assert_msg(is_word(disk, word), "disk: %s is not in the schema", word);
	for (int n = 0; n < TABLE_SIZE(library_words); n++)
		ck_assert_msg(is_word(disk, library_words[n]), "disk: %s is not in the schema",
			      library_words[n]);
	for (size_t n = 0; (word = vif_config_key(n)) != NULL; n++)
		ck_assert_msg(is_word(vif, word), "vif: %s is not in the schema", word);
	qos_each(&none, limit_found, &limits);
	ck_assert_uint_eq(limits, QOS_LIMITS * 3);
	ck_assert(!is_limit("iops-seconds") && !is_limit("iops-bursts") && !is_limit("all-iops"));
}
END_TEST

/* A config of some type whose only fault is in the key; *fault says what it is. */
static void key_try(const char *key, const char *value, struct fault *fault)
{
	static const char *const types[] = {"process", "hvm", "pvh", "pv"};
	struct domain_config config;
	char text[512];

	for (int n = 0; n < TABLE_SIZE(types); n++) {
		int length = snprintf(text, sizeof(text), "name=\"g\"\nkernel=\"k\"\ntype=\"%s\"\n",
				      types[n]);

		if (strcmp(key, "memory") != 0)
			length += snprintf(text + length, sizeof(text) - (size_t)length,
					   "memory=64\n");
		snprintf(text + length, sizeof(text) - (size_t)length, "%s=\"%s\"\n", key, value);
		*fault = (struct fault){0};
		if (!domain_config_parse("g", text, NULL, 0, &config, fault)) {
			domain_config_free(&config);
			return;
		}
		if (!strstr(fault->text, "for a guest of type"))
			return;
	}
}

/* The bounds are at the message's end: "... is not a number of MiB from 4 to 16777216". */
static void number_check(const char *key, yajl_val property)
{
	struct fault fault;
	const char *bounds;
	long long least, most;

	key_try(key, "x", &fault);
	bounds = strstr(fault.text, " from ");
	ck_assert_msg(bounds && sscanf(bounds, " from %lld to %lld", &least, &most) == 2, "%s: %s",
		      key, fault.text);
	ck_assert_msg(has_type(property, "integer") &&
			      YAJL_IS_INTEGER(member(property, "minimum")) &&
			      YAJL_IS_INTEGER(member(property, "maximum")),
		      "%s is no number in the schema", key);
	ck_assert_msg(YAJL_GET_INTEGER(member(property, "minimum")) == least &&
			      YAJL_GET_INTEGER(member(property, "maximum")) == most,
		      "%s is from %lld to %lld", key, least, most);
}

/* The words are at the message's end: "... is unknown; use seabios, ovmf". */
static void words_check(const char *key, yajl_val property)
{
	yajl_val words = member(property, "enum");
	char known[256] = "; use ";
	struct fault fault;

	ck_assert_msg(YAJL_IS_ARRAY(words), "%s has no words in the schema", key);
	for (size_t i = 0; i < words->u.array.len; i++) {
		size_t length = strlen(known);

		snprintf(known + length, sizeof(known) - length, "%s%s", i ? ", " : "",
			 text_of(words->u.array.values[i]));
	}
	key_try(key, "?", &fault);
	ck_assert_msg(strstr(fault.text, known) && !strcmp(strstr(fault.text, known), known),
		      "%s: the schema has%s, not%s", key, known + 5, fault.text);
}

static void option_check(enum domain_option option, const char *key, yajl_val property)
{
	switch (option_kind(option)) {
	case OPTION_IS_FLAG:
		ck_assert_msg(has_type(property, "boolean"), "%s is a flag", key);
		break;
	case OPTION_IS_NUMBER:
		number_check(key, property);
		break;
	case OPTION_IS_WORD:
		words_check(key, property);
		break;
	case OPTION_IS_TEXTS:
		ck_assert_msg(YAJL_IS_ARRAY(member(property, "anyOf")), "%s is a text or several",
			      key);
		break;
	case OPTION_IS_TEXT:
	default:
		ck_assert_msg(has_type(property, "string") && !has_type(property, "integer"),
			      "%s is a text", key);
	}
}

START_TEST(keys_of_the_schema_are_taken)
{
	for (size_t i = 0; i < keys->u.object.len; i++) {
		const char *key = keys->u.object.keys[i];
		yajl_val property = keys->u.object.values[i];
		enum key_kind kind = key_kind(key);
		enum domain_option option;

		ck_assert_msg(kind != KEY_UNKNOWN && kind != KEY_REFUSED, "%s is no key", key);
		if (kind == KEY_OPTION && option_find(key, &option))
			option_check(option, key, property);
		else if (has_type(property, "integer"))
			number_check(key, property);
	}
}
END_TEST

START_TEST(actions_and_types)
{
	yajl_val words = member(member(keys, "type"), "enum"), word;

	ck_assert_uint_eq(words->u.array.len, DOMAIN_HVM + 1);
	for (size_t i = 0; i <= DOMAIN_HVM; i++) {
		struct fault fault;

		word = words->u.array.values[i];
		key_try("type", text_of(word), &fault);
		ck_assert_msg(!strstr(fault.text, "is unknown"), "%s", fault.text);
	}
	for (int end = 0; end < END_COUNT; end++) {
		words = member(member(keys, domain_end_key((enum domain_end)end)), "enum");
		ck_assert(YAJL_IS_ARRAY(words));
		ck_assert_uint_eq(words->u.array.len, ACTION_SOFT_RESET + 1);
		for (int action = 0; action <= ACTION_SOFT_RESET; action++) {
			word = words->u.array.values[action];
			ck_assert_str_eq(text_of(word),
					 domain_action_word((enum domain_action)action));
		}
	}
}
END_TEST

/* What a member that is any string may say. */
static const struct {
	const char *key, *value;
} samples[] = {
	{"target", "/x"},  {"vdev", "xvdb"}, {"script", "s"},    {"mac", "00:16:3e:00:00:01"},
	{"bridge", "b"},   {"ip", "::1"},    {"vifname", "tap"}, {"model", "e1000"},
	{"rate", "1Mb/s"},
};

/* A domain with one device, which has what it needs and this member; its value as JSON. */
static void device_try(yajl_val device, const char *key, const char *value)
{
	struct domain_config config;
	struct fault fault = {0};
	char text[512], need[64] = "";

	if (device == disk)
		snprintf(need, sizeof(need), "%s%s",
			 strcmp(key, "vdev") ? "\"vdev\":\"xvda\"," : "",
			 strcmp(key, "target") ? "\"target\":\"/x\"," : "");
	snprintf(text, sizeof(text),
		 "{\"name\":\"g\",\"type\":\"process\",\"kernel\":\"k\",\"memory\":64,"
		 "\"%s\":[{%s\"%s\":%s}]}",
		 device == disk ? "disk" : "vif", need, key, value);
	ck_assert_msg(!domain_config_parse("g", text, NULL, 0, &config, &fault), "%s: %s", text,
		      fault.text);
	domain_config_free(&config);
}

static void value_try(yajl_val device, const char *key, yajl_val value)
{
	char text[64];

	if (YAJL_IS_NUMBER(value)) {
		device_try(device, key, text_of(value));
		return;
	}
	snprintf(text, sizeof(text), "\"%s\"", text_of(value));
	device_try(device, key, text);
}

static void sample_try(yajl_val device, const char *key)
{
	char text[64];

	for (int n = 0; n < TABLE_SIZE(samples); n++) {
		if (strcmp(samples[n].key, key) != 0)
			continue;
		snprintf(text, sizeof(text), "\"%s\"", samples[n].value);
		device_try(device, key, text);
		return;
	}
	ck_abort_msg("%s has no sample in this test", key);
}

static void property_try(yajl_val device, const char *key, yajl_val property)
{
	yajl_val words = member(property, "enum");

	for (size_t i = 0; YAJL_IS_ARRAY(words) && i < words->u.array.len; i++)
		value_try(device, key, words->u.array.values[i]);
	if (has_type(property, "boolean")) {
		device_try(device, key, "true");
		device_try(device, key, "false");
	} else if (has_type(property, "integer") && member(property, "minimum")) {
		value_try(device, key, member(property, "minimum"));
		value_try(device, key, member(property, "maximum"));
	} else if (has_type(property, "string")) {
		sample_try(device, key);
	}
}

START_TEST(devices_of_the_schema_are_taken)
{
	yajl_val device = _i ? vif : disk;

	for (size_t i = 0; i < device->u.object.len; i++)
		property_try(device, device->u.object.keys[i], device->u.object.values[i]);
}
END_TEST

/* Devices with all that can be said of them, as xsplit list -l --json prints them. */
static const char full[] =
	"name=\"g\"\ntype=\"hvm\"\nmemory=64\n"
	"disk=[\"vdev=hdc,devtype=cdrom,target=\", \"vdev=xvda,access=ro,no-discard,direct-io-safe,"
	"untrusted,sector-size=4096,legacy-sector-units=0,request-timeout=5,script=9,iops=5,iops-burst=9,"
	"iops-burst-seconds=2,target=/x\"]\n"
	"vif=[\"devid=0,bridge=007,mac=00:16:3e:00:00:01,vifname=8,script=9,ip=7,type=ioemu,model=3,"
	"mtu=1400,rate=10Mb/s,untrusted\"]\n";

static void device_conforms(yajl_val device, yajl_val printed)
{
	for (size_t i = 0; i < printed->u.object.len; i++) {
		const char *key = printed->u.object.keys[i];
		yajl_val property = member(device, key), value = printed->u.object.values[i];

		if (device == disk && is_limit(key))
			ck_assert_msg(YAJL_IS_INTEGER(value), "%s", key);
		else
			ck_assert_msg(property && conforms(property, value), "%s", key);
	}
}

START_TEST(printed_as_the_schema_says)
{
	yajl_gen json = yajl_gen_alloc(NULL);
	struct domain_config config;
	struct fault fault = {0};
	const unsigned char *text;
	yajl_val printed, disks, vifs;
	size_t size;

	ck_assert_msg(!domain_config_parse("g", full, NULL, 0, &config, &fault), "%s", fault.text);
	config_json(json, &config);
	ck_assert_int_eq(yajl_gen_get_buf(json, &text, &size), yajl_gen_status_ok);
	printed = yajl_tree_parse((const char *)text, NULL, 0);
	disks = member(printed, "disk");
	vifs = member(printed, "vif");
	ck_assert(YAJL_IS_ARRAY(disks) && YAJL_IS_ARRAY(vifs));
	ck_assert(disks->u.array.len == 2 && vifs->u.array.len == 1);
	for (size_t i = 0; i < disks->u.array.len; i++)
		device_conforms(disk, disks->u.array.values[i]);
	device_conforms(vif, vifs->u.array.values[0]);
	ck_assert_str_eq(text_of(member(vifs->u.array.values[0], "bridge")), "007");
	yajl_tree_free(printed);
	yajl_gen_free(json);
	domain_config_free(&config);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("toolstack_schema");
	TCase *t = tcase_create("schema");

	tcase_add_checked_fixture(t, schema_read, schema_free);
	tcase_add_test(t, tables_are_in_the_schema);
	tcase_add_test(t, keys_of_the_schema_are_taken);
	tcase_add_test(t, actions_and_types);
	tcase_add_loop_test(t, devices_of_the_schema_are_taken, 0, 2);
	tcase_add_test(t, printed_as_the_schema_says);
	suite_add_tcase(suite, t);
	return check_main(suite);
}
