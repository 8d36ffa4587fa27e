/* What a disk's params may name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/block/source.h"
#include "tests/unit/check.h"

#define PERCENT_255                                                                                        \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *params;
	enum source_kind kind;
	const char *format, *path, *host, *port, *socket, *export, *certificates, *psk;
} good[] = {
	{"null:512", SOURCE_NULL, .path = "null:512"},
	{"/a/b", SOURCE_RAW, .path = "/a/b"},
	{"/qcow2:/b", SOURCE_RAW, .path = "/qcow2:/b"},
	{"qcow2:/a,b:c", SOURCE_IMAGE, .format = "qcow2", .path = "/a,b:c"},
	{"vhd:/a", SOURCE_IMAGE, .format = "vpc", .path = "/a"},
	{"vpc:/a", SOURCE_IMAGE, .format = "vpc", .path = "/a"},
	{"vmdk:/a", SOURCE_IMAGE, .format = "vmdk", .path = "/a"},
	{"vdi:/a", SOURCE_IMAGE, .format = "vdi", .path = "/a"},
	{"qcow:/a", SOURCE_IMAGE, .format = "qcow", .path = "/a"},
	{"qed:/a", SOURCE_IMAGE, .format = "qed", .path = "/a"},
	{"rbd:pool/image:id=xen", SOURCE_RBD, .path = "rbd:pool/image:id=xen"},
	{"nbd://host", SOURCE_NBD, .host = "host", .port = "10809"},
	{"nbd://host/", SOURCE_NBD, .host = "host", .port = "10809"},
	{"nbd://host:1/a/b", SOURCE_NBD, .host = "host", .port = "1", .export = "a/b"},
	{"nbd://[::1]:65535/a%20%3F", SOURCE_NBD, .host = "::1", .port = "65535", .export = "a ?"},
	{"nbd://[fe80::1]", SOURCE_NBD, .host = "fe80::1", .port = "10809"},
	{"nbd+unix:///?socket=/s", SOURCE_NBD, .socket = "/s"},
	{"nbd+unix:///e?socket=/s%26", SOURCE_NBD, .socket = "/s&", .export = "e"},
	{"nbds://host/e?tls-certificates=/c", SOURCE_NBDS, .host = "host", .port = "10809",
	 .export = "e", .certificates = "/c"},
	{"nbds+unix:///e?socket=/s&tls-psk-file=/p", SOURCE_NBDS, .socket = "/s", .export = "e",
	 .psk = "/p"},
	{"nbd://host/" PERCENT_255, SOURCE_NBD, .host = "host", .port = "10809",
	 .export = PERCENT_255},
};

static void same(const char *params, const char *what, const char *is, const char *expected)
{
	ck_assert_msg(!strcmp(is, expected ? expected : ""), "%s: %s is %s", params, what, is);
}

START_TEST(taken_apart)
{
	const char *params = good[_i].params;
	struct source source;
	char why[256] = "";

	ck_assert_msg(!source_parse(params, &source, why, sizeof(why)), "%s: %s", params, why);
	ck_assert_msg(source.kind == good[_i].kind, "%s", params);
	same(params, "format", source.format ? source.format : "", good[_i].format);
	same(params, "path", source.path, good[_i].path);
	same(params, "host", source.host, good[_i].host);
	same(params, "port", source.port, good[_i].port);
	same(params, "socket", source.socket, good[_i].socket);
	same(params, "export", source.export, good[_i].export);
	same(params, "tls-certificates", source.certificates, good[_i].certificates);
	same(params, "tls-psk-file", source.psk, good[_i].psk);
	ck_assert(source_remote(&source) == (source.kind > SOURCE_RAW));
	ck_assert(source_qemu(&source) == (source.kind > SOURCE_RAW && source.kind != SOURCE_NBD));
}
END_TEST

static const struct {
	const char *params, *name, *value;
} rbd[] = {
	{"rbd:p/i", "conf", ""},
	{"rbd:p/i:conf=/c", "conf", "/c"},
	{"rbd:p/i@s:id=xen:conf=/c", "conf", "/c"},
	{"rbd:p/i@s:id=xen:conf=/c", "id", "xen"},
	{"rbd:p/i@s:id=xen:conf=/c", "i", ""},
	{"rbd:p/i:conf=/c\\:d\\\\e:id=x", "conf", "/c:d\\e"},
	{"rbd:p/i\\:conf=/no:conf=/yes", "conf", "/yes"},
	{"rbd:p/conf=/no", "conf", ""},
	{"rbd:p/i:conf=/a:conf=/b", "conf", "/b"},
	{"rbd:p/i:conf:keyring=/k", "conf", ""},
	{"rbd:p/i:conf:keyring=/k", "keyring", "/k"},
	{"rbd:p/i:co\\nf=/c=d", "conf", "/c=d"},
	{"rbd:p/i:mon_host=[v2\\:1\\:2,v1\\:3]:conf=/c\\", "conf", "/c\\"},
	{"rbd:p/i:conf=", "conf", ""},
	{"rbd:", "conf", ""},
};

START_TEST(rbd_options)
{
	char value[SOURCE_PART_SIZE], why[256] = "";
	struct source source;

	ck_assert_int_eq(source_parse(rbd[_i].params, &source, why, sizeof(why)), 0);
	ck_assert(source_rbd_option(&source, rbd[_i].name, value) == !!*rbd[_i].value);
	same(rbd[_i].params, rbd[_i].name, value, rbd[_i].value);
}
END_TEST

static const struct {
	const char *what, *params;
} bad[] = {
	{"no host", "nbd:///e"},
	{"no host but a port", "nbd://:1/e"},
	{"a port that is none", "nbd://host:x/e"},
	{"a port above 65535", "nbd://host:65536/e"},
	{"an address without its bracket", "nbd://[::1/e"},
	{"something behind the bracket", "nbd://[::1]x/e"},
	{"a host and a Unix socket", "nbd+unix://host/e?socket=/s"},
	{"no socket", "nbd+unix:///e"},
	{"a relative socket", "nbd+unix:///e?socket=s"},
	{"a socket over TCP", "nbd://host/e?socket=/s"},
	{"half a percent", "nbd://host/%2"},
	{"no digits", "nbd://host/%zz"},
	{"a NUL", "nbd://host/a%00b"},
	{"a name that is too long", "nbd://host/x" PERCENT_255},
	{"an unknown word", "nbd://host/e?tls=1"},
	{"keys without TLS", "nbd://host/e?tls-psk-file=/p"},
	{"both kinds of keys", "nbds://host/e?tls-psk-file=/p&tls-certificates=/c"},
	{"a relative image", "qcow2:image"},
};

START_TEST(refused)
{
	struct source source;
	char why[256] = "";

	ck_assert_msg(source_parse(bad[_i].params, &source, why, sizeof(why)) == -EINVAL, "%s",
		      bad[_i].what);
	ck_assert_msg(strchr(why, ';') || strstr(why, "absolute"), "%s: %s", bad[_i].what, why);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block_source");
	TCase *tc = tcase_create("block_source");

	tcase_add_loop_test(tc, taken_apart, 0, TABLE_SIZE(good));
	tcase_add_loop_test(tc, rbd_options, 0, TABLE_SIZE(rbd));
	tcase_add_loop_test(tc, refused, 0, TABLE_SIZE(bad));
	suite_add_tcase(suite, tc);
	return check_main(suite);
}
